# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Fields of message types, from the definitions in a bag and from those of known types.

A bag's own definition wins: drivers and converters write their own variants of event arrays. The
package rosbags reads the definitions.
"""

from __future__ import annotations

from functools import lru_cache

from mfs_seg_core.bags.storage import Channel
from mfs_seg_core.util.extras import missing

# Kinds of nodes in the descriptions of fields: numbers and strings, and structures by name.
NUMBER, NAME = 1, 2
INTEGERS = {f'{sign}int{bits}' for sign in ('u', '') for bits in (8, 16, 32, 64)} | {
    'bool', 'byte', 'char', 'octet'}
# Fields by name, each with the description that rosbags returns: kind of node, and details.
FieldList = list[tuple[str, tuple]]
Types = dict[str, tuple[list, FieldList]]

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
PACKET = (
    'std_msgs/Header header\nuint32 height\nuint32 width\nuint64 seq\nuint64 time_base\n'
    'string encoding\nbool is_bigendian\nuint8[] events')
ARRAY = 'std_msgs/Header header\nuint32 height\nuint32 width\nEvent[] events'
EVENT = 'uint16 x\nuint16 y\nbuiltin_interfaces/Time ts\nbool polarity'
# Packages of drivers whose EventArray has the same fields.
ARRAY_PACKAGES = ('dvs_msgs', 'prophesee_event_msgs', 'dv_ros_msgs', 'dv_ros2_msgs')
KNOWN = {
    'builtin_interfaces/msg/Time': 'int32 sec\nuint32 nanosec',
    'std_msgs/msg/Header': 'builtin_interfaces/Time stamp\nstring frame_id',
    IMAGE: ('std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\n'
            'uint8 is_bigendian\nuint32 step\nuint8[] data'),
    COMPRESSED: 'std_msgs/Header header\nstring format\nuint8[] data',
    'event_camera_msgs/msg/EventPacket': PACKET,
    # The former name.
    'event_array_msgs/msg/EventArray': PACKET,
    **{f'{package}/msg/EventArray': ARRAY for package in ARRAY_PACKAGES},
    **{f'{package}/msg/Event': EVENT for package in ARRAY_PACKAGES},
}
# ROS 1 counts messages in their headers.
ROS1_HEADER = 'uint32 seq\nbuiltin_interfaces/Time stamp\nstring frame_id'


@lru_cache(maxsize=256)
def types_of(channel: Channel) -> list[Types]:
    """
    Return the fields of a channel's type and of the types in it.

    :param channel: a channel of ROS messages.
    :returns: fields by the name of their type: by the definition in the bag, and as known; empty
        if neither describes the channel's type.
    :raises ValueError: if rosbags is not installed.
    """
    known = known_types(channel.serialization)
    try:
        found = _parsed(channel) if channel.definition else {}
    # Definitions come from the file; its errors are those of rosbags and of Python.
    except Exception:
        found = {}
    name = channel.kind
    own = [{**known, **found}] if name in found else []
    if own and name in known and not _covers((own[0], (NAME, name)), (known, (NAME, name))):
        own = []
    return own + [known] * (name in known)


def _covers(found: tuple[Types, tuple], known: tuple[Types, tuple]) -> bool:
    """Return whether a description has the fields of a known one, with values of their kinds."""
    (found_types, (kind, detail)), (known_types, (known_kind, known_detail)) = found, known
    if kind != known_kind:
        return False
    if kind == NUMBER:
        return (detail[0] == known_detail[0]
                or detail[0] in INTEGERS and known_detail[0] in INTEGERS)
    if kind != NAME:
        return _covers((found_types, detail[0]), (known_types, known_detail[0]))
    fields = dict(found_types[detail][1]) if detail in found_types else {}
    return all(name in fields and _covers((found_types, fields[name]), (known_types, description))
               for name, description in known_types[known_detail][1])


@lru_cache(maxsize=2)
def known_types(serialization: str) -> Types:
    """Return the fields of the types in ``KNOWN``, as 'cdr' or 'ros1' serialises them."""
    try:
        from rosbags.typesys import get_types_from_msg
    except ModuleNotFoundError:
        raise ValueError(f"messages in bags need {missing('rosbags')}") from None
    types: Types = {}
    for name, text in KNOWN.items():
        if serialization == 'ros1' and name == 'std_msgs/msg/Header':
            text = ROS1_HEADER
        types.update(get_types_from_msg(text, name))
    return types


def _parsed(channel: Channel) -> Types:
    """Return the types that a definition holds: its own, and those of its fields."""
    from rosbags.typesys import get_types_from_idl, get_types_from_msg
    text = channel.definition
    if channel.language != 'idl':
        return get_types_from_msg(text, channel.kind)
    types: Types = {}
    # Several definitions in one text are separated by a line, and begin with their names.
    for part in text.split('=' * 80 + '\n'):
        if part.startswith('IDL: '):
            part = part.partition('\n')[2]
        if part.strip():
            types.update(get_types_from_idl(part))
    return types
