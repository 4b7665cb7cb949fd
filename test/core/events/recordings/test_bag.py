# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events in bags: packets and arrays, choice of the topic, missing messages, damaged bags."""

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin
from support import mcap_records as mcap
from support.bags import (
    ARRAY_PACKAGES,
    KINDS,
    PACKET,
    PACKET_FIELDS,
    ROS1,
    event_array,
    file_of,
    image,
    packet,
    store,
    write_bag,
)
from support.event_encoders import evt3, libcaer
from support.event_trees import equal, random_events

from mfs_seg_core.events.bag_messages import EventMessageDecoder
from mfs_seg_core.events.dvs_messages import EventArray
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.types import Events, concatenate

SIZE = 346, 260
EVENTS = random_events(1000, 900_000, SIZE)
START_NS = 1_700_000_000_000_000_000
STEP_NS = 10_000_000


def slices(events: Events, count: int) -> list[Events]:
    return [events.where(part) for part in np.array_split(np.arange(events.count), count)]


def packets(written: list[tuple[int, str, bytes]], kind=StoragePlugin.MCAP) -> list:
    """Return packets (seq, encoding, payload) 10 ms apart, recorded 1 ms later."""
    return [(START_NS + i * STEP_NS + 1_000_000,
             packet(payload, encoding, SIZE, START_NS + i * STEP_NS, seq, kind))
            for i, (seq, encoding, payload) in enumerate(written)]


def arrays(events: Events, kind, package: str, size=SIZE) -> list:
    """Return arrays of events whose time is that of the recording."""
    events = events._replace(t=events.t + START_NS // 1000)
    return [(int(part.t[0]) * 1000, event_array(part, size, int(part.t[0]) * 1000, kind, package))
            for part in slices(events, 7)]


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: getattr(kind, 'name', kind))
def test_packets(tmp_path, kind):
    written = [(7 + i, 'libcaer', libcaer(part)) for i, part in enumerate(slices(EVENTS, 5))]
    image_message = image(np.zeros((2, 2, 3), np.uint8), 'rgb8', START_NS, kind)
    bag = write_bag(tmp_path / 'bag', {
        '/events': packets(written, kind), '/camera': [(START_NS, image_message)]}, kind)
    for path in {bag, file_of(bag)}:
        recording = open_recording(path)
        assert (recording.encoding, recording.size, recording.topic) == (
            'libcaer', SIZE, '/events')
        for i, (log_ns, found) in enumerate(recording.packets()):
            stamp = START_NS + i * STEP_NS
            assert (log_ns, found.stamp_ns, found.frame_id) == (stamp + 1_000_000, stamp, 'camera')
            assert (found.seq, found.encoding, bytes(found.payload)) == written[i]
        assert i == 4
        assert equal(concatenate(list(recording)), EVENTS)
        assert (recording.faults, recording.notes, recording.accepted) == ({}, [], 1000)


@pytest.mark.parametrize('package', ARRAY_PACKAGES)
@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: getattr(kind, 'name', kind))
def test_arrays(tmp_path, kind, package):
    bag = write_bag(tmp_path / 'bag', {'/dvs/events': arrays(EVENTS, kind, package)}, kind)
    recording = open_recording(bag)
    assert (recording.encoding, recording.size) == ('event_array', SIZE)
    for _ in range(2):
        found = concatenate(list(recording))
        assert equal(found, EVENTS._replace(t=EVENTS.t + START_NS // 1000))
        assert (recording.faults, recording.notes, recording.accepted) == ({}, [], 1000)


def test_arrays_count_rejected_events(tmp_path):
    events = EVENTS._replace(t=EVENTS.t.copy())
    events.t[500] -= 1000
    bag = write_bag(tmp_path / 'bag', {'/e': arrays(events, ROS1, 'dvs_msgs', (100, 260))}, ROS1)
    recording = open_recording(bag)
    inside = EVENTS.x < 100
    assert concatenate(list(recording)).count == recording.accepted == inside.sum()
    assert recording.faults == {'outside the sensor': (~inside).sum(),
                                **({'time went back': 1} if inside[500] else {})}


def test_arrays_without_a_size(tmp_path):
    bag = write_bag(tmp_path / 'bag', {'/e': arrays(EVENTS, ROS1, 'dvs_msgs', (0, 0))}, ROS1)
    with pytest.raises(ValueError, match="topic '/e': its messages declare a sensor of 0x0 "
                                         'pixels: give the size of the sensor'):
        open_recording(bag)
    assert concatenate(list(open_recording(bag, size=SIZE))).count == 1000


# An event with other fields, in another order and with another time within it.
VARIANT = """\
std_msgs/Header header
uint32 width
uint32 height
string sensor
my_msgs/Spike[] events
================================================================================
MSG: my_msgs/Spike
uint8 polarity
float64 energy
builtin_interfaces/Time ts
int16 y
int16 x
================================================================================
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
================================================================================
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""


@pytest.mark.parametrize('name', ['my_msgs/msg/SpikeArray', 'dvs_msgs/msg/EventArray'])
@pytest.mark.parametrize('frame_id', ['', 'a', 'abcde'])
def test_the_definition_in_the_bag_is_used(tmp_path, name, frame_id):
    """Fields of a driver's own type, also under a known name, wherever alignment puts them."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore
    types = get_typestore(Stores.LATEST)
    types.register({**get_types_from_msg(VARIANT, name)})
    kinds = types.types
    time, spike = kinds['builtin_interfaces/msg/Time'], kinds['my_msgs/msg/Spike']
    message = kinds[name](
        kinds['std_msgs/msg/Header'](time(5, 0), frame_id), *SIZE, 'sensor',
        [spike(int(p), 0.5, time(t // 10**6, t % 10**6 * 1000), y, x)
         for t, x, y, p in zip(*(field.tolist() for field in EVENTS))])
    path = tmp_path / 'a.mcap'
    path.write_bytes(
        mcap.start() + mcap.schema(1, name, 'ros2msg', VARIANT) + mcap.channel(1, 1, '/e')
        + mcap.message(1, 5, bytes(types.serialize_cdr(message, name))) + mcap.end())
    assert equal(concatenate(list(open_recording(path))), EVENTS)


# Definitions by which the message could be read, but without the values that are needed.
RENAMED = PACKET_FIELDS.replace('height', 'heat')
RETYPED = PACKET_FIELDS.replace('uint32 height\nuint32 width', 'float32 height\nfloat32 width')


@pytest.mark.parametrize('definition', [
    '', 'nonsense {', 'uint8[] other', VARIANT, RENAMED, RETYPED])
def test_a_wrong_definition_of_a_known_type_is_ignored(tmp_path, definition):
    types = store()
    path = tmp_path / 'a.mcap'
    messages = packets([(0, 'evt3', evt3(EVENTS))])
    path.write_bytes(
        mcap.start() + mcap.schema(1, PACKET, 'ros2msg', definition) + mcap.channel(1, 1, '/e')
        + b''.join(mcap.message(1, log_ns, bytes(types.serialize_cdr(message, PACKET)))
                   for log_ns, message in messages) + mcap.end())
    assert equal(concatenate(list(open_recording(path))), EVENTS)


def test_definition_as_idl(tmp_path):
    """Bags of event_camera_py define EventPacket in IDL."""
    idl = """\
================================================================================
IDL: event_camera_msgs/msg/EventPacket
module event_camera_msgs { module msg { struct EventPacket {
  std_msgs::msg::Header header; uint32 height; uint32 width; uint64 seq; uint64 time_base;
  string encoding; boolean is_bigendian; sequence<uint8> events; }; }; };
================================================================================
IDL: std_msgs/msg/Header
module std_msgs { module msg { struct Header {
  builtin_interfaces::msg::Time stamp; string frame_id; }; }; };
================================================================================
IDL: builtin_interfaces/msg/Time
module builtin_interfaces { module msg { struct Time { int32 sec; uint32 nanosec; }; }; };
"""
    types, path = store(), tmp_path / 'a.mcap'
    (log_ns, message), = packets([(0, 'evt3', evt3(EVENTS))])
    path.write_bytes(
        mcap.start() + mcap.schema(1, PACKET, 'ros2idl', idl) + mcap.channel(1, 1, '/e')
        + mcap.message(1, log_ns, bytes(types.serialize_cdr(message, PACKET))) + mcap.end())
    assert equal(concatenate(list(open_recording(path))), EVENTS)


def test_missing_messages(tmp_path):
    parts = slices(EVENTS, 10)
    for name, missing in (('whole', ()), ('gap', (3, 4))):
        bag = write_bag(tmp_path / name, {'/e': packets(
            [(i, 'evt3', evt3(part)) for i, part in enumerate(parts) if i not in missing])})
        recording = open_recording(bag)
        kept = [part for i, part in enumerate(parts) if i not in missing]
        for _ in range(2):
            assert equal(concatenate(list(recording)), concatenate(kept))
            assert recording.faults == ({'missing messages': 2} if missing else {})


def test_faults_across_messages():
    """A restarted driver, another encoding, and a time before the last one."""
    messages = EventMessageDecoder()
    for seq, encoding, payload in ((5, 'evt3', evt3(EVENTS)), (2, 'evt3', evt3(EVENTS)),
                                   (3, 'libcaer', libcaer(EVENTS))):
        message = EventPacket(0, *SIZE, seq, 0, encoding, memoryview(payload))
        assert messages.decode(message).count == EVENTS.count
    assert messages.faults == {'missing messages': 1}
    messages = EventMessageDecoder()
    for _ in range(2):
        assert messages.decode(EventArray(0, '', *SIZE, EVENTS, 0)).count == EVENTS.count
    assert messages.faults == {'time went back': 1}


def test_nanoseconds(tmp_path):
    (log_ns, message), = packets([(0, 'libcaer', libcaer(EVENTS))])
    message.time_base = 5001
    recording = open_recording(write_bag(tmp_path / 'bag', {'/e': [(log_ns, message)]}))
    events, = recording
    assert recording.unit_ns == 1 and np.array_equal(recording.stamps, EVENTS.t * 1000 + 5001)
    assert np.array_equal(events.t, EVENTS.t + 5)


def test_topics(tmp_path):
    bag = write_bag(tmp_path / 'bag', {
        '/a/empty': packets([(i, 'evt3', b'') for i in range(3)]),
        '/b/triggers': packets([(0, 'trigger', bytes(8))]),
        '/c/events': packets([(0, 'evt3', evt3(EVENTS))]),
        '/d/events': packets([(0, 'evt3', evt3(EVENTS.where(slice(10))))])})
    assert open_recording(bag).topic == '/c/events'
    assert concatenate(list(open_recording(bag, topic='/d/events'))).count == 10
    with pytest.raises(ValueError, match="topic '/other' of events: it has /a/empty .*/c/events"):
        open_recording(bag, topic='/other')
    plain = write_bag(tmp_path / 'plain', {'/camera': [
        (1, image(np.zeros((2, 2, 3), np.uint8), 'rgb8', 1))]})
    with pytest.raises(ValueError, match='no topic of events .* are /camera .sensor_msgs/msg/Ima'):
        open_recording(plain)


def test_broken_messages_are_left_out_and_counted(tmp_path):
    parts = slices(EVENTS, 10)
    messages = packets([(i, 'evt3', evt3(part)) for i, part in enumerate(parts)])
    whole = [bytes(store().serialize_cdr(message, PACKET)) for _, message in messages]
    messages[4] = messages[4][0], whole[4][:20]
    messages[7] = messages[7][0], b''
    recording = open_recording(write_bag(tmp_path / 'bag', {'/e': messages}))
    kept = [part for i, part in enumerate(parts) if i not in (4, 7)]
    assert equal(concatenate(list(recording)), concatenate(kept))
    assert recording.faults == {'unreadable messages': 2, 'missing messages': 2}


def test_unknown_encoding(tmp_path):
    bag = write_bag(tmp_path / 'bag', {'/e': packets([(0, 'evt5', b'')])})
    with pytest.raises(ValueError, match="topic '/e': no decoder for events encoded as 'evt5'"):
        list(open_recording(bag))


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: getattr(kind, 'name', kind))
def test_cut_bags(tmp_path, kind):
    """The events before the end are read, and a note names the file and the repair."""
    events = random_events(20_000, 900_000, SIZE)
    bag = file_of(write_bag(tmp_path / 'bag', {'/e': packets(
        [(i, 'evt3', evt3(part)) for i, part in enumerate(slices(events, 50))], kind)}, kind))
    data = bag.read_bytes()
    bag.write_bytes(data[:len(data) * 2 // 3])
    recording = open_recording(bag)
    for _ in range(2):
        found = concatenate(list(recording))
        assert 10_000 < found.count < 15_000 and recording.faults == {}
        assert equal(found, events.where(slice(found.count)))
        note, = recording.notes
        assert str(bag) in note and ('recover' in note or 'reindex' in note)
