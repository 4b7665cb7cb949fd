# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures and images that the recorder makes from packets of events."""

from array import array

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from rclpy.serialization import serialize_message
from rclpy.time import Time

from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.types import Events
from mfs_seg_ros.recording.events import EventRecord

EPOCH_NS = 1_700_000_000_000_000_000
WIDTH, HEIGHT = 60, 40
RED, GREY = (220, 30, 30), (128, 128, 128)


def packet(start_us: int, stop_us: int, row: int = 3, **fields) -> bytes:
    """Serialise an event each 100 us, brighter, one pixel further each millisecond."""
    t = np.arange(start_us, stop_us, 100, dtype=np.int64)
    x = (t // 1000 % WIDTH).astype(np.uint16)
    data = encode_evt3(Events(t, x, np.full_like(x, row), np.ones(len(t), bool)))
    message = EventPacket(**{'width': WIDTH, 'height': HEIGHT, 'encoding': 'evt3',
                             'events': array('B', data), **fields})
    message.header.stamp = Time(nanoseconds=EPOCH_NS + start_us * 1000).to_msg()
    return serialize_message(message)


@pytest.fixture
def seen() -> EventRecord:
    return EventRecord(0.05, HEIGHT)


def test_events_and_windows_are_counted(seen):
    for index in range(12):
        seen.add(packet(index * 10_000, (index + 1) * 10_000, seq=index))
    figures = seen.figures()
    assert figures['events_received'] == 1200
    assert figures['event_rate_mev_s'] == pytest.approx(0.01, rel=0.01)
    assert figures['event_windows'] == 2
    # A pause is one step, however long.
    seen.add(packet(400_000, 410_000, seq=12))
    assert seen.figures()['event_windows'] == 3


def test_time_that_goes_back_is_another_stream(seen):
    seen.add(packet(500_000, 530_000, seq=0))
    seen.add(packet(0, 30_000, seq=1))
    seen.add(packet(30_000, 60_000, seq=2))
    figures = seen.figures()
    assert (figures['events_received'], figures['event_windows']) == (900, 1)
    assert figures['event_rate_mev_s'] == pytest.approx(0.01, rel=0.01)


def test_what_cannot_be_decoded_is_left_out(seen):
    seen.add(b'nothing')
    seen.add(packet(0, 10_000, encoding='evt9'))
    assert seen.draw(EPOCH_NS) is None
    assert seen.figures() == {
        'events_received': 0, 'event_rate_mev_s': None, 'event_windows': 0, 'events_rejected': ''}


def test_rejected_events_are_described(seen):
    for index in range(12):
        seen.add(packet(index * 10_000, (index + 1) * 10_000, seq=index, width=WIDTH // 2))
    figures = seen.figures()
    assert figures['events_received'] == 600
    assert figures['events_rejected'].startswith(
        '50% of the events were rejected, mainly outside the sensor (600 of 1,200)')


def test_a_picture_shows_the_window_before_its_stamp(seen):
    for index in range(10):
        seen.add(packet(index * 10_000, (index + 1) * 10_000, seq=index))
    image = seen.draw(EPOCH_NS + 80_000_000)
    assert image.shape == (HEIGHT, WIDTH, 3)
    columns = (image[3] == RED).all(1)
    # 30 to 80 ms, in columns of a millisecond that start again after 60.
    assert np.flatnonzero(columns).tolist() == [*range(20), *range(30, 60)]
    assert (np.delete(image, 3, 0) == GREY).all()


def test_a_large_sensor_has_a_smaller_picture():
    seen = EventRecord(0.05, HEIGHT // 2)
    seen.add(packet(0, 10_000, row=20))
    image = seen.draw(EPOCH_NS + 10_000_000)
    assert image.shape == (HEIGHT // 2, WIDTH // 2, 3)
    assert np.flatnonzero((image == RED).all(2).any(1)).tolist() == [10]
