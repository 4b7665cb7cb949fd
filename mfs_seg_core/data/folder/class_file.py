# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of classes: names, colours, and the values that labels hold for each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mfs_seg_core.data.folder.class_map import ClassMap, Value
from mfs_seg_core.labels import UNLABELLED, ClassSet, check_class_name, default_colour
from mfs_seg_core.util.colour import read_colour
from mfs_seg_core.util.settings_file import read_mapping, typed

PRESETS = Path(__file__).parent / 'presets'
MAX_ID = 65535


@dataclass(frozen=True)
class ClassFile:
    """
    Content of a file of classes.

    :param name: name of the set.
    :param classes: one entry for each class, in the order of the ids: a mapping with the settings
        of :class:`ClassEntry`, or the name alone.
    :param labels: 'ids' if the labels hold numbers, 'colours' if they hold colours.
    :param ignore: values without a class. 255 is one too if the labels hold numbers and no class
        lists it.
    :param unknown: 'error', or 'ignore' for values that are not listed.
    """

    name: str
    classes: tuple
    labels: str = 'ids'
    ignore: tuple = ()
    unknown: str = 'error'


@dataclass(frozen=True)
class ClassEntry:
    """
    One class.

    :param name: name of the class.
    :param colour: colour to draw it with, ``[R, G, B]`` or '#rrggbb'; empty: chosen by its place.
    :param values: values of its pixels in the labels; empty: its place, or its colour.
    """

    name: str
    colour: tuple | str | None = None
    values: tuple | None = None


def read_classes(given: str | Path | dict) -> ClassMap:
    """
    Read a file of classes.

    :param given: path of a YAML file, name of a file of classes in this package
        (:func:`class_presets`), or the content of such a file.
    :returns: the class map.
    :raises ValueError: the file is missing or wrong; one sentence with the remedy.
    """
    if isinstance(given, dict):
        return _class_map('classes', given)
    path = PRESETS / f'classes_{given}.yaml' if given in class_presets() else Path(given)
    if not path.is_file():
        raise ValueError(f'{path} is missing: name a YAML file of classes, or one of '
                         f'{", ".join(class_presets())}')
    return _class_map(str(path), read_mapping(path))


def class_presets() -> list[str]:
    """Return the names of the files of classes in this package."""
    return sorted(path.stem.removeprefix('classes_') for path in PRESETS.glob('classes_*.yaml'))


def _class_map(source: str, values: dict) -> ClassMap:
    file = typed(source, ClassFile, values)
    for key, valid in (('labels', ('ids', 'colours')), ('unknown', ('error', 'ignore'))):
        if getattr(file, key) not in valid:
            raise ValueError(f'{source}: {key} must be {" or ".join(valid)}, not '
                             f'{getattr(file, key)!r}')
    if not 1 <= len(file.classes) <= UNLABELLED:
        raise ValueError(f'{source} lists {len(file.classes)} classes: list 1 to {UNLABELLED}')
    coloured = file.labels == 'colours'
    entries = [_entry(source, number, each) for number, each in enumerate(file.classes)]
    names = [entry.name for entry in entries]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f'{source} lists the class {twice[0]!r} twice: merge the two entries, or '
                         'rename one')
    palette = [default_colour(number) if entry.colour is None
               else read_colour(f'{source}: class {entry.name!r}', entry.colour)
               for number, entry in enumerate(entries)]
    owners: dict[Value, tuple[str, int]] = {}
    for number, entry in enumerate(entries):
        if entry.values is None and coloured and entry.colour is None:
            raise ValueError(f'{source}: class {entry.name!r} has neither colour nor values: add '
                             'the colour of its pixels in the labels')
        listed = (entry.values if entry.values is not None
                  else (palette[number] if coloured else number,))
        _own(source, owners, f'class {entry.name!r}', number, listed, coloured)
    _own(source, owners, 'ignore', UNLABELLED, file.ignore, coloured)
    if not coloured:
        owners.setdefault(UNLABELLED, ('ignore', UNLABELLED))
    codes = {_code(value): number for value, (_, number) in owners.items()}
    return ClassMap(
        ClassSet(file.name, tuple(names), np.array(palette, np.uint8)), coloured,
        np.array(sorted(codes), np.int64),
        np.array([codes[code] for code in sorted(codes)], np.uint8), file.unknown == 'ignore',
        source)


def _entry(source: str, number: int, given) -> ClassEntry:
    where = f'{source}, class {number}'
    if isinstance(given, str):
        given = {'name': given}
    if not isinstance(given, dict):
        raise ValueError(f'{where} must be a name, or a mapping with a name, not {given!r}')
    entry = typed(where, ClassEntry, given)
    check_class_name(where, entry.name)
    return entry


def _own(source: str, owners: dict[Value, tuple[str, int]], owner: str, number: int,
         values: tuple, coloured: bool) -> None:
    """Enter the values of one class, or those to ignore."""
    where = f'{source}: {owner}'
    if not values and owner != 'ignore':
        raise ValueError(f'{where} has no values: list those of its pixels in the labels, or '
                         'remove the class')
    for given in values:
        value = read_colour(where, given) if coloured else _id(where, given)
        if value in owners:
            raise ValueError(f'{where} has the value {given!r}, which {owners[value][0]} has too: '
                             'remove one')
        owners[value] = owner, number


def _id(where: str, value) -> int:
    if type(value) is not int or not 0 <= value <= MAX_ID:
        raise ValueError(f'{where} has the value {value!r}: list numbers from 0 to {MAX_ID}, or '
                         'write "labels: colours" for labels that hold colours')
    return value




def _code(value: Value) -> int:
    return value if isinstance(value, int) else value[0] << 16 | value[1] << 8 | value[2]
