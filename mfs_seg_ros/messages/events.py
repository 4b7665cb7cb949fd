# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event messages: their types, and readers of their serialised bytes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from rclpy.qos import QoSProfile, ReliabilityPolicy

from mfs_seg_core.events.dvs_messages import ARRAY_ENCODING, read_event_array
from mfs_seg_core.events.packet import EventPacket, read_packet
from mfs_seg_ros.node.parameters import ParameterError

# Drivers publish best effort. The queue is long, as a missing packet is a gap in the event stream.
EVENT_QOS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
# Package and message type for each value of the parameter event_type.
EVENT_TYPES = {
    'packet': ('event_camera_msgs', 'EventPacket'),
    'dvs_msgs': ('dvs_msgs', 'EventArray'),
    'prophesee_event_msgs': ('prophesee_event_msgs', 'EventArray'),
}


def event_message(event_type: str) -> tuple[type, Callable[[bytes], EventPacket]]:
    """
    Return the message type to subscribe to, and the reader of its bytes.

    :param event_type: value of the parameter ``event_type``, a key of ``EVENT_TYPES``.
    :returns: message class, and a function that reads a serialised message.
    :raises ParameterError: the type is unknown, or its package is not installed.
    """
    if event_type not in EVENT_TYPES:
        raise ParameterError(
            f"parameter 'event_type' must be one of {', '.join(EVENT_TYPES)}, not '{event_type}'")
    package, name = EVENT_TYPES[event_type]
    try:
        message = getattr(import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError):
        raise ParameterError(
            f"event_type '{event_type}' needs the messages of {package}: install "
            f"ros-<distro>-{package.replace('_', '-')}, or build it in your workspace") from None
    return message, read_array if name == 'EventArray' else read_packet


def read_array(message: bytes) -> EventPacket:
    """Read a serialised EventArray as a packet with the array as payload and no sequence number."""
    array = read_event_array(message)
    return EventPacket(array.stamp_ns, array.width, array.height, 0, 0, ARRAY_ENCODING, array,
                       array.frame_id)
