# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of event packets: recorded packets, missing ones, and damaged bags."""

from pathlib import Path

import numpy as np
import pytest
from support.event_encoders import evt3, libcaer
from support.event_trees import equal, random_events

from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.types import Events, concatenate

pytest.importorskip('rosbags', reason='rosbags is not installed: pip install "mfs_seg_ros[events]"')
from rosbags.rosbag2 import StoragePlugin, Writer  # noqa: E402
from rosbags.typesys import Stores, get_types_from_msg, get_typestore  # noqa: E402

SIZE = 346, 260
EVENTS = random_events(1000, 900_000, SIZE)
START_NS = 1_700_000_000_000_000_000
TYPES = ('event_camera_msgs/msg/EventPacket', 'event_array_msgs/msg/EventArray')


def slices(events: Events, count: int) -> list[Events]:
    return [events.where(part) for part in np.array_split(np.arange(events.count), count)]


def write_bag(path: Path, packets: list[tuple], topic='/events', kind=TYPES[0],
              storage=StoragePlugin.MCAP) -> Path:
    """Write packets (seq, time base, encoding, payload) 10 ms apart, recorded 1 ms later."""
    types = get_typestore(Stores.LATEST)
    types.register(get_types_from_msg(
        'std_msgs/Header header\nuint32 height\nuint32 width\nuint64 seq\nuint64 time_base\n'
        'string encoding\nbool is_bigendian\nuint8[] events', kind))
    kinds = types.types
    with Writer(path, version=9, storage_plugin=storage) as writer:
        connection = writer.add_connection(topic, kind, typestore=types)
        other = writer.add_connection('/other', 'std_msgs/msg/String', typestore=types)
        writer.write(other, START_NS, types.serialize_cdr(
            kinds['std_msgs/msg/String']('x'), 'std_msgs/msg/String'))
        for index, (seq, time_base, encoding, payload) in enumerate(packets):
            stamp = START_NS + index * 10_000_000
            header = kinds['std_msgs/msg/Header'](
                kinds['builtin_interfaces/msg/Time'](*divmod(stamp, 10**9)), 'event_camera')
            message = kinds[kind](header, SIZE[1], SIZE[0], seq, time_base, encoding, False,
                                  np.frombuffer(payload, np.uint8))
            writer.write(connection, stamp + 1_000_000, types.serialize_cdr(message, kind))
    return path


@pytest.mark.parametrize('storage', StoragePlugin)
@pytest.mark.parametrize('kind', TYPES)
def test_packets(tmp_path, storage, kind):
    written = [(7 + i, 1000 * i, 'libcaer', libcaer(part))
               for i, part in enumerate(slices(EVENTS, 5))]
    bag = write_bag(tmp_path / 'bag', written, kind=kind, storage=storage)
    file, = (path for path in bag.iterdir() if path.suffix in ('.db3', '.mcap'))
    for path in (bag, file):
        recording = open_recording(path)
        assert (recording.encoding, recording.size) == ('libcaer', SIZE)
        for i, (log_ns, packet) in enumerate(recording.packets()):
            stamp = START_NS + i * 10_000_000
            assert (log_ns, packet.stamp_ns, packet.frame_id) == (
                stamp + 1_000_000, stamp, 'event_camera')
            assert (packet.seq, packet.time_base_ns, packet.encoding,
                    bytes(packet.payload)) == written[i]
        assert i == 4
    # Without valid metadata, the only file is read.
    (bag / 'metadata.yaml').write_text('rosbag2_bagfile_information: {storage_identifier: ""}')
    assert sum(1 for _ in open_recording(bag).packets()) == 5
    (bag / 'metadata.yaml').unlink()
    assert sum(1 for _ in open_recording(bag).packets()) == 5


def test_missing_messages(tmp_path):
    parts = slices(EVENTS, 10)
    for name, missing in (('whole', ()), ('gap', (3, 4))):
        bag = write_bag(tmp_path / name, [(i, 0, 'evt3', evt3(part))
                                          for i, part in enumerate(parts) if i not in missing])
        recording = open_recording(bag)
        kept = [part for i, part in enumerate(parts) if i not in missing]
        for _ in range(2):
            assert equal(concatenate(list(recording)), concatenate(kept))
            assert recording.faults == ({'missing messages': 2} if missing else {})


def test_nanoseconds(tmp_path):
    bag = write_bag(tmp_path / 'bag', [(0, 5001, 'libcaer', libcaer(EVENTS))])
    recording = open_recording(bag)
    events, = recording
    assert recording.unit_ns == 1 and np.array_equal(recording.stamps, EVENTS.t * 1000 + 5001)
    assert np.array_equal(events.t, EVENTS.t + 5)


def test_topics(tmp_path):
    bag = write_bag(tmp_path / 'bag', [(0, 0, 'evt3', evt3(EVENTS))], topic='/b/events')
    assert open_recording(bag).topic == '/b/events'
    assert equal(concatenate(list(open_recording(bag, topic='/b/events'))), EVENTS)
    with pytest.raises(ValueError, match="no topic '/other' of event packets: it has /b/events"):
        open_recording(bag, topic='/other')
    with pytest.raises(ValueError, match="no message of topic '/events'"):
        open_recording(write_bag(tmp_path / 'empty', []))
    plain = write_bag(tmp_path / 'plain', [], kind='a_msgs/msg/Packet')
    with pytest.raises(ValueError, match=r'no topic of event packets .* are /.*\(a_msgs/msg/Packet'
                                         r'\), /other \(std_msgs/msg/String\)'):
        open_recording(plain)


def test_unknown_encoding(tmp_path):
    bag = write_bag(tmp_path / 'bag', [(0, 0, 'evt5', b'')])
    with pytest.raises(ValueError, match="no decoder for events encoded as 'evt5'"):
        list(open_recording(bag))


@pytest.mark.parametrize('storage', StoragePlugin)
@pytest.mark.parametrize('seed', range(5))
def test_damaged(tmp_path, storage, seed):
    """Damaged bags are reported in one sentence."""
    random = np.random.default_rng(seed)
    bag = write_bag(tmp_path / 'bag', [(i, 0, 'evt3', evt3(part)) for i, part in
                                       enumerate(slices(EVENTS, 50))], storage=storage)
    file, = (path for path in bag.iterdir() if path.suffix in ('.db3', '.mcap'))
    data = bytearray(file.read_bytes())
    file.write_bytes(data[:random.integers(len(data) // 2)])
    with pytest.raises(ValueError, match='cannot be read') as error:
        list(open_recording(bag))
    assert '\n' not in str(error.value)
    for place in random.integers(0, len(data), 100):
        data[place] = random.integers(256)
    file.write_bytes(data)
    try:
        list(open_recording(bag))
    except ValueError as error:
        assert '\n' not in str(error)
