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
from mfs_seg_core.images.encoding import MessageError
from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_core.streaming.event_stream import EventStream
from mfs_seg_ros.messages.events import event_message, read_array
from mfs_seg_ros.node.parameters import ParameterError
from mfs_seg_ros.pipeline.event_map import EventMap

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
    return EventStream(Continuity(1.0))


def test_packets_are_decoded_and_timed(stream):
    for index in range(3):
        sent = some_events(1000 + 10_000 * index)
        decoded = stream.decode(packet(sent, 10_000 * index, 7 + index), 12.5, f'header {index}')
        # The first one starts the stream.
        assert decoded.restarts == (index == 0)
        assert (decoded.size, decoded.missing, decoded.received_s) == ((64, 48), 0, 12.5)
        assert decoded.decode_s > 0
        for got, expected in zip(decoded.events, sent):
            np.testing.assert_array_equal(got, expected)
    assert stream.faults == {}
    assert decoded.clock.to_ros_ns(1000) == START_NS
    assert decoded.header == 'header 2'


def test_missing_packets_are_counted_and_reported_to_the_decoder(stream, monkeypatch):
    stream.decode(packet(some_events(0), 0, seq=1))
    gaps = []
    monkeypatch.setattr(stream._decoder, 'report_gap', lambda: gaps.append(1))
    assert stream.decode(packet(some_events(10_000), 10_000, seq=2)).missing == 0
    assert not gaps
    assert stream.decode(packet(some_events(50_000), 50_000, seq=6)).missing == 3
    assert len(gaps) == 1
    # Packets that the node dropped are not missing.
    stream.skip(2)
    assert len(gaps) == 2
    assert stream.decode(packet(some_events(100_000), 100_000, seq=10)).missing == 1
    assert len(gaps) == 3


def test_streams_without_a_count_miss_nothing(stream):
    for index in range(3):
        decoded = stream.decode(packet(some_events(10_000 * index), 10_000 * index, 0))
        assert (decoded.missing, decoded.restarts) == (0, index == 0)


def test_a_publisher_that_starts_again_starts_a_stream(stream):
    stream.decode(packet(some_events(16_000_000), 0, seq=500))
    # Without a new decoder the time would have wrapped.
    decoded = stream.decode(packet(some_events(100), 20_000, seq=0))
    assert decoded.restarts and decoded.missing == 0
    assert decoded.events.t[0] == 100
    assert decoded.clock.to_ros_ns(100) == START_NS + 20_000_000


def test_a_count_that_jumps_starts_a_stream(stream):
    stream.decode(packet(some_events(0), 0, seq=7))
    decoded = stream.decode(packet(some_events(0), 0, seq=2**63))
    assert decoded.restarts and decoded.missing == 0


def test_another_sensor_starts_a_stream(stream):
    stream.decode(packet(some_events(0), 0, seq=1))
    larger = some_events(10_000, width=128)
    decoded = stream.decode(packet(larger, 10_000, seq=2, width=128))
    assert decoded.restarts and decoded.size == (128, 48)
    np.testing.assert_array_equal(decoded.events.x, larger.x)
    assert stream.decode(packet(larger, 10_000, 3, encoding='evt2', payload=b'', width=128)
                         ).restarts


def test_time_that_goes_back_starts_a_clock(stream):
    before = stream.decode(packet(some_events(5_000_000), 0, seq=0))
    decoded = stream.decode(packet(some_events(2_000_000), 10_000, seq=0))
    assert decoded.restarts and decoded.clock is not before.clock
    assert decoded.clock.to_ros_ns(2_000_000) == START_NS + 10_000_000


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
    decoded = stream.decode(packet(some_events(20_000), 20_000, seq=2))
    assert (decoded.restarts, decoded.missing, decoded.size) == (False, 0, (64, 48))


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
        decoded = stream.decode(read_array(serialise(sent, size=(64, 48))))
        assert decoded.restarts == (passed_us == 0)
        for got, expected in zip(decoded.events, inside):
            np.testing.assert_array_equal(got, expected)
    assert stream.faults['outside the sensor'] > 0
    # The driver gives them ROS time.
    assert decoded.clock.to_ros_ns(start_us) == start_us * 1000


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
    stream = EventStream(Continuity(1.0), EventMap([0.0] * 9, str(path)).check)
    with pytest.raises(MessageError, match='is of a sensor of 640x480 pixels, the events come from '
                                           '64x48: give the map of this sensor'):
        stream.decode(packet(some_events(0), 0, seq=1))
