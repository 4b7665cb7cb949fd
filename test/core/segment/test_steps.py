# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Assignment of the images, labels and events of a recording to steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.event_trees import random_events

from mfs_seg_core.segment.steps import START_NS, steps_of
from mfs_seg_core.sources.items import EventBatch, Frame, RecordedHeader, due_s
from mfs_seg_core.sources.packetize import batches

IMAGE, LABEL = np.zeros((6, 8, 3), np.uint8), np.zeros((6, 8), np.uint8)
SIZE = 32, 24


def steps(items, sensors):
    return list(steps_of(items, sensors, 0.05, 1.0))


def resets(found) -> dict[int, str]:
    """Return the causes of resets by the index of the step."""
    return {index: step.header.check.reset.cause for index, step in enumerate(found)
            if step.header.check.reset}


def events(duration_us: int = 400_000) -> list[EventBatch]:
    return list(batches(random_events(20_000, duration_us, SIZE), *SIZE, 5000))


def interleaved(frames: list[Frame], late_s: float = 0.0) -> list:
    """Return events and frames, which come earlier than the events of their time."""
    return sorted([*events(), *frames], key=lambda item: due_s(item) - late_s * isinstance(
        item, Frame))


def test_images_keep_the_headers_of_their_messages():
    header = RecordedHeader(5, 'front', 9)
    with_message, without = steps([Frame(IMAGE, LABEL, 0.0, recorded=header),
                                   Frame(IMAGE, None, 0.1, 0.02, 'name')], 'camera')
    assert (with_message.header.stamp_ns, with_message.header.frame_id,
            with_message.header.log_ns) == (5, 'front', 9)
    assert with_message.header.label is LABEL
    assert without.header.stamp_ns == without.stamp_ns == START_NS + 100_000_000
    assert without.header.log_ns == START_NS + 120_000_000
    assert without.header.name == 'name' and without.window is None


@pytest.mark.parametrize('late_s', [0.0, 0.03])
def test_an_image_waits_for_the_events_up_to_its_stamp(late_s):
    frames = [Frame(IMAGE, None, 0.1 + 0.05 * index) for index in range(5)]
    found = steps(interleaved(frames, late_s), 'fusion')
    assert [step.header.stamp_ns - START_NS for step in found] == [
        round(frame.time_s * 1e9) for frame in frames]
    ends = [step.window.end_us for step in found]
    assert np.diff(ends).tolist() == [50_000] * 4
    assert all((step.window.events.t < step.window.end_us).all() for step in found)
    assert all(step.window.start_us == end for step, end in zip(found[1:], ends))
    # 50 ms of 20,000 events in 0.4 s.
    assert all(abs(step.window.events.count - 2500) < 250 for step in found[1:])


def test_each_window_of_events_has_the_label_near_its_end():
    labels = [Frame(None, np.full_like(LABEL, index), 0.05 * index) for index in range(1, 8)]
    found = steps(interleaved(labels), 'events')
    assert len(found) == 8
    assert [step.header.label[0, 0] for step in found[:7]] == list(range(1, 8))
    assert all(step.image is None and step.cause == 'events' for step in found)
    stamps = [step.header.stamp_ns for step in found]
    assert np.diff(stamps[:-1]).tolist() == [50_000_000] * 6


def test_labels_far_from_the_end_of_a_window_are_left_out():
    label = Frame(None, LABEL, 0.125)
    assert all(step.header.label is None for step in steps(interleaved([label]), 'events'))


def test_a_sensor_whose_time_goes_back_restarts_the_stream():
    found = steps([*events(), *events()], 'events')
    stamps = [step.header.stamp_ns for step in found]
    backwards = [index + 1 for index in np.flatnonzero(np.diff(stamps) < 0)]
    assert resets(found) == {backwards[0]: 'time went back'}
    assert len(backwards) == 1


@pytest.mark.parametrize('back, width, cause', [
    (100, SIZE[0], 'sensor restarted'), (0, 64, 'encoding changed')])
def test_another_stream_of_packets_resets_the_state(back, width, cause):
    packets = events()
    begin = len(packets) // 2
    packets = [replace(packet, seq=100 + index) if index < begin else
               replace(packet, seq=100 + index - back, width=width)
               for index, packet in enumerate(packets)]
    found = steps(packets, 'events')
    index, = resets(found)
    assert resets(found)[index] == cause
    assert abs(found[index].stamp_ns - START_NS - packets[begin].time_s * 1e9) <= 50_000_000


def test_a_pause_resets_the_state_and_others_leak():
    found = steps([Frame(IMAGE, None, time_s) for time_s in (0.0, 0.1, 0.3, 2.0)], 'camera')
    assert resets(found) == {3: 'gap'}
    assert [step.header.check.elapsed_s for step in found] == [
        None, pytest.approx(0.1), pytest.approx(0.2), None]
