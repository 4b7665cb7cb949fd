# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of ROS 1 and ROS 2 to read, written by the package rosbags."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from mfs_seg_core.events.types import Events

ROS1 = 'ros1'
#: All kinds of files.
KINDS = (StoragePlugin.MCAP, StoragePlugin.SQLITE3, ROS1)
IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
PACKET = 'event_camera_msgs/msg/EventPacket'
PACKET_FIELDS = ('std_msgs/Header header\nuint32 height\nuint32 width\nuint64 seq\n'
                 'uint64 time_base\nstring encoding\nbool is_bigendian\nuint8[] events')
ARRAY_PACKAGES = ('dvs_msgs', 'prophesee_event_msgs', 'dv_ros_msgs', 'dv_ros2_msgs')


@cache
def store(kind=StoragePlugin.MCAP):
    """Return the types of ROS 1 or ROS 2, and those of event messages."""
    types = get_typestore(Stores.ROS1_NOETIC if kind == ROS1 else Stores.LATEST)
    time = 'time' if kind == ROS1 else 'builtin_interfaces/Time'
    for name in (PACKET, 'event_array_msgs/msg/EventArray'):
        types.register(get_types_from_msg(PACKET_FIELDS, name))
    for package in ARRAY_PACKAGES:
        types.register(get_types_from_msg(
            f'uint16 x\nuint16 y\n{time} ts\nbool polarity', f'{package}/msg/Event'))
        types.register(get_types_from_msg(
            f'std_msgs/Header header\nuint32 height\nuint32 width\n{package}/Event[] events',
            f'{package}/msg/EventArray'))
    return types


def header(time_ns: int, kind=StoragePlugin.MCAP, seq: int = 0):
    """Return a header of this stamp."""
    types = store(kind).types
    stamp = types['builtin_interfaces/msg/Time'](*divmod(time_ns, 10**9))
    return types['std_msgs/msg/Header'](*([seq] if kind == ROS1 else []), stamp, 'camera')


def image(pixels: np.ndarray, encoding: str, time_ns: int, kind=StoragePlugin.MCAP,
          padding: int = 0):
    """Return an Image, its rows padded by some samples."""
    rows = np.pad(pixels.reshape(pixels.shape[0], -1), ((0, 0), (0, padding)))
    return store(kind).types[IMAGE](
        header(time_ns, kind), *pixels.shape[:2], encoding, 0, rows.nbytes // len(rows),
        np.frombuffer(rows.tobytes(), np.uint8))


def compressed(data: bytes, form: str, time_ns: int, kind=StoragePlugin.MCAP):
    """Return a CompressedImage."""
    return store(kind).types[COMPRESSED](
        header(time_ns, kind), form, np.frombuffer(data, np.uint8))


def packet(payload: bytes, encoding: str, size: tuple[int, int], time_ns: int, seq: int = 0,
           kind=StoragePlugin.MCAP):
    """Return an EventPacket."""
    return store(kind).types[PACKET](
        header(time_ns, kind), size[1], size[0], seq, 0, encoding, False,
        np.frombuffer(payload, np.uint8))


def event_array(events: Events, size: tuple[int, int], time_ns: int, kind=StoragePlugin.MCAP,
                package: str = 'dvs_msgs'):
    """Return an EventArray of events with times in microseconds."""
    types = store(kind).types
    time = types['builtin_interfaces/msg/Time']
    return types[f'{package}/msg/EventArray'](
        header(time_ns, kind), size[1], size[0],
        [types[f'{package}/msg/Event'](x, y, time(t // 10**6, t % 10**6 * 1000), p)
         for t, x, y, p in zip(*(field.tolist() for field in events))])


def write_bag(path: Path, topics: dict, kind=StoragePlugin.MCAP, compression=None) -> Path:
    """Write {topic: [(log time in ns, message or serialised bytes of the first one's type)]}."""
    types = store(kind)
    if kind == ROS1:
        path = path.with_suffix('.bag')
        writer = Ros1Writer(path)
    else:
        writer = Writer(path, version=9, storage_plugin=kind)
    if compression is not None:
        writer.set_compression(*compression)
    serialize = types.serialize_ros1 if kind == ROS1 else types.serialize_cdr
    with writer:
        items = []
        for topic, messages in topics.items():
            name = next(message for _, message in messages
                        if not isinstance(message, bytes)).__msgtype__
            connection = writer.add_connection(topic, name, typestore=types)
            items += [(log_ns, connection, message if isinstance(message, bytes) else
                       bytes(serialize(message, name))) for log_ns, message in messages]
        for log_ns, connection, data in sorted(items, key=lambda item: item[0]):
            writer.write(connection, log_ns, data)
    return path


def file_of(bag: Path) -> Path:
    """Return the only file of a bag."""
    if bag.is_file():
        return bag
    found, = (path for path in bag.iterdir() if path.suffix in ('.mcap', '.db3'))
    return found
