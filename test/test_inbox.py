# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What lies between the thread that receives and the thread that works."""

import threading
import time

from mfs_seg_ros.inbox import Arrived, Inbox


def test_newest_image_wins_and_replaced_ones_are_counted():
    inbox = Inbox(100)
    for image in range(4):
        inbox.put_image(image)
    assert inbox.take() == Arrived(3, [], 0)
    assert inbox.images_dropped == 3
    inbox.put_image(4)
    assert inbox.take() == Arrived(4, [], 0)
    assert inbox.images_dropped == 3


def test_every_packet_is_kept_in_order():
    inbox = Inbox(100)
    for packet in 'abc':
        inbox.put_packet(packet, 30)
    inbox.put_image('image')
    assert inbox.take() == Arrived('image', ['a', 'b', 'c'], 0)
    assert inbox.packets_dropped == 0


def test_oldest_packets_make_room():
    inbox = Inbox(100)
    for packet, size in (('a', 40), ('b', 40), ('c', 40), ('d', 20)):
        inbox.put_packet(packet, size)
    assert inbox.take() == Arrived(None, ['b', 'c', 'd'], 1)
    assert inbox.packets_dropped == 1
    # What was taken leaves its room to others.
    inbox.put_packet('e', 100)
    assert inbox.take() == Arrived(None, ['e'], 0)
    # One that is too large alone takes the place of all others.
    inbox.put_packet('f', 1)
    inbox.put_packet('g', 1000)
    assert inbox.take() == Arrived(None, ['g'], 1)
    assert inbox.packets_dropped == 2


def test_taker_waits_for_things_and_for_the_end():
    inbox = Inbox(100)
    taken = []
    arrived = threading.Semaphore(0)

    def work():
        while (item := inbox.take()) is not None:
            taken.append(item)
            arrived.release()

    worker = threading.Thread(target=work)
    worker.start()
    inbox.put_image('one')
    assert arrived.acquire(timeout=10.0)
    inbox.put_packet('two', 1)
    assert arrived.acquire(timeout=10.0)
    inbox.close()
    worker.join(10.0)
    assert not worker.is_alive()
    assert taken == [Arrived('one', [], 0), Arrived(None, ['two'], 0)]


def test_waiting_may_be_limited():
    begin = time.monotonic()
    assert Inbox(100).take(0.05) == Arrived(None, [], 0)
    assert 0.05 <= time.monotonic() - begin < 5.0


def test_closed_inbox_gives_nothing():
    inbox = Inbox(100)
    inbox.put_image('late')
    inbox.put_packet('late', 1)
    inbox.close()
    assert inbox.take() is None
