# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Registry of the formats of recordings, which are recognised by their content."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mfs_seg_core.bags.files import storage_by_content, storage_of

# Bytes at the start of a file that its format is recognised by.
START = 1 << 20
# HDF5 may begin behind a block of the user (HDF5 file format, "Superblock").
_HDF5, _HDF5_PLACES = b'\x89HDF\r\n\x1a\n', (0, 512, 1024, 2048, 4096)
# Archives of which no reader looks inside.
_PACKED = {b'\x1f\x8b': 'gzip', b'\x28\xb5\x2f\xfd': 'zstd', b'BZh': 'bzip2',
           b'\xfd7zXZ\0': 'xz', b'7z\xbc\xaf\x27\x1c': '7-zip', b'Rar!': 'RAR', b'PK\3\4': 'ZIP',
           b'PK\5\6': 'ZIP'}
_BYTE_ORDER_MARKS = {b'\xef\xbb\xbf': 'utf-8-sig', b'\xff\xfe': 'utf-16', b'\xfe\xff': 'utf-16'}
# Names in the headers of RAW and DAT.
_PROPHESEE = re.compile(
    rb'^% ?(evt |format |Version|system_ID|serial_number|geometry |generation |sensor_generation|'
    rb'(camera_|plugin_)?integrator_name|camera_integration_name|plugin_name|firmware_version|'
    rb'Data file containing|[Dd]ate|Height|Width|endianness|end\r?$)', re.MULTILINE)
_DAT = re.compile(rb'^% ?(Version|Data file containing)', re.MULTILINE)
_LETTERS = bytes(range(128, 256))
_CONTROL = bytes(octet for octet in range(32) if octet not in b'\t\n\v\f\r') + b'\x7f'


class Format(NamedTuple):
    """
    One format of recordings.

    :param name: name of the format.
    :param suffixes: usual endings of its files, for people.
    :param sign: what a file is recognised by, for people.
    :param module: module next to this one that reads it.
    :param reads: what is read.
    :param refuses: what is refused, and why.
    :param matches: function that tells whether the first bytes are of this format.
    :param is_table: whether the reader takes an order of columns and a unit.
    """

    name: str
    suffixes: str
    sign: str
    module: str
    reads: str
    refuses: str
    matches: Callable[[bytes], bool]
    is_table: bool = False


def _starts(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(starts)


# The first that matches is taken.
FORMATS = (
    Format('rosbag', '.db3 .mcap .bag, with .zstd, folder', 'SQLite, MCAP, "#ROSBAG", or a folder',
           'bag', 'rosbag2 and ROS 1 bags: EventPacket, and EventArray of dvs_msgs, '
           'prophesee_event_msgs, dv_ros_msgs or others with the same fields; cut and damaged '
           'files as far as they are readable', 'topics of other messages',
           lambda start: storage_by_content(start) is not None),
    Format('HDF5', '.h5 .hdf5', 'the signature of HDF5', 'hdf5',
           'Metavision (CD/events, ECF with the plugin of the vendor), DSEC, M3ED, MVSEC, e2vid, '
           'v2e, RVT, and any other t, x, y, p as arrays, as a compound or as columns',
           'ECF or other filters without their plugin; event frames and voxel grids',
           lambda start: any(start[place:].startswith(_HDF5) for place in _HDF5_PLACES), True),
    Format('NumPy', '.npy', 'the signature of NumPy', 'numpy_file',
           'structured arrays with t, x, y, p, and arrays of 4 or 5 columns or rows',
           'pickled objects, event frames', _starts(b'\x93NUMPY'), True),
    Format('NumPy archive', '.npz', 'a ZIP of .npy', 'numpy_file',
           'arrays t, x, y, p, or one array as in .npy', 'pickled objects, event frames',
           lambda start: start.startswith(b'PK\3\4') and b'.npy' in start[30:300], True),
    Format('AEDAT 4', '.aedat4', '#!AER-DAT4', 'aedat4', 'events, frames and triggers of a camera',
           'files without a stream of events', _starts(b'#!AER-DAT4')),
    Format('AEDAT 3.1', '.aedat', '#!AER-DAT3.1', 'aedat31',
           'polarity events and triggers of uncompressed packets',
           'compressed packets; frames are skipped', _starts(b'#!AER-DAT3')),
    Format('AEDAT 2.0', '.aedat', '#!AER-DAT2.0', 'aedat20',
           'polarity events of DAVIS, DVS128 and v2e', 'other chips; frames and IMU are skipped',
           _starts(b'#!AER-DAT2', b'#!AER-DAT1')),
    Format('DAT', '.dat', '% lines with "Version"', 'dat', 'version 2, types 0 and 12',
           'other versions and types',
           lambda start: bool(_DAT.search(_percent_lines(start)))),
    Format('RAW', '.raw', '% lines of a camera of Prophesee', 'raw',
           'EVT3, EVT2, EVT2.1, triggers', 'EVT4, HISTO3D, DIFF3D, AER',
           lambda start: bool(_PROPHESEE.search(_percent_lines(start)))),
    Format('text', '.txt .csv', 'text', 'text',
           'one event a line: t, x, y, p in any order, s, ms, us or ns; comments, headers, index',
           'orders and units that remain in doubt without --columns and --unit',
           lambda start: text_encoding(start) is not None, True),
)


def recognise(path: Path) -> Format:
    """
    Return the format of a recording.

    :param path: a file, or the folder of a bag.
    :returns: the format, one of :data:`FORMATS`.
    :raises ValueError: if the file is of no known format.
    :raises OSError: if the file cannot be read.
    """
    if path.is_dir():
        return FORMATS[0]
    with path.open('rb') as file:
        start = file.read(START)
    for found in FORMATS:
        if found.matches(start):
            return found
    # The start of a bag may be damaged.
    if storage_of(path) is not None:
        return FORMATS[0]
    packed = next((name for sign, name in _PACKED.items() if start.startswith(sign)), '')
    if packed:
        raise ValueError(f'{path} is packed ({packed}): unpack it first')
    raise ValueError(f'{path} is not a recording of a known format: give one of '
                     f'{", ".join(found.name for found in FORMATS)}, or see mfs-seg events '
                     '--formats')


def text_encoding(start: bytes) -> str | None:
    """Return the encoding of a text by its first bytes; None: it is not a text."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    # Comments in Latin-1 are read too, with their letters replaced.
    letters = len(start) - len(start.translate(None, _LETTERS))
    if not start or start.translate(None, _CONTROL) != start or letters > len(start) // 4:
        return None
    return 'utf-8'


def describe() -> str:
    """Return the formats as text, one paragraph each."""
    return '\n'.join(f'{found.name} ({found.suffixes})\n  recognised by: {found.sign}\n'
                     f'  read: {found.reads}\n  refused: {found.refuses}' for found in FORMATS)


def _percent_lines(start: bytes) -> bytes:
    """
    Return the lines of '%' at the start of a file, with NUL for newline allowed.

    Comments before lines of text are no such lines: a stream is binary.
    """
    lines = start.replace(b'\0%', b'\n%').split(b'\n')
    end = next((i for i, line in enumerate(lines) if not line.startswith(b'%')), len(lines))
    is_text = text_encoding(start) is not None and b''.join(lines[end:]).strip()
    return b'' if is_text else b'\n'.join(lines[:end])
