# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The slot between the thread that receives and the thread that works."""

import threading

from mfs_seg_ros.latest import LatestSlot


def test_newest_wins_and_replaced_ones_are_counted():
    slot = LatestSlot()
    for item in range(4):
        slot.put(item)
    assert slot.take() == 3
    assert slot.dropped == 3
    slot.put(4)
    assert slot.take() == 4
    assert slot.dropped == 3


def test_taker_waits_for_an_item_and_for_the_end():
    slot = LatestSlot()
    taken = []
    arrived = threading.Event()

    def work():
        while (item := slot.take()) is not None:
            taken.append(item)
            arrived.set()

    worker = threading.Thread(target=work)
    worker.start()
    slot.put('one')
    assert arrived.wait(10.0)
    slot.close()
    worker.join(10.0)
    assert not worker.is_alive()
    assert taken == ['one']


def test_closed_slot_gives_nothing():
    slot = LatestSlot()
    slot.put('late')
    slot.close()
    assert slot.take() is None
