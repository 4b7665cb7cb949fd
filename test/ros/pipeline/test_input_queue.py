# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What lies between the thread that receives and the thread that works."""

import threading

import pytest

from mfs_seg_ros.pipeline.input_queue import Arrived, Inbox


@pytest.fixture
def inbox():
    """Give an inbox of 100 bytes."""
    return Inbox(100, threading.Condition())


def test_newest_image_wins_and_says_so(inbox):
    assert [inbox.put_image(image) for image in range(4)] == [False, True, True, True]
    assert inbox.take() == Arrived(3, [], 0)
    assert not inbox.put_image(4)
    assert inbox.take() == Arrived(4, [], 0)


def test_every_packet_is_kept_in_order(inbox):
    assert [inbox.put_packet(packet, 30) for packet in 'abc'] == [0, 0, 0]
    inbox.put_image('image')
    assert inbox.take() == Arrived('image', ['a', 'b', 'c'], 0)


def test_oldest_packets_make_room(inbox):
    sizes = (('a', 40), ('b', 40), ('c', 40), ('d', 20))
    assert [inbox.put_packet(*packet) for packet in sizes] == [0, 0, 1, 0]
    assert inbox.take() == Arrived(None, ['b', 'c', 'd'], 1)
    # What was taken leaves its room to others.
    assert inbox.put_packet('e', 100) == 0
    assert inbox.take() == Arrived(None, ['e'], 0)
    # One that is too large alone takes the place of all others.
    assert [inbox.put_packet('f', 1), inbox.put_packet('g', 1000)] == [0, 1]
    assert inbox.take() == Arrived(None, ['g'], 1)


def test_who_waits_is_told_of_what_comes():
    changed = threading.Condition()
    inboxes = [Inbox(100, changed) for _ in range(2)]
    taken = []

    def work():
        for _ in range(2):
            with changed:
                assert changed.wait_for(lambda: any(inbox.filled for inbox in inboxes), 10.0)
            taken.extend(inbox.take() for inbox in inboxes if inbox.filled)
            arrived.release()

    arrived = threading.Semaphore(0)
    worker = threading.Thread(target=work)
    worker.start()
    inboxes[1].put_image('one')
    assert arrived.acquire(timeout=10.0)
    inboxes[0].put_packet('two', 1)
    assert arrived.acquire(timeout=10.0)
    worker.join(10.0)
    assert taken == [Arrived('one', [], 0), Arrived(None, ['two'], 0)]
    assert not any(inbox.filled for inbox in inboxes)
