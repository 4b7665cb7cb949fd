# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a stream of steps, or of event packets, does not continue."""

import numpy as np
import pytest

from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.streaming.arrival_order import Arrival
from mfs_seg_core.streaming.continuity import Continuity, PacketCheck, Reset, StepCheck
from mfs_seg_core.streaming.step import Step

SECOND = 1_000_000_000
SIZE = (180, 240)


def step(stamp_s: float, size=SIZE, cause='image', encoding='rgb8') -> Step:
    """Return a step; without a size it has no image."""
    image = None if size is None else np.zeros((*size, 3), np.uint8)
    return Step(cause, None, round(stamp_s * SECOND), image=image,
                encoding=encoding if size else '')


def run(continuity: Continuity, made: Step) -> StepCheck:
    """Check a step, and record that it ran."""
    check = continuity.check(made)
    continuity.accept(made, check)
    return check


@pytest.mark.parametrize('stamp_s, size, encoding, reset', [
    (10.0, SIZE, 'rgb8', None),
    (11.0, SIZE, 'rgb8', None),
    (11.001, SIZE, 'rgb8', Reset('gap', 'no image for 1.001 s (max_gap is 1 s)')),
    (9.0, SIZE, 'rgb8', Reset('time went back', 'the stamp went back by 1.000 s')),
    (10.5, (240, 180), 'rgb8',
     Reset('size changed', 'the size changed from 240x180 to 180x240')),
    (10.5, SIZE, 'bgr8',
     Reset('encoding changed', "the encoding changed from 'rgb8' to 'bgr8'")),
])
def test_steps(stamp_s, size, encoding, reset):
    continuity = Continuity(1.0)
    assert run(continuity, step(10.0)) == StepCheck(None, None)
    next_step = step(stamp_s, size, encoding=encoding)
    # A camera that never sets its stamps tells nothing of time.
    elapsed_s = None if reset or stamp_s == 10.0 else stamp_s - 10.0
    assert run(continuity, next_step) == StepCheck(reset, elapsed_s)
    # The step after a reset continues the new stream.
    assert run(continuity, step(stamp_s + 0.5, size, encoding=encoding)).reset is None


def test_a_check_alone_changes_nothing():
    """A step that the network refused leaves no trace: the leak counts from the last that ran."""
    continuity = Continuity(1.0)
    run(continuity, step(10.0))
    for refused in (step(10.1), step(9.0), step(10.2, (240, 180)), step(30.0)):
        continuity.check(refused)
    check = continuity.check(step(10.3))
    assert check.reset is None and check.elapsed_s == pytest.approx(0.3)


def test_images_and_events_are_one_stream():
    continuity = Continuity(1.0)
    for stamp_s, size, cause, elapsed_s in (
        (10.0, SIZE, 'image', None), (10.5, None, 'events', 0.5), (11.25, None, 'events', 0.75),
        (12.0, SIZE, 'image', 0.75),
        # An image that is older than the events before it does not go back.
        (12.5, None, 'events', 0.5), (12.25, SIZE, 'image', 0.0),
    ):
        assert run(continuity, step(stamp_s, size, cause)) == StepCheck(None, elapsed_s)
    assert run(continuity, step(14.0, None, 'events')).reset.reason == (
        'no events for 1.750 s (max_gap is 1 s)')
    assert run(continuity, step(12.0, None, 'events')).reset.reason == (
        'the stamp went back by 2.000 s')
    # The size is that of the last image.
    assert run(continuity, step(12.5, (240, 180))).reset.reason == (
        'the size changed from 240x180 to 180x240')


def test_sensors_that_go_back_one_after_the_other_are_one_reset():
    continuity = Continuity(1.0)
    for stamp_s, size, cause in ((10.0, SIZE, 'image'), (10.1, None, 'events')):
        run(continuity, step(stamp_s, size, cause))
    assert run(continuity, step(5.0)).reset.cause == 'time went back'
    assert run(continuity, step(5.1, None, 'events')).reset is None


def test_a_request_resets_the_next_step_that_runs():
    continuity = Continuity(1.0)
    run(continuity, step(10.0))
    continuity.request_reset('requested', 'somebody asked')
    # A step that was refused does not use the request up.
    assert continuity.check(step(10.1)).reset == Reset('requested', 'somebody asked')
    assert run(continuity, step(10.2)).reset == Reset('requested', 'somebody asked')
    assert run(continuity, step(10.3)).reset is None


def test_a_request_during_a_step_is_for_the_next_one():
    continuity = Continuity(1.0)
    run(continuity, step(10.0))
    continuity.request_reset('requested', 'first')
    made = step(10.1)
    check = continuity.check(made)
    continuity.request_reset('clock jumped', 'second')
    continuity.accept(made, check)
    assert run(continuity, step(10.2)).reset == Reset('clock jumped', 'second')


def packet(seq: int, encoding='evt3', width=64, stamp_ns: int = 0) -> EventPacket:
    return EventPacket(stamp_ns, width, 48, seq, 0, encoding, memoryview(b''))


def follow(continuity: Continuity, made: EventPacket) -> PacketCheck:
    """Check a packet, and record that it is decoded."""
    check = continuity.check_packet(made)
    continuity.accept_packet(made, check)
    return check


def test_packets():
    continuity = Continuity(1.0)
    assert follow(continuity, packet(7)) == PacketCheck(starts=True)
    assert follow(continuity, packet(8)) == PacketCheck(starts=False)
    assert follow(continuity, packet(12)) == PacketCheck(starts=False, missing=3)
    check = follow(continuity, packet(5))
    assert check.starts and check.reset == Reset(
        'sensor restarted', 'the event camera restarted (seq 5 came after 12)')
    check = follow(continuity, packet(6, width=128))
    assert check.starts and check.reset.reason == (
        'the events changed from evt3 of 64x48 to evt3 of 128x48')
    # The reset is due before the next step, once.
    assert run(continuity, step(10.0, None, 'events')).reset == check.reset
    assert run(continuity, step(10.1, None, 'events')).reset is None


def test_an_unusable_packet_resets_nothing():
    continuity = Continuity(1.0)
    follow(continuity, packet(1))
    assert continuity.check_packet(packet(2, encoding='evt9')).reset
    assert follow(continuity, packet(2)) == PacketCheck(starts=False)
    assert continuity.check(step(10.0, None, 'events')).reset is None


def test_publishers_without_a_count_miss_nothing():
    continuity = Continuity(1.0)
    follow(continuity, packet(0))
    for _ in range(3):
        assert follow(continuity, packet(0)) == PacketCheck(starts=False)


def test_event_times():
    continuity = Continuity(1.0)
    follow(continuity, packet(0))
    assert continuity.accept_event_times(5_000_000, 5_010_000) is Arrival.IN_ORDER
    # Sensors mix up the order by microseconds.
    assert continuity.accept_event_times(5_009_000, 5_020_000) is Arrival.IN_ORDER
    # An array that was overtaken.
    assert continuity.accept_event_times(4_990_000, 5_000_000) is Arrival.LATE
    assert run(continuity, step(9.0, None, 'events')).reset is None
    assert continuity.accept_event_times(2_000_000, 2_010_000) is Arrival.BACK
    assert continuity.accept_event_times(2_010_000, 2_020_000) is Arrival.IN_ORDER
    assert run(continuity, step(10.0, None, 'events')).reset == Reset(
        'time went back', "the event camera's time went back by 3.020 s")
    # A clock of the sensor that was set: the packet itself is stamped later.
    assert continuity.accept_event_times(2_100_000, 2_110_000, 7 * SECOND) is Arrival.IN_ORDER
    assert continuity.accept_event_times(2_000_000, 2_010_000, 6 * SECOND) is Arrival.LATE
    assert continuity.accept_event_times(2_000_000, 2_010_000, 8 * SECOND) is Arrival.BACK
    # Another stream of packets has another time.
    follow(continuity, packet(0, encoding='evt2'))
    assert continuity.accept_event_times(0, 10) is Arrival.IN_ORDER


def test_packets_the_wrong_way_round_reset_nothing():
    continuity = Continuity(1.0)
    checks = {seq: follow(continuity, packet(seq)) for seq in (2, 1, 4, 3, 9, 7, 8, 10)}
    assert {seq for seq, check in checks.items() if check.late} == {1, 3, 7, 8}
    # The one before the first was not counted; the others are no longer missing.
    assert {seq: check.missing for seq, check in checks.items()} == {
        2: 0, 1: 0, 4: 1, 3: -1, 9: 4, 7: -1, 8: -1, 10: 0}
    assert {seq for seq, check in checks.items() if check.starts} == {2}
    assert run(continuity, step(10.0, None, 'events')).reset is None
    # One that was there already is of a publisher that counts again.
    assert follow(continuity, packet(9)).reset.cause == 'sensor restarted'


def test_a_missing_number_that_is_stamped_later_is_of_a_publisher_that_counts_again():
    continuity = Continuity(1.0)
    for seq, stamp_ns in ((0, 1), (5, 3)):
        follow(continuity, packet(seq, stamp_ns=stamp_ns))
    assert continuity.check_packet(packet(1, stamp_ns=2)).late
    assert continuity.check_packet(packet(1, stamp_ns=4)).reset.cause == 'sensor restarted'


def test_images_the_wrong_way_round_are_late():
    continuity = Continuity(1.0)
    late = [stamp for stamp in (2, 1, 4, 3, 6, 5) if continuity.is_late(stamp * SECOND // 30)]
    assert late == [1, 3, 5]
    # Not one that is far behind: there the stream went back.
    assert not continuity.is_late(-SECOND)
    assert not continuity.is_late(-SECOND + 1)
