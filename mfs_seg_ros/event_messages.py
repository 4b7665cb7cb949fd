# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of events, by the names that parameters give them, to packets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from event_camera_msgs.msg import EventPacket
from rclpy.qos import QoSProfile, ReliabilityPolicy

from mfs_seg_ros.event_stream import Packet
from mfs_seg_ros.image_layout import MessageError
from mfs_seg_ros.parameters import ParameterError

# As drivers publish; a packet that is lost leaves a hole in the stream.
EVENT_QOS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
EVENT_TYPES = ('packet', 'dvs_msgs', 'prophesee_event_msgs')


@dataclass(frozen=True)
class EventInput:
    """How to subscribe to events: the type, whether as bytes, and what gives packet and size."""

    message: type
    raw: bool
    unpack: Callable[[Any], Packet]
    size: Callable[[Any], int]


def event_input(event_type: str) -> EventInput:
    """Return how to subscribe to events; raises ParameterError with one sentence if it fails."""
    if event_type not in EVENT_TYPES:
        raise ParameterError(
            f"parameter 'event_type' must be one of {', '.join(EVENT_TYPES)}, not '{event_type}'")
    if event_type == 'packet':
        return EventInput(EventPacket, False, unpack_packet, lambda message: len(message.events))
    try:
        message = import_module(f'{event_type}.msg').EventArray
    except (ImportError, AttributeError):
        raise ParameterError(
            f"event_type '{event_type}' needs its messages: install ros-<distro>-"
            f"{event_type.replace('_', '-')}, or build {event_type} in your workspace") from None
    # One Python object an event would take a second for a million of them.
    return EventInput(message, True, unpack_array, len)


def unpack_packet(message: EventPacket) -> Packet:
    """Return what an EventPacket holds; raises MessageError when its bytes are in no order."""
    if message.is_bigendian:
        raise MessageError('the events are big-endian: their formats are little-endian, so send '
                           'what the camera gave')
    return Packet(message.header, message.width, message.height, message.encoding, message.seq,
                  message.time_base, message.events)


def unpack_array(data: bytes) -> Packet:
    """STUB"""
