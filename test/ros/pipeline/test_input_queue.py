# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The queue between the thread that receives and the thread that processes."""

import threading
import time

import pytest

from mfs_seg_ros.pipeline.input_queue import GEOMETRIES, InputQueue


@pytest.fixture
def queue():
    """Return a queue of 100 bytes."""
    return InputQueue(100, threading.Condition())


def taken_from(queue: InputQueue) -> tuple:
    """Return the image, the packets and the number of dropped ones."""
    received = queue.take()
    return (received.image and received.image.message,
            [packet.message for packet in received.packets], received.dropped)


def test_newest_image_wins_and_says_so(queue):
    assert [queue.put_image(image) for image in range(4)] == [False, True, True, True]
    assert taken_from(queue) == (3, [], 0)
    assert not queue.put_image(4)
    assert taken_from(queue) == (4, [], 0)


def test_every_packet_is_kept_in_order(queue):
    assert [queue.put_packet(packet, 30) for packet in 'abc'] == [0, 0, 0]
    queue.put_image('image')
    assert taken_from(queue) == ('image', ['a', 'b', 'c'], 0)


def test_the_newest_geometries_are_kept(queue):
    queue.put_camera_info('info')
    assert not queue.filled
    for number in range(GEOMETRIES + 2):
        queue.put_geometry(number)
    assert queue.filled
    received = queue.take()
    assert received.geometries == list(range(2, GEOMETRIES + 2))
    assert received.camera_info == 'info'
    assert queue.take()[3:] == ([], None)


def test_oldest_packets_make_room(queue):
    sizes = (('a', 40), ('b', 40), ('c', 40), ('d', 20))
    assert [queue.put_packet(*packet) for packet in sizes] == [0, 0, 1, 0]
    assert taken_from(queue) == (None, ['b', 'c', 'd'], 1)
    # Taken packets leave their room to others.
    assert queue.put_packet('e', 100) == 0
    assert taken_from(queue) == (None, ['e'], 0)
    # One that is too large alone takes the place of all others.
    assert [queue.put_packet('f', 1), queue.put_packet('g', 1000)] == [0, 1]
    assert taken_from(queue) == (None, ['g'], 1)


def test_a_waiting_thread_is_notified():
    changed = threading.Condition()
    queues = [InputQueue(100, changed) for _ in range(2)]
    taken = []

    def work():
        for _ in range(2):
            with changed:
                assert changed.wait_for(lambda: any(queue.filled for queue in queues), 10.0)
            taken.extend(taken_from(queue) for queue in queues if queue.filled)
            arrived.release()

    arrived = threading.Semaphore(0)
    worker = threading.Thread(target=work)
    worker.start()
    queues[1].put_image('one')
    assert arrived.acquire(timeout=10.0)
    queues[0].put_packet('two', 1)
    assert arrived.acquire(timeout=10.0)
    worker.join(10.0)
    assert taken == [('one', [], 0), (None, ['two'], 0)]
    assert not any(queue.filled for queue in queues)


def test_messages_have_the_time_of_their_receipt(queue):
    before_s = time.monotonic()
    queue.put_image('image')
    queue.put_packet('packet', 1)
    received = queue.take()
    assert before_s <= received.image.received_s <= received.packets[0].received_s
    assert received.packets[0].received_s <= time.monotonic()
