# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Layouts of events in HDF5: where the events of a camera lie, and what the file says about them.

========== ============================= ==========================================================
layout     events                        source
========== ============================= ==========================================================
metavision CD/events, compound           Prophesee, "HDF5 Event File Format"
dsec       events/{t,x,y,p}              uzh-rpg/DSEC; us since t_offset; 640x480
m3ed       prophesee/{left,right}/       daniilidis-group/m3ed; us; 1280x720
mvsec      davis/{left,right}/events     MVSEC; rows of x, y, t in s, p; 346x260
e2vid      events/{ts,xs,ys,ps}          TimoStoff/event_utils; s; attribute sensor_resolution
v2e        events                        SensorsINI/v2e; rows of t in us, x, y, p
========== ============================= ==========================================================

Others are found by the names of their arrays, compounds and columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfs_seg_core.events.recordings.columns import FIELDS, field_of, named_order

if TYPE_CHECKING:
    import h5py

# Layouts by the pattern of the name; size and unit where the layout defines them. Units of floats
# are determined from the values, except in MVSEC.
KNOWN = (
    ('metavision', re.compile(r'CD/events'), None, 'us'),
    ('m3ed', re.compile(r'prophesee/(left|right)'), (1280, 720), 'us'),
    ('mvsec', re.compile(r'davis/(left|right)/events'), (346, 260), 's'),
    ('dsec', re.compile(r'events'), (640, 480), 'us'),
)
# Names of attributes and datasets with the size of the sensor.
PAIRS = ('geometry', 'sensor_resolution', 'resolution', 'sensor_size')
SIDES = ('width', 'height')
# Groups within groups, and members of a group, that are searched.
DEEPEST, MOST = 8, 1000


class EventLayout(NamedTuple):
    """
    Place of the events of one camera in an HDF5 file.

    :param name: name of the layout; 'hdf5': none that is known.
    :param place: name of the group or dataset.
    :param parts: names of the datasets of t, x, y and p; a single one holds all of them.
    :param usual: usual size of the sensor; None: unknown.
    :param unit: unit of times that are integers; empty: unknown.
    """

    name: str
    place: str
    parts: tuple[str, ...]
    usual: tuple[int, int] | None
    unit: str


def find_layouts(file: h5py.File) -> list[EventLayout]:
    """
    Find all events in an HDF5 file.

    :param file: the open file.
    :returns: the places of events, those of a left camera first, then by name.
    """
    import h5py

    groups, tables = {}, []
    for name, item in items(file):
        if isinstance(item, h5py.Group):
            groups.setdefault(name, {})
            continue
        if item.dtype.names and named_order(item.dtype.names) and item.ndim == 1:
            tables.append(name)
        elif item.ndim == 2 and item.shape[1] in (4, 5) and item.dtype.kind in 'iuf':
            tables.append(name)
        elif item.ndim == 1:
            group, _, key = name.rpartition('/')
            groups.setdefault(group, {})[key] = name
    named = [name for name in tables if 'event' in name.lower()]
    found = [_layout(name, (name,)) for name in (named or tables)]
    for name, members in groups.items():
        parts: dict[str, str] = {}
        # Of time and timestamp, the plain name.
        for key in sorted(members, key=len):
            if field := field_of(key):
                parts.setdefault(field, members[key])
        if all(field in parts for field in FIELDS):
            found.append(_layout(name, tuple(parts[field] for field in FIELDS)))
    return sorted(found, key=lambda one: ('left' not in one.place, one.place))


def items(group: h5py.Group, prefix: str = '', depth: int = 0
          ) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """
    Yield the members of a group and of the groups in it; those that a cut took are left out.

    :param group: the group.
    :param prefix: its name with a slash at the end; empty: the root.
    :param depth: number of groups above it.
    :yields: names from the root, and the groups and datasets.
    """
    import h5py

    try:
        keys = [*islice(group, MOST)]
    except (KeyError, OSError, RuntimeError, ValueError):
        return
    for key in keys:
        try:
            item, link = group[key], group.get(key, getlink=True)
            # A hard link may lead back to a parent; other files are not opened.
            known = isinstance(link, h5py.HardLink) and isinstance(item, (h5py.Group, h5py.Dataset))
        except (KeyError, OSError, RuntimeError, ValueError):
            continue
        if known and depth < DEEPEST:
            yield prefix + key, item
            if isinstance(item, h5py.Group):
                yield from items(item, f'{prefix}{key}/', depth + 1)


def _layout(place: str, parts: tuple[str, ...]) -> EventLayout:
    for name, pattern, usual, unit in KNOWN:
        if pattern.fullmatch(place):
            if name == 'dsec':
                if len(parts) == 1:
                    return EventLayout('v2e', place, parts, None, 'us')
                if parts[0].endswith('/ts'):
                    return EventLayout('e2vid', place, parts, None, '')
            return EventLayout(name, place, parts, usual, unit)
    return EventLayout('hdf5', place, parts, None, '')


def stated_size(file: h5py.File, layout: EventLayout, extent: tuple[int, int], strings: bool
                ) -> tuple[int, int] | None:
    """
    Return the size of the sensor that an HDF5 file states.

    :param file: the open file.
    :param layout: place of the events.
    :param extent: bounding box of the events, which tells width from height.
    :param strings: whether values of variable length can be read.
    :returns: width and height; None: not stated.
    """
    place, places = layout.place, [layout.place]
    while place:
        place = place.rpartition('/')[0]
        places.append(place)
    for place in places:
        node = file[place] if place else file
        values = {key: node.attrs[key] for key in (*PAIRS, *SIDES) if key in node.attrs
                  and (strings or node.attrs.get_id(key).dtype.kind in 'iufS')}
        if hasattr(node, 'keys'):
            for key in (*PAIRS, *SIDES, 'calib/resolution'):
                if key in node and node[key].dtype.kind in 'iuf' and node[key].size <= 2:
                    values[key.rpartition('/')[2]] = node[key][()]
        if size := _size_of(values, extent):
            return size
    return None


def _size_of(values: dict, extent: tuple[int, int]) -> tuple[int, int] | None:
    pair = None
    for key in PAIRS:
        if key in values:
            value = values[key]
            value = value.decode('utf-8', 'replace') if isinstance(value, bytes) else value
            pair = ([int(number) for number in re.findall(r'\d+', value)][:2]
                    if isinstance(value, str) else np.ravel(value)[:2].tolist())
            # Some write the height first.
            if key != 'geometry' and len(pair) == 2:
                pair = sorted(pair, reverse=True)
                fits = pair[0] >= extent[0] and pair[1] >= extent[1]
                pair = pair if fits else pair[::-1]
            break
    else:
        if all(key in values for key in SIDES):
            pair = [np.ravel(values[key])[0] for key in SIDES]
    try:
        size = tuple(int(pixels) for pixels in pair or ())
    except (TypeError, ValueError, OverflowError):
        return None
    return size if len(size) == 2 and all(0 < pixels <= 0xffff for pixels in size) else None
