# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Types and QoS of the messages in a written bag."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import Writer
from rosbags.rosbag2.errors import ReaderError
from rosbags.rosbag2.metadata import parse_qos
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from mfs_seg_core.bags.definitions import PACKET, types_of
from mfs_seg_core.bags.storage import Channel
from mfs_seg_core.segment.steps import StepHeader

EVENT_PACKET = 'event_camera_msgs/msg/EventPacket'
LABEL_INFO, VISION_CLASS = 'vision_msgs/msg/LabelInfo', 'vision_msgs/msg/VisionClass'
DEFINITIONS = {
    EVENT_PACKET: PACKET,
    VISION_CLASS: 'uint16 class_id\nstring class_name',
    LABEL_INFO: ('std_msgs/Header header\nvision_msgs/VisionClass[] class_map\n'
                 'float32 threshold'),
}
# Longest duration of ROS 2, which means none.
NEVER = QosTime(9223372036, 854775807)
# Of a type whose hash cannot be computed; players do not check it.
NO_HASH = f'RIHS01_{"0" * 64}'


def profile(depth: int, durability: QosDurability) -> Qos:
    """Return a reliable QoS profile that keeps the last messages."""
    return Qos(QosHistory.KEEP_LAST, depth, QosReliability.RELIABLE, durability, NEVER, NEVER,
               QosLiveliness.AUTOMATIC, NEVER, False)


RESULT = profile(5, QosDurability.VOLATILE)
LATCHED = profile(1, QosDurability.TRANSIENT_LOCAL)


def typestore(channels: Collection[Channel]) -> Any:
    """
    Return the types of a bag.

    :param channels: channels of the bag that is copied.
    :returns: the types of ROS 2, those of the results, and others that the channels define.
    """
    store = get_typestore(Stores.LATEST)
    for name, text in DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    for channel in channels:
        for types in types_of(channel)[:1]:
            store.register({name: fields for name, fields in types.items()
                            if name not in store.fielddefs})
    return store


def declare(writer: Writer, store: Any, channel: Channel, connections: dict[Any, Any]) -> str:
    """
    Declare a channel that is copied.

    :param writer: the open bag.
    :param store: types of :func:`typestore`.
    :param channel: the channel.
    :param connections: connections by channel, to which it is added.
    :returns: why it cannot be copied; empty: it can.
    """
    is_known = channel.kind in store.fielddefs
    definition = '' if channel.serialization == 'ros1' else channel.definition
    if not definition and not is_known:
        return f'the bag does not define its type {channel.kind}'
    # Definitions come from the file; for unusual ones, errors are those of rosbags and of Python.
    try:
        digest = store.hash_rihs01(channel.kind)
    except Exception:
        digest = NO_HASH
    try:
        definition = definition or store.generate_msgdef(channel.kind, ros_version=2)[0]
        connections[channel] = writer.add_connection(
            channel.topic, channel.kind, msgdef=definition, rihs01=digest,
            offered_qos_profiles=_profiles(channel.qos))
    except Exception as error:
        return f'its type {channel.kind} cannot be declared, {error}'
    return ''


def _profiles(text: str) -> list[Qos]:
    try:
        return parse_qos(text)
    # Without them, a player uses its default.
    except (ReaderError, KeyError, TypeError, ValueError):
        return []


def header(store: Any, source: StepHeader) -> Any:
    """Return a std_msgs/Header of a store."""
    time = store.types['builtin_interfaces/msg/Time'](*divmod(source.stamp_ns, 1_000_000_000))
    return store.types['std_msgs/msg/Header'](time, source.frame_id)


def to_cdr(store: Any, channel: Channel, data: bytes) -> bytes:
    """Return a message of ROS 1 as ROS 2 serialises it; empty: it is broken."""
    try:
        return bytes(store.ros1_to_cdr(data, channel.kind))
    # Errors are those of rosbags and of Python.
    except Exception:
        return b''
