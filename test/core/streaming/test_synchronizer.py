# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Assignment of images and events to steps."""

import numpy as np
import pytest

from mfs_seg_core.events.types import Events
from mfs_seg_core.streaming.sensor_clock import SensorClock
from mfs_seg_core.streaming.synchronizer import DecodedImage, DecodedPacket, Synchronizer

IMAGE = np.zeros((4, 6, 3), np.uint8)
# ROS time at the sensor's time 0.
EPOCH_NS = 1_700_000_000_000_000_000
WAIT_S = 0.02


def ros_ns(us: int) -> int:
    return EPOCH_NS + us * 1000


def events(start_us: int, end_us: int, step_us: int = 1000) -> Events:
    """Return an event each millisecond of a time."""
    t = np.arange(start_us, end_us, step_us, dtype=np.int64)
    return Events(t, (t % 7).astype(np.uint16), (t % 5).astype(np.uint16), t % 2 == 0)


class World:
    """Sends packets of 10 ms and images to the synchronizer of one trigger, and keeps its steps."""

    def __init__(self, trigger: str, max_gap_s: float = 1.0) -> None:
        self.steps = Synchronizer(trigger, 0.05, WAIT_S, max_gap_s)
        self.clock = SensorClock()
        self.made = []
        self.now_s = 100.0

    def packets(self, start_us: int, end_us: int) -> None:
        for us in range(start_us, end_us, 10_000):
            self.clock.update(us, ros_ns(us))
            self.packet(events(us, us + 10_000), us)

    def packet(self, made: Events, us: int, **changes) -> None:
        self.steps.add_events(DecodedPacket(
            made, f'packet {us}', (7, 5), self.clock, self.now_s, **changes))
        self.take()

    def image(self, us: int) -> None:
        self.steps.add_image(DecodedImage(IMAGE, f'image {us}', ros_ns(us), 'rgb8', self.now_s))
        self.take()

    def take(self) -> None:
        while step := self.steps.take(self.now_s):
            window = step.window
            assert window is None or ((window.start_us <= window.events.t)
                                      & (window.events.t < window.end_us)).all()
            self.made.append(step)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.take()

    @property
    def windows(self):
        """Header, start and end in milliseconds, and number of events (one each millisecond)."""
        return [(step.header, step.window.start_us / 1000, step.window.end_us / 1000,
                 step.window.events.count) if step.window else (step.header, 0, 0, None)
                for step in self.made]


@pytest.mark.parametrize('trigger', ['events', 'both'])
def test_what_is_left_when_events_end_is_a_step(trigger):
    world = World(trigger)
    world.packets(0, 80_000)
    assert world.steps.wait_s(world.now_s) == 1.0
    world.wait(0.99)
    assert world.windows == [('packet 50000', 0, 50, 50)]
    world.wait(0.02)
    assert world.windows[1:] == [('packet 70000', 50, 79.001, 30)]
    assert world.steps.wait_s(world.now_s) is None
    world.wait(5.0)
    assert len(world.made) == 2


def test_where_images_make_steps_the_end_of_events_makes_none():
    world = World('image')
    world.packets(0, 80_000)
    assert world.steps.wait_s(world.now_s) is None
    world.wait(5.0)
    assert not world.made


def test_an_image_takes_the_events_up_to_its_stamp():
    world = World('image')
    world.packets(0, 100_000)
    world.image(60_000)
    world.packets(100_000, 200_000)
    world.image(100_500)
    world.image(160_000)
    assert world.windows == [
        # The first takes one window, as the network has learnt.
        ('image 60000', 10, 60, 50), ('image 100500', 60, 100.5, 41),
        ('image 160000', 100.5, 160, 59)]
    assert [step.cause for step in world.made] == ['image'] * 3
    assert [step.stamp_ns for step in world.made] == [ros_ns(t) for t in (60_000, 100_500, 160_000)]
    assert all(step.image is IMAGE for step in world.made)


def test_an_image_waits_for_its_events():
    world = World('image')
    world.packets(0, 50_000)
    world.image(50_000)
    assert world.windows == [('image 50000', 0, 50, 50)]
    world.image(100_000)
    assert len(world.made) == 1
    assert world.steps.wait_s(world.now_s) == pytest.approx(WAIT_S)
    world.packets(50_000, 90_000)
    assert len(world.made) == 1
    world.packets(90_000, 100_000)
    assert world.windows[1] == ('image 100000', 50, 100, 50)
    assert world.steps.wait_s(world.now_s) is None


def test_an_image_does_not_wait_for_long():
    world = World('image')
    world.packets(0, 50_000)
    world.image(50_000)
    world.packets(50_000, 70_000)
    world.image(100_000)
    world.wait(WAIT_S / 2)
    assert len(world.made) == 1
    world.wait(WAIT_S / 2)
    # Late events are of the next step.
    world.packets(70_000, 160_000)
    world.image(150_000)
    assert world.windows[1:] == [
        ('image 100000', 50, 69.001, 20), ('image 150000', 69.001, 150, 80)]


def test_a_newer_image_ends_the_waiting():
    world = World('image')
    world.packets(0, 10_000)
    world.image(100_000)
    world.image(110_000)
    assert [header for header, *_ in world.windows] == ['image 100000']
    world.wait(WAIT_S)
    assert [header for header, *_ in world.windows] == ['image 100000', 'image 110000']


def test_an_image_waits_for_no_sensor_that_is_not_there():
    world = World('image')
    world.image(0)
    assert world.windows == [('image 0', 0, 0, None)]
    world.packets(0, 100_000)
    world.image(100_000)
    # Nothing was received for more than max_gap.
    world.image(1_200_000)
    assert world.windows[2:] == [('image 1200000', 0, 0, None)]


def test_without_images_nothing_piles_up():
    world = World('image')
    world.packets(0, 5_000_000)
    assert not world.made
    assert sum(part.count for part in world.steps._pending) <= 1020
    world.image(5_000_000)
    assert world.windows == [('image 5000000', 4950, 5000, 50)]


def test_an_image_older_than_the_events_has_none():
    world = World('image')
    world.packets(0, 200_000)
    world.image(100_000)
    world.image(90_000)
    world.image(150_000)
    assert [count for *_, count in world.windows] == [50, None, 50]


def test_windows_of_events_are_steps():
    world = World('events')
    world.packets(3000, 103_000)
    world.image(110_000)
    world.image(120_000)
    world.packets(103_000, 223_000)
    # The packet that shows the window to be complete completes it.
    assert world.windows == [
        ('packet 53000', 3, 53, 50), ('packet 103000', 53, 103, 50),
        ('packet 153000', 103, 153, 50), ('packet 203000', 153, 203, 50)]
    assert [step.image is IMAGE for step in world.made] == [False, True, False, False]
    assert [step.stamp_ns for step in world.made] == [
        ros_ns(t) for t in (53_000, 103_000, 153_000, 203_000)]
    assert {step.cause for step in world.made} == {'events'}


def test_windows_that_are_complete_together_are_one_step():
    world = World('events')
    world.clock.update(0, ros_ns(0))
    world.packet(events(0, 170_000), 0)
    assert world.windows == [('packet 0', 100, 150, 50)]
    world.packet(events(170_000, 310_000), 170_000)
    assert world.windows[1:] == [('packet 170000', 150, 300, 150)]


def test_a_pause_is_no_part_of_a_window():
    world = World('events')
    world.packets(0, 110_000)
    world.packets(5_000_000, 5_120_000)
    assert world.windows == [
        ('packet 50000', 0, 50, 50), ('packet 100000', 50, 100, 50),
        ('packet 5000000', 4950, 5000, 0), ('packet 5050000', 5000, 5050, 50),
        ('packet 5100000', 5050, 5100, 50)]


def test_both_with_a_quick_camera_are_steps_of_the_camera():
    world = World('both')
    for us in range(0, 400_000, 50_000):
        world.packets(us, us + 50_000)
        # The image comes later than the events after it.
        world.packets(us + 50_000, us + 70_000) if us == 100_000 else None
        world.image(us + 50_000)
    assert {step.cause for step in world.made} == {'image'}
    assert [step.stamp_ns for step in world.made] == [
        ros_ns(us) for us in range(50_000, 450_000, 50_000)]


def test_both_go_on_without_the_camera():
    world = World('both')
    world.packets(0, 50_000)
    world.image(50_000)
    world.packets(50_000, 1_300_000)
    outage = world.made[1:]
    assert {step.cause for step in outage} == {'events'}
    assert {step.window.end_us - step.window.start_us for step in outage} == {50_000}
    # As long as the camera may come back, half a window late; later at once.
    assert outage[0].header == 'packet 120000'
    assert (outage[0].window.end_us, outage[-1].window.end_us) == (100_000, 1_250_000)
    assert outage[-1].header == 'packet 1250000'
    world.image(1_300_000)
    world.packets(1_300_000, 1_360_000)
    world.image(1_350_000)
    assert [step.cause for step in world.made[-2:]] == ['image', 'image']


def test_both_with_a_slow_camera_fill_in():
    world = World('both')
    for us in range(0, 500_000, 100_000):
        world.packets(us, us + 100_000)
        world.image(us + 100_000)
    # The first window is before any image.
    assert [(step.cause, step.window.end_us) for step in world.made] == [
        ('events', 50_000), ('image', 100_000), ('events', 150_000), ('image', 200_000),
        ('events', 250_000), ('image', 300_000), ('events', 350_000), ('image', 400_000),
        ('events', 450_000), ('image', 500_000)]
    assert {step.window.end_us - step.window.start_us for step in world.made} == {50_000}


def test_both_with_images_only():
    world = World('both')
    for us in (0, 50_000, 100_000):
        world.image(us)
    assert world.windows == [(f'image {us}', 0, 0, None) for us in (0, 50_000, 100_000)]


def test_a_restart_forgets_the_events_before():
    world = World('both')
    world.packets(500_000, 540_000)
    world.clock = SensorClock()
    world.clock.update(0, ros_ns(0))
    world.packet(events(0, 10_000), 0, restarts=True)
    world.packets(10_000, 60_000)
    assert world.windows == [('packet 50000', 0, 50, 50)]


def test_events_a_little_out_of_order_stay_in_the_windows():
    world = World('events')
    disordered = events(0, 60_000, 10)
    disordered.t[4998:5004] = [50_004, 49_990, 50_003, 49_980, 50_020, 49_999]
    world.clock.update(0, ros_ns(0))
    world.packet(disordered, 0)
    world.packet(events(60_000, 110_000, 10), 60_000)
    assert [(start, end) for _, start, end, _ in world.windows] == [(0, 50), (50, 100)]
    assert sum(count for *_, count in world.windows) == 10_000


def test_empty_packets_change_nothing():
    world = World('both')
    world.packet(events(0, 0), 0)
    world.image(0)
    assert world.windows == [('image 0', 0, 0, None)]


def test_decoding_time_is_that_of_the_events_since_the_step_before():
    world = World('image')
    world.clock.update(0, ros_ns(0))
    for us in (0, 10_000):
        world.packet(events(us, us + 10_000), us, decode_s=0.25)
    world.image(20_000)
    world.packet(events(20_000, 30_000), 20_000, decode_s=0.125)
    world.image(30_000)
    assert [step.decode_s for step in world.made] == [0.5, 0.125]
    assert [step.received_s for step in world.made] == [100.0, 100.0]
    assert world.made[0].image_size == (6, 4)
