# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of one event camera, decoded in their order; no ROS runs."""

import sys

import numpy as np
import pytest
from support.event_arrays import STAMP_NS, serialise

from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.events.types import Events
from mfs_seg_ros.messages.events import event_message, read_array
from mfs_seg_ros.messages.image_encoding import MessageError
from mfs_seg_ros.node.parameters import ParameterError
from mfs_seg_ros.pipeline.event_map import EventMap
from mfs_seg_ros.pipeline.event_stream import EventStream

START_NS = 1_700_000_000_000_000_000


def some_events(start_us: int, count: int = 50, width: int = 64, height: int = 48) -> Events:
    """Return events 100 us apart, all over the sensor."""
    rng = np.random.default_rng(start_us)
    return Events(start_us + 100 * np.arange(count), rng.integers(0, width, count, np.uint16),
                  rng.integers(0, height, count, np.uint16), rng.random(count) < 0.5)


def packet(events: Events, stamp_us: int, seq: int, **changes) -> EventPacket:
    """Return an EVT3 packet of a 64x48 sensor, stamped so long after the start."""
    fields = dict(stamp_ns=START_NS + 1000 * stamp_us, width=64, height=48, seq=seq,
                  time_base_ns=0, encoding='evt3', payload=encode_evt3(events))
    return EventPacket(**{**fields, **changes})


@pytest.fixture
def stream():
    return EventStream(EventMap([0.0] * 9, ''))


def test_packets_are_decoded_and_timed(stream):
    for index in range(3):
        sent = some_events(1000 + 10_000 * index)
        events, broken = stream.decode(packet(sent, 10_000 * index, seq=7 + index))
        assert broken is None
        for got, expected in zip(events, sent):
            np.testing.assert_array_equal(got, expected)
    assert stream.size == (64, 48)
    assert (stream.lost, stream.faults) == (0, {})
    assert stream.clock.to_ros_ns(1000) == START_NS


def test_missing_packets_are_counted_and_the_decoder_is_told(stream, monkeypatch):
    stream.decode(packet(some_events(0), 0, seq=1))
    told = []
    monkeypatch.setattr(stream._decoder, 'report_gap', lambda: told.append(1))
    stream.decode(packet(some_events(10_000), 10_000, seq=2))
    assert (stream.lost, len(told)) == (0, 0)
    stream.decode(packet(some_events(50_000), 50_000, seq=6))
    assert (stream.lost, len(told)) == (3, 1)
    # What was dropped here was not lost before.
    stream.skip(2)
    assert (stream.lost, len(told)) == (3, 2)
    stream.decode(packet(some_events(100_000), 100_000, seq=10))
    assert (stream.lost, len(told)) == (4, 3)


def test_streams_without_a_count_lose_nothing(stream):
    for index in range(3):
        assert stream.decode(packet(some_events(10_000 * index), 10_000 * index, 0))[1] is None
    assert stream.lost == 0


def test_a_publisher_that_starts_again_begins_a_stream(stream):
    stream.decode(packet(some_events(16_000_000), 0, seq=500))
    # Without a new decoder the time would have wrapped.
    events, broken = stream.decode(packet(some_events(100), 20_000, seq=0))
    assert broken.reason == 'the event camera began anew (seq 0 came after 500)'
    assert events.t[0] == 100
    assert stream.lost == 0
    assert stream.clock.to_ros_ns(100) == START_NS + 20_000_000


def test_a_count_that_jumps_begins_a_stream(stream):
    stream.decode(packet(some_events(0), 0, seq=7))
    _, broken = stream.decode(packet(some_events(0), 0, seq=2**63))
    assert broken.reason == f'the event camera began anew (seq {2**63} came after 7)'
    assert stream.lost == 0


def test_another_sensor_begins_a_stream(stream):
    stream.decode(packet(some_events(0), 0, seq=1))
    larger = some_events(10_000, width=128)
    events, broken = stream.decode(packet(larger, 10_000, seq=2, width=128))
    assert broken.reason == 'the events changed from evt3 of 64x48 to evt3 of 128x48'
    np.testing.assert_array_equal(events.x, larger.x)
    assert stream.size == (128, 48)
    _, broken = stream.decode(packet(larger, 10_000, 3, encoding='evt2', payload=b'', width=128))
    assert broken.reason == 'the events changed from evt3 of 128x48 to evt2 of 128x48'


def test_time_that_goes_back_is_told(stream):
    stream.decode(packet(some_events(5_000_000), 0, seq=0))
    _, broken = stream.decode(packet(some_events(2_000_000), 10_000, seq=0))
    assert broken.reason == "the event camera's time went back by 3.005 s"


@pytest.mark.parametrize('changes, sentence', [
    ({'encoding': 'evt9'}, "no decoder for events encoded as 'evt9'"),
    ({'width': 0}, 'the events are of a sensor of 0x48 pixels: send the size that it has'),
    ({'width': 70_000}, '70000x48'),
    ({'width': 60_000, 'height': 60_000}, '60000x60000'),
])
def test_unusable_packets_leave_the_stream_alone(stream, changes, sentence):
    stream.decode(packet(some_events(0), 0, seq=1))
    with pytest.raises(ValueError, match=sentence):
        stream.decode(packet(some_events(10_000), 10_000, 2, **changes))
    _, broken = stream.decode(packet(some_events(20_000), 20_000, seq=2))
    assert broken is None
    assert (stream.lost, stream.size) == (0, (64, 48))


def test_faults_of_all_decoders_are_counted(stream):
    outside = some_events(0, width=100)
    count = int((outside.x >= 64).sum())
    stream.decode(packet(outside, 0, seq=1))
    assert stream.faults == {'outside the sensor': count}
    stream.decode(packet(some_events(10_000), 10_000, 2, height=50))
    later = outside._replace(t=outside.t + 20_000)
    stream.decode(packet(later, 20_000, 3, height=50))
    assert stream.faults == {'outside the sensor': 2 * count}


def test_arrays_need_no_decoder(stream):
    start_us = STAMP_NS // 1000
    for passed_us in (0, 10_000):
        sent = some_events(start_us + passed_us, width=100)
        inside = sent.where(sent.x < 64)
        events, broken = stream.decode(read_array(serialise(sent, size=(64, 48))))
        assert broken is None
        for got, expected in zip(events, inside):
            np.testing.assert_array_equal(got, expected)
    assert stream.faults['outside the sensor'] > 0
    # The driver gives them ROS time.
    assert stream.clock.to_ros_ns(start_us) == start_us * 1000


def test_types_are_those_of_three_packages():
    assert event_message('packet')[0].__name__ == 'EventPacket'
    with pytest.raises(ParameterError, match="'event_type' must be one of packet, dvs_msgs, "
                                             "prophesee_event_msgs, not 'other'"):
        event_message('other')


def test_a_type_that_is_not_installed_gets_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, 'dvs_msgs.msg', None)
    with pytest.raises(ParameterError, match="event_type 'dvs_msgs' needs the messages of dvs_msgs:"
                                             ' install ros-<distro>-dvs-msgs'):
        event_message('dvs_msgs')


def test_a_map_of_another_sensor_is_refused(tmp_path):
    path = tmp_path / 'map.npy'
    np.save(path, np.zeros((480, 640, 2), np.float32))
    stream = EventStream(EventMap([0.0] * 9, str(path)))
    with pytest.raises(MessageError, match='is of a sensor of 640x480 pixels, the events come from '
                                           '64x48: give the map of this sensor'):
        stream.decode(packet(some_events(0), 0, seq=1))
