# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Status of the segmentation of a camera: level, message and values."""

import threading

import pytest

from mfs_seg_ros.diagnostics.drops import ADVICE, IMAGES_DROPPED, IMAGES_TOO_OLD, IMAGES_UNUSABLE
from mfs_seg_ros.diagnostics.health import RESETS, Health, Level, Limits


def health(kinds=('image',), levels=4, **limits) -> Health:
    return Health(kinds, levels, Limits(**limits), 100.0)


def serve(watched: Health, start_s: float, end_s: float, latency_s: float | None = 0.05,
          step_s: float = 0.1) -> None:
    """Report an image and its mask in every step."""
    for index in range(round((end_s - start_s) / step_s)):
        now_s = start_s + index * step_s
        watched.arrived('image', now_s)
        watched.answered(now_s + 0.05, latency_s, 0.03, 20.0)


def test_all_is_well():
    watched = health()
    for index in range(100):
        watched.arrived('image', 100 + index / 50)
        watched.answered(100 + index / 50, index / 1000, 0.03, 20.0 + index % 2)
    level, message, values = watched.report(102.0)
    assert (level, message) == (Level.OK, 'masks follow the input')
    assert values['image rate (Hz)'] == values['mask rate (Hz)'] == 50
    assert values['latency p50 (ms)'] == pytest.approx(49.5)
    assert values['latency p99 (ms)'] == pytest.approx(98.01)
    assert values['processing time p50 (ms)'] == 30 and values['model time p50 (ms)'] == 20.5
    assert values['images received'] == values['masks published'] == 100
    assert values['last reset'] == 'none' and values['energy a frame (mJ)'] is None
    assert all(values[f'lost: {cause}'] == 0 for cause in ADVICE)
    assert all(values[f'resets: {cause}'] == 0 for cause in RESETS)


def test_a_period_ends_with_its_report():
    watched = health()
    serve(watched, 100, 101)
    assert watched.report(101.0).values['image rate (Hz)'] == 10
    values = watched.report(102.0).values
    assert values['image rate (Hz)'] == values['mask rate (Hz)'] == 0
    assert values['latency p99 (ms)'] is values['model time p50 (ms)'] is None
    assert values['images received'] == 10


def test_two_reports_at_one_time_know_no_rate():
    watched = health()
    watched.report(101.0)
    assert watched.report(101.0).values['mask rate (Hz)'] is None


def test_late_masks_are_a_warning_and_then_an_error():
    watched = health(late_s=3.0)
    levels = []
    for second in range(100, 105):
        serve(watched, second, second + 1, latency_s=0.25)
        levels.append(watched.report(second + 1.0))
    assert [report.level for report in levels] == [1, 1, 2, 2, 2]
    assert levels[2].message.startswith(
        'masks are late for 3 s: latency p99 250 ms, max_latency 200 ms: ')
    serve(watched, 105, 106)
    assert watched.report(106.0).level == Level.OK
    # It has to last again.
    serve(watched, 106, 107, latency_s=0.25)
    assert watched.report(107.0).level == Level.WARN


def test_one_late_mask_of_many_is_no_fault():
    watched = health()
    serve(watched, 100, 119.9)
    watched.arrived('image', 119.9)
    watched.answered(119.95, 0.9, 0.03, 20.0)
    assert watched.report(120.0).level == Level.OK


def test_stamps_ahead_of_the_clock():
    watched = health()
    serve(watched, 100, 101, latency_s=-0.5)
    level, message, _ = watched.report(101.0)
    assert level == Level.WARN and message.startswith("stamps are 0.50 s ahead of this node's")


def test_masks_without_latency():
    watched = health()
    serve(watched, 100, 101, latency_s=None)
    report = watched.report(101.0)
    assert report.level == Level.OK and report.values['latency p99 (ms)'] is None


def test_a_camera_that_never_came_and_one_that_stopped():
    watched = health(silent_s=2.0)
    assert watched.report(101.9).level == Level.OK
    level, message, _ = watched.report(102.0)
    assert level == Level.WARN and message.startswith('no image received yet: ')
    serve(watched, 102, 103)
    assert watched.report(103.0).level == Level.OK
    level, message, _ = watched.report(106.0)
    assert level == Level.STALE and message.startswith('no image for 3.1 s: ')


def test_one_of_two_sensors_stopped():
    watched = health(('image', 'events'))
    serve(watched, 100, 101)
    watched.arrived('events', 100.5)
    serve(watched, 101, 104)
    level, message, values = watched.report(104.0)
    assert level == Level.WARN and message.startswith('no event packet for 3.5 s: ')
    assert values['event packet rate (Hz)'] == 0.25


def test_input_without_masks_is_an_error():
    watched = health()
    for second in range(100, 105):
        watched.arrived('image', second)
    level, message, _ = watched.report(104.5)
    assert level == Level.ERROR and message.startswith('input arrives, but no mask for 4.5 s: ')


def test_idle_is_no_fault_and_waiting_begins_after_it():
    watched = health(silent_s=2.0)
    idle = 'inactive: activate it by ros2 lifecycle set'
    assert watched.report(150.0, idle)[:2] == (Level.OK, idle)
    assert watched.report(151.9).level == Level.OK
    assert watched.report(152.0).level == Level.WARN


def test_losses_are_a_warning_once_and_counted_for_good():
    watched = health()
    serve(watched, 100, 101)
    watched.lost(IMAGES_TOO_OLD)
    watched.lost(IMAGES_DROPPED, 3)
    level, message, values = watched.report(101.0)
    assert level == Level.WARN
    assert message == ('lost since the last report: 3 images dropped for newer ones, '
                       '1 images too old: '
                       + ADVICE[IMAGES_DROPPED])
    assert values[f'lost: {IMAGES_DROPPED}'] == 3
    serve(watched, 101, 102)
    level, _, values = watched.report(102.0)
    assert level == Level.OK and values[f'lost: {IMAGES_DROPPED}'] == 3
    assert values[f'lost since the last report: {IMAGES_DROPPED}'] == 0


def test_other_causes_are_counted_too():
    watched = health()
    watched.lost('unknown word of the decoder', 2)
    watched.reset('weights changed', "weights are now 'camvid'")
    values = watched.report(101.0).values
    assert values['lost: unknown word of the decoder'] == 2
    assert values['resets: weights changed'] == 1
    assert values['last reset'] == "weights are now 'camvid'"


@pytest.mark.parametrize('brightness, looks', [(3, 'black'), (250, 'white'), (128, 'one grey')])
def test_a_covered_camera(brightness, looks):
    watched = health(alarm_steps=3)
    serve(watched, 100, 101)
    for _ in range(2):
        watched.exposed(brightness, 0.4)
    assert watched.report(101.0).level == Level.OK
    watched.exposed(brightness, 0.4)
    serve(watched, 101, 102)
    assert watched.report(102.0)[:2] == (
        Level.ERROR, f'the image is {looks} (contrast 0.4 of 255): camera covered, or exposure '
                     'wrong?')
    watched.exposed(90, 40)
    serve(watched, 102, 103)
    assert watched.report(103.0).level == Level.OK


def test_measurements_from_before_a_pause_do_not_count():
    watched = health(alarm_steps=3)
    for _ in range(2):
        watched.exposed(0, 0.4)
    watched.report(101.0, idle='not active')
    watched.exposed(0, 0.4)
    serve(watched, 101, 102)
    assert watched.report(102.0).level == Level.OK


@pytest.mark.parametrize('levels, rate, name', [
    (4, 0.0, 'silent'), (4, 3.9, 'saturated'), (1, 0.99, 'saturated'), (4, 0.99, None)])
def test_a_network_that_says_nothing(levels, rate, name):
    watched = health(levels=levels)
    serve(watched, 100, 101)
    watched.fired(rate)
    watched.spent(0.19)
    for _ in range(2):
        watched.fired(rate)
    level, message, values = watched.report(101.0)
    assert values['firing rate (spikes a neuron)'] == rate and values['energy a frame (mJ)'] == 0.19
    if name:
        assert level == Level.ERROR
        assert message.startswith(f'the network is {name} ({rate:.4f} spikes a neuron): ')
    else:
        assert level == Level.OK


def test_the_worst_is_said():
    watched = health()
    for _ in range(3):
        watched.exposed(0, 0)
    serve(watched, 100, 101, latency_s=0.5)
    watched.lost(IMAGES_UNUSABLE)
    level, message, _ = watched.report(101.0)
    assert level == Level.ERROR and message.startswith('the image is black')


def test_threads_lose_no_count():
    watched = health()

    def feed() -> None:
        for _ in range(2000):
            watched.arrived('image', 100.0)
            watched.lost(IMAGES_UNUSABLE)
            watched.answered(100.0, 0.01, 0.01, 1.0)

    threads = [threading.Thread(target=feed) for _ in range(4)]
    for thread in threads:
        thread.start()
    masks = 0.0
    now_s = 100.0
    while any(thread.is_alive() for thread in threads):
        now_s += 1
        masks += watched.report(now_s).values['mask rate (Hz)']
    values = watched.report(now_s + 1).values
    assert values['images received'] == values[f'lost: {IMAGES_UNUSABLE}'] == 8000
    assert masks + values['mask rate (Hz)'] == values['masks published'] == 8000


def test_before_anything_came_nothing_follows():
    watched = health(('image', 'events'))
    assert watched.report(101.0)[:2] == (
        Level.OK, 'waiting for the first image and the first event packet')
    watched.arrived('image', 101.5)
    assert watched.report(101.6)[:2] == (Level.OK, 'waiting for the first event packet')
    watched.arrived('events', 101.7)
    assert watched.report(101.8)[:2] == (Level.OK, 'waiting for the first mask')
    watched.answered(101.9, 0.05, 0.03, 20.0)
    assert watched.report(102.0)[:2] == (Level.OK, 'masks follow the input')
    # Nor after another activation.
    watched.start(102.0)
    assert watched.report(102.5).message == 'waiting for the first image and the first event packet'


def test_a_driver_that_starts_late_owes_masks_from_then_on():
    watched = health()
    assert watched.report(110.0).level == Level.WARN
    watched.arrived('image', 110.9)
    assert watched.report(111.0)[:2] == (Level.OK, 'waiting for the first mask')
    for second in (111, 112, 113):
        watched.arrived('image', second)
    level, message, _ = watched.report(113.0)
    assert level == Level.ERROR and message.startswith('input arrives, but no mask for 2.1 s: ')


def test_a_driver_that_comes_back_owes_masks_from_then_on():
    watched = health()
    serve(watched, 100, 101)
    # The last image before the outage got no mask.
    watched.arrived('image', 101.0)
    assert watched.report(160.0).level == Level.STALE
    watched.arrived('image', 160.5)
    assert watched.report(161.0).level == Level.OK
    for index in range(20):
        watched.arrived('image', 161 + index / 10)
    assert watched.report(163.0).message.startswith('input arrives, but no mask for 2.5 s: ')


def test_masks_are_due_for_messages_that_complete_a_step():
    """Events alone complete none where images do."""
    watched = Health(('image', 'events'), 4, Limits(), 100.0, ['image'])
    for index in range(50):
        watched.arrived('events', 100 + index / 10)
    level, message, _ = watched.report(105.0)
    assert level == Level.WARN and message.startswith('no image received yet: ')


def test_lateness_does_not_last_through_an_outage():
    watched = health(late_s=3.0)
    serve(watched, 100, 101, latency_s=0.5)
    assert watched.report(101.0).level == Level.WARN
    watched.report(130.0)
    serve(watched, 130, 131, latency_s=0.5)
    level, message, _ = watched.report(131.0)
    assert level == Level.WARN and message.startswith('masks are late for 1 s: ')


def test_latencies_before_a_jump_of_the_clock_are_forgotten():
    watched = health()
    serve(watched, 100, 101, latency_s=50.0)
    watched.clock_jumped()
    serve(watched, 101, 102)
    level, _, values = watched.report(102.0)
    assert level == Level.OK and values['latency p99 (ms)'] == pytest.approx(50)


def test_rejected_events_are_a_warning_until_they_end():
    watched = health(('events',))
    watched.arrived('events', 100.0)
    watched.rejected('40% of the events were rejected')
    assert watched.report(101.0)[:2] == (Level.WARN, '40% of the events were rejected')
    watched.rejected('')
    assert watched.report(101.5).level == Level.OK
