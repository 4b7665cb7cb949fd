# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From received messages to steps: images, events, unusable messages, alignment."""

import numpy as np
import pytest
from support.camera import coarse_image
from support.pipeline import SETTINGS, START_NS, CameraPath, worker_of

from mfs_seg_core.events.types import Events
from mfs_seg_core.streaming.event_stream import warm_up_decoders
from mfs_seg_ros.diagnostics.drops import (
    IMAGES_TOO_OLD,
    IMAGES_UNUSABLE,
    PACKETS_LATE,
    PACKETS_MISSING,
    PACKETS_UNUSABLE,
)


@pytest.fixture(scope='module', autouse=True)
def decoders():
    """Load the decoders: events that wait for it are a step of their own."""
    warm_up_decoders()


def steps_of(path: CameraPath, **changes):
    """Decode what was received; return the complete steps."""
    path.stream.receiver.receive({**SETTINGS, **changes})
    steps = []
    while step := path.stream.receiver.next_step():
        steps.append(step)
    return steps


def events_at(start_ms: float, count: int = 100) -> Events:
    """Return events of 10 ms."""
    rng = np.random.default_rng(round(start_ms))
    t = round(start_ms * 1e3) + np.arange(count) * 100
    return Events(t, rng.integers(0, 64, count, np.uint16), rng.integers(0, 48, count, np.uint16),
                  rng.random(count) < 0.5)


def test_a_step_carries_what_later_stages_need():
    path = CameraPath('both')
    path.put_events(events_at(0), 0, seq=1)
    path.put_events(events_at(10), 10, seq=2)
    path.put_image(coarse_image(3), 15)
    step, = steps_of(path)
    assert step.cause == 'image' and step.stamp_ns == START_NS + 15_000_000
    np.testing.assert_array_equal(step.image, coarse_image(3))
    assert (step.encoding, step.image_size) == ('rgb8', (48, 32))
    assert (step.window.start_us, step.window.end_us, step.window.size) == (0, 15_000, (64, 48))
    assert step.window.events.count == 150
    assert step.decode_s > 0 and step.received_s > 0


@pytest.mark.parametrize('pixels, sentence', [
    (np.zeros((4, 200, 3), np.uint8), 'the image is 200x4 pixels: send at least 8x8'),
])
def test_an_unusable_image_is_counted_and_logged_once(pixels, sentence):
    path = CameraPath()
    for ms in (0, 50):
        path.put_image(pixels, ms)
        assert steps_of(path) == []
    assert path.health.totals[IMAGES_UNUSABLE] == 2
    assert path.log.texts('error') == [f'unusable message: {sentence}']
    # In the next report period it is logged again.
    path.stream.receiver.report()
    path.put_image(pixels, 100)
    steps_of(path)
    assert len(path.log.texts('error')) == 2


def test_images_that_are_too_old_are_dropped():
    path = CameraPath()
    path.put_image(coarse_image(1), -1500)
    assert steps_of(path, max_age=1.0) == []
    assert path.health.totals[IMAGES_TOO_OLD] == 1
    path.put_image(coarse_image(1), -500)
    assert len(steps_of(path, max_age=1.0)) == 1


def test_missing_and_unusable_packets_are_counted():
    path = CameraPath('events')
    path.put_events(events_at(0), 0, seq=1)
    path.put_events(events_at(10), 10, seq=2, size=(0, 48))
    path.put_events(events_at(60), 60, seq=6)
    steps_of(path)
    totals = path.health.totals
    # Of 3, 4 and 5, and of the unusable 2, which is not missing.
    assert (totals[PACKETS_MISSING], totals[PACKETS_UNUSABLE]) == (3, 1)


def test_packets_dropped_here_are_not_missing():
    path = CameraPath('events', max_bytes=1)
    # Each packet is one byte here: the newest takes the place of those before.
    for seq in range(1, 5):
        path.put_events(events_at(10 * seq), 10 * seq, seq)
    steps_of(path)
    for seq in range(5, 8):
        path.put_events(events_at(10 * seq), 10 * seq, seq)
    steps_of(path)
    assert path.health.totals[PACKETS_MISSING] == 0


def test_a_sensor_outside_of_the_image_is_an_error_of_one_sentence(tmp_path):
    table = tmp_path / 'map.npy'
    np.save(table, np.full((48, 64, 2), 9999, np.float32))
    path = CameraPath('both', event_map=str(table))
    path.put_events(events_at(0), 0, seq=1)
    path.put_image(coarse_image(1), 9)
    assert steps_of(path) == []
    assert path.health.totals[IMAGES_UNUSABLE] == 1
    assert len(path.log.texts('error')) == 1


def test_clocks_that_differ_are_told():
    path = CameraPath('both')
    path.put_events(events_at(0), 0, seq=1)
    path.put_image(coarse_image(1), 7000)
    step, = steps_of(path)
    assert step.stamp_offset_s == pytest.approx(7, abs=0.1)
    assert 'stamp both by one clock' in path.log.texts('error')[0]


def test_a_restarted_event_camera_resets_the_state():
    path = CameraPath('events')
    worker = worker_of(path)
    path.put_events(events_at(0, 600), 0, seq=500)
    worker.process()
    path.put_events(events_at(0, 600), 60, seq=0)
    worker.process()
    assert len(path.outputs.masks) == 2
    assert path.log.texts('info') == [
        'the state returns to rest: the event camera restarted (seq 0 came after 500)']


def test_late_windows_are_one_step():
    path = CameraPath('events')
    path.put_events(events_at(0, 1720), 0, seq=1)
    step, = steps_of(path)
    # Three windows of 50 ms have passed; as at the start of a stream, the last one is taken.
    assert (step.window.start_us, step.window.end_us) == (100_000, 150_000)


def test_packets_out_of_order_are_dropped_and_counted():
    """Swapped packets neither reset the state nor count as missing."""
    path = CameraPath('events')
    worker = worker_of(path)
    for seq in (1, 0, 3, 2, 5, 4, 7, 6, 8, 9, 10, 11):
        path.put_events(events_at(10 * seq), 10 * seq, seq)
        worker.process()
    totals = path.health.totals
    assert (totals[PACKETS_LATE], totals[PACKETS_MISSING]) == (4, 0)
    assert path.log.texts('info') == path.log.texts('error') == []
    assert len(path.outputs.masks) == 2


def test_uncounted_packets_out_of_order_are_dropped_by_their_times():
    """As event arrays, which have no sequence numbers."""
    path = CameraPath('events')
    worker = worker_of(path)
    for index in (1, 0, 3, 2, 5, 4, 6, 7, 8, 9):
        path.put_events(events_at(20 * index, 200), 20 * index, 0)
        worker.process()
    assert path.health.totals[PACKETS_LATE] == 3
    assert path.log.texts('info') == []


def test_rejected_events_are_told_with_their_cause():
    path = CameraPath('events')
    wide = events_at(0, 2000)._replace(x=np.arange(2000, dtype=np.uint16) % 128)
    path.put_events(wide, 0, seq=1)
    steps_of(path)
    sentence = ('49% of the events were rejected, mainly outside the sensor (976 of 2,000): give '
                'the size of the sensor')
    assert path.log.texts('warn') == [sentence]
    path.health.arrived('image', 0.0)
    path.health.arrived('events', 0.0)
    level, message, _ = path.health.report(1.0)
    assert (level, message) == (1, sentence)
