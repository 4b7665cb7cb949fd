# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Reader of the messages in a bag, by the definitions of their types.

A sequence of numbers, or of structures of numbers, becomes one array for each number, without a
Python object for each element: event arrays have a million elements per second.
"""

from __future__ import annotations

import struct
from types import SimpleNamespace

import numpy as np

from mfs_seg_core.bags.definitions import NAME, NUMBER, FieldList, Types, types_of
from mfs_seg_core.bags.storage import Channel
from mfs_seg_core.util.serialization import CdrReader, Ros1Reader

# A kind of node in the descriptions of fields, besides arrays of a fixed length.
SEQUENCE = 4
CODES = {'bool': 'B', 'byte': 'B', 'char': 'B', 'octet': 'B', 'uint8': 'B', 'int8': 'b',
         'uint16': 'H', 'int16': 'h', 'uint32': 'I', 'int32': 'i', 'uint64': 'Q', 'int64': 'q',
         'float32': 'f', 'float64': 'd'}
# Types within types; a definition that contains itself has no end.
MAX_DEPTH = 8
# Bytes that some writers append for alignment.
MAX_PADDING = 7


def read_message(channel: Channel, data: bytes) -> SimpleNamespace:
    """
    Read a message.

    :param channel: its channel.
    :param data: serialised bytes.
    :returns: the fields by name. A sequence of bytes is a view of the data; a sequence of
        structures is a dictionary of arrays ``[N]``, by the names of the numbers ('ts.sec').
    :raises ValueError: if the message is cut, or its type is not known; one clause.
    """
    error = ValueError(f'the bag does not define the type {channel.kind}')
    for types in types_of(channel):
        try:
            reader = (Ros1Reader if channel.serialization == 'ros1' else CdrReader)(data)
            message = _structure(reader, types, channel.kind)
            if len(reader.data) - reader.place <= MAX_PADDING:
                return message
            error = ValueError(f'the message has {len(reader.data)} bytes, its type '
                               f'{channel.kind} takes {reader.place}')
        except ValueError as cause:
            error = cause
    raise error


def _structure(reader: CdrReader, types: Types, name: str, depth: int = 0) -> SimpleNamespace:
    if depth > MAX_DEPTH or name not in types:
        raise ValueError(f'the bag does not define the type {name}')
    return SimpleNamespace(**{
        field: _field(reader, types, description, depth)
        for field, description in types[name][1]})


def _field(reader: CdrReader, types: Types, description: tuple, depth: int):
    kind, detail = int(description[0]), description[1]
    if kind == NAME:
        return _structure(reader, types, detail, depth + 1)
    if kind == NUMBER:
        return reader.text() if detail[0] == 'string' else reader.number(_code(detail[0]))
    element, count = detail
    if kind == SEQUENCE:
        count = reader.number('I')
    if element[0] == NUMBER and _code(element[1][0]) == 'B':
        return reader.octets(count)
    columns = _columns(reader, leaves(types, element), count)
    return columns if element[0] == NAME else columns['']


def leaves(types: Types, description: tuple, name: str = '') -> FieldList:
    """
    Return the names and codes of the numbers in a structure.

    :param types: fields by the name of their type.
    :param description: description of the structure.
    :param name: name of the structure; those of the numbers begin with it.
    :returns: pairs of name and code in :mod:`struct`.
    :raises ValueError: if it holds anything but numbers.
    """
    kind, detail = int(description[0]), description[1]
    if kind == NUMBER:
        return [(name, _code(detail[0]))]
    if kind != NAME or detail not in types or name.count('.') > MAX_DEPTH:
        raise ValueError('it has elements of variable size')
    found = []
    for field, inner in types[detail][1]:
        found += leaves(types, inner, f'{name}.{field}' if name else field)
    return found


def _code(number: str) -> str:
    if number not in CODES:
        raise ValueError(f'it has fields of type {number}')
    return CODES[number]


def _columns(reader: CdrReader, numbers: FieldList, count: int) -> dict[str, np.ndarray]:
    """
    Read structures of numbers, one array for each number.

    Alignment can place the first element differently; all others follow at equal distances,
    because the largest number in an element is aligned to its own size.
    """
    if not numbers:
        raise ValueError('it has elements without fields')
    if not count:
        return {name: np.empty(0, code) for name, code in numbers}
    start = reader.place
    first, end = _places(numbers, start, reader.ALIGNED)
    second, next_end = _places(numbers, end, reader.ALIGNED)
    stride = next_end - end
    data = reader.octets(end + (count - 1) * stride - start)
    columns = {}
    for index, (name, code) in enumerate(numbers):
        kind = np.dtype(code).newbyteorder(reader.order)
        column = columns[name] = np.empty(count, code)
        column[:1] = np.frombuffer(data, kind, 1, first[index] - start)
        if count > 1:
            column[1:] = np.ndarray(count - 1, kind, data, second[index] - start, (stride,))
    return columns


def _places(numbers: FieldList, place: int, aligned: bool) -> tuple[list[int], int]:
    """Return the places of the numbers of an element, and that of its end."""
    places = []
    for _, code in numbers:
        size = struct.calcsize(code)
        if aligned:
            place += -place % size
        places.append(place)
        place += size
    return places, place
