# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Headers of RAW and DAT files, lines of '%' with a name and a value.

Encoding, size and byte order follow the fallbacks of OpenEB for headers that do not state them
(hal_psee_plugins, psee_raw_file_header.cpp and device_system_id.h).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from mfs_seg_core.util.text import printable

LONGEST_HEADER = 1 << 16
# A NUL ends a line too where another one follows: some plugins write one.
_LINE = re.compile(rb'% ?([^\n\0]*?)(?:\r?\n|\0(?=%))')
ENCODINGS = {'evt3': 'evt3', 'evt2': 'evt2', 'evt21': 'evt21',
             'evt 3.0': 'evt3', 'evt 2.0': 'evt2', 'evt 2.1': 'evt21'}


class CameraDefaults(NamedTuple):
    """
    Sensor size and encoding of a camera, for headers that do not state them.

    :param size: width and height of the sensor.
    :param encoding: encoding of files whose header does not name one.
    """

    size: tuple[int, int]
    encoding: str


_GEN3, _GEN31_EVT3 = CameraDefaults((640, 480), 'evt2'), CameraDefaults((640, 480), 'evt3')
_GEN4, _IMX636 = CameraDefaults((1280, 720), 'evt2'), CameraDefaults((1280, 720), 'evt3')
_IMX637, _GENX320 = CameraDefaults((640, 512), 'evt3'), CameraDefaults((320, 320), 'evt3')
SYSTEMS = {
    **dict.fromkeys((0x15, 0x1c, 0x17, 0x97, 0x19, 0x99, 0x1d, 0x23, 0x21, 0xa1, 0x22, 0xa2, 0x29),
                    _GEN3),
    0x28: _GEN31_EVT3,
    **dict.fromkeys((0x1a, 0x1f, 0x27), _GEN4),
    # Also Gen4 and Gen4.1 behind other boards.
    **dict.fromkeys((0x1e, 0x2e, 0x20, 0x30, 0x31, 0x32, 0x35, 0x3a, 0x42), _IMX636),
    **dict.fromkeys((0x34, 0x36), _IMX637),
    # The first is Saphir, an early GenX320.
    **dict.fromkeys((0x37, 0x3b, 0x40), _GENX320),
}
# First system_ID whose EVT2.1 is little endian.
FIRST_LITTLE_ENDIAN = 0x37
# Parts of the names of sensors, plugins and generations.
SENSORS = {'genx320': _GENX320, 'saphir': _GENX320, 'gen3': _GEN3, 'gen4': _IMX636,
           'imx636': _IMX636, 'imx646': _IMX636, 'imx637': _IMX637, 'imx647': _IMX637}


def read_header(start: bytes) -> tuple[dict[str, str], int]:
    """
    Read the header at the start of a file.

    :param start: the first bytes.
    :returns: values of the lines by their names, and the offset of the header's end.
    """
    header, end, lines = {}, 0, []
    while line := _LINE.match(start, end):
        end = line.end()
        lines.append(line)
        if line[1].strip() == b'end':
            break
    else:
        # Without its last line, a header ends before the first line that is no text: the stream
        # may begin with a '%' too, but is binary.
        texts = next((i for i, line in enumerate(lines) if not _is_text(line[1])), len(lines))
        end = lines[texts].start() if texts < len(lines) else end
        lines = lines[:texts]
    for line in lines:
        name, _, value = line[1].decode('utf-8', 'replace').strip().partition(' ')
        header[name] = value.strip()
    return header, end


def camera_of(header: dict[str, str]) -> tuple[CameraDefaults | None, str]:
    """
    Return the camera that a header names.

    :param header: values by name.
    :returns: the camera, and the line of the header that names it; None and an empty string if the
        header names none that is known.
    """
    if (camera := SYSTEMS.get(_system(header))) is not None:
        return camera, f'system_ID {header["system_ID"]}'
    generation = header.get('sensor_generation') or header.get('generation', '')
    names = {'sensor_name': header.get('sensor_name', ''), 'plugin_name': header.get(
        'plugin_name', ''), 'generation': f'gen{generation}' if generation else ''}
    for name, value in names.items():
        for sensor, camera in SENSORS.items():
            if sensor in value.lower().replace('gen320', 'genx320'):
                return camera, f'{name} {header.get(name) or generation}'
    return None, ''


def byte_order(header: dict[str, str], options: dict[str, str]) -> str:
    """
    Return the byte order of EVT2.1 that a header states or implies.

    :param header: values by name.
    :param options: options of the line ``format``.
    :returns: 'little' or 'legacy'; empty: neither.
    """
    stated = (options.get('endianness') or header.get('endianness', '')).lower()
    if stated:
        return 'legacy' if stated == 'legacy' else 'little'
    names = {header[name].lower() for name in (
        'camera_integrator_name', 'plugin_integrator_name', 'integrator_name') if header.get(name)}
    if names <= {'prophesee'} and (system := _system(header)):
        return 'legacy' if system < FIRST_LITTLE_ENDIAN else 'little'
    return ''


def checked_size(path: Path, width: str | None, height: str | None) -> tuple[int, int] | None:
    """
    Return the size of the sensor in a header.

    :param path: the file, for the error message.
    :param width: number of columns as text; empty or None: not stated.
    :param height: number of rows as text.
    :returns: width and height; None: not stated.
    :raises ValueError: if it is not a size.
    """
    if not width and not height:
        return None
    try:
        size = int(width or 0), int(height or 0)
    except ValueError:
        size = 0, 0
    if not all(0 < pixels <= 0xffff for pixels in size):
        stated = ' x '.join(f"'{printable(side or '', 20)}'" for side in (width, height))
        raise ValueError(f'{path} declares a sensor of {stated} pixels: correct its header')
    return size


def _system(header: dict[str, str]) -> int:
    """Return the system_ID; 0: none."""
    try:
        return int(header.get('system_ID', '0'), 0)
    except ValueError:
        return 0


def _is_text(line: bytes) -> bool:
    try:
        return all(letter.isprintable() or letter == '\t' for letter in line.decode())
    except UnicodeDecodeError:
        return False
