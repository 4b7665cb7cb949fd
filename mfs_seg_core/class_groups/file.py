# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of class groups: names, colours and classes of each group."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mfs_seg_core.class_groups.groups import ClassGroups
from mfs_seg_core.labels import UNLABELLED, ClassSet, check_class_name
from mfs_seg_core.util.colour import read_colour
from mfs_seg_core.util.settings_file import read_mapping, typed

SHIPPED = Path(__file__).parent / 'shipped'
# In place of a list of classes: all that no group lists.
OTHER = 'other'


@dataclass(frozen=True)
class GroupFile:
    """
    Content of a file of class groups.

    :param groups: one mapping for each group, in the order of the ids, with the settings of
        :class:`GroupEntry`.
    """

    groups: tuple


@dataclass(frozen=True)
class GroupEntry:
    """
    One group.

    :param name: name of the group.
    :param classes: names of its classes; none keeps an id for a group that these weights lack.
        'other': all classes that no group lists.
    :param colour: colour to draw it with, ``[R, G, B]`` or '#rrggbb'; empty: that of its first
        class.
    """

    name: str
    classes: tuple | str
    colour: tuple | str | None = None


def load_groups(path_or_name: str | Path, classes: ClassSet) -> ClassGroups:
    """
    Read a file of class groups.

    :param path_or_name: path of a YAML file, or name of a shipped one (:func:`shipped_groups`).
    :param classes: classes of the masks to convert.
    :returns: the groups. Classes of no group become 255.
    :raises ValueError: the file is missing or wrong, or not for these classes; one sentence with
        the remedy.
    """
    path = find_groups(path_or_name)
    file = typed(path, GroupFile, read_mapping(path))
    if not 1 <= len(file.groups) <= UNLABELLED:
        raise ValueError(f'{path} lists {len(file.groups)} groups: list 1 to {UNLABELLED}')
    entries = [_entry(path, number, each) for number, each in enumerate(file.groups)]
    names = [entry.name for entry in entries]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f'{path} lists the group {twice[0]!r} twice: merge the two, or rename one')
    members = _members(path, entries, classes)
    table = np.full(256, UNLABELLED, np.uint8)
    for number, ids in enumerate(members):
        table[ids] = number
    palette = [_colour(path, entry, ids, classes) for entry, ids in zip(entries, members)]
    return ClassGroups(ClassSet(path.stem, tuple(names), np.array(palette, np.uint8)), table)


def find_groups(path_or_name: str | Path) -> Path:
    """
    Find a file of class groups.

    :param path_or_name: path of a YAML file, or name of a shipped one.
    :returns: path of the file.
    :raises ValueError: there is none; one sentence with the remedy.
    """
    shipped = str(path_or_name) in shipped_groups()
    path = SHIPPED / f'{path_or_name}.yaml' if shipped else Path(path_or_name).expanduser()
    if not path.is_file():
        raise ValueError(f'there are no class groups {str(path_or_name)!r}: name a YAML file, or '
                         f'one of {", ".join(shipped_groups())}')
    return path


def shipped_groups() -> list[str]:
    """Return the names of the class groups in this package."""
    return sorted(path.stem for path in SHIPPED.glob('*.yaml'))


def _entry(path: Path, number: int, given: object) -> GroupEntry:
    where = f'{path}, group {number}'
    if not isinstance(given, dict):
        raise ValueError(f'{where} must be a mapping with name and classes, not {given!r}')
    entry = typed(where, GroupEntry, given)
    check_class_name(where, entry.name)
    if isinstance(entry.classes, str) and entry.classes != OTHER:
        raise ValueError(f"{path}: group {entry.name!r} has the classes {entry.classes!r}: write a "
                         f"list of names, or '{OTHER}' for all that no group lists")
    return entry


def _members(path: Path, entries: list[GroupEntry], classes: ClassSet) -> list[list[int]]:
    """Return the class ids of each group."""
    owners: dict[int, str] = {}
    members: list[list[int]] = []
    for entry in entries:
        members.append([])
        for name in entry.classes if entry.classes != OTHER else ():
            if name not in classes.names:
                raise ValueError(
                    f'{path}: group {entry.name!r} lists the class {name!r}, which the weights '
                    f'lack: choose from {", ".join(classes.names)}')
            number = classes.names.index(name)
            if number in owners:
                raise ValueError(f'{path}: the class {name!r} is in the groups '
                                 f'{owners[number]!r} and {entry.name!r}: leave it in one')
            owners[number] = entry.name
            members[-1].append(number)
    others = [number for number, entry in enumerate(entries) if entry.classes == OTHER]
    if len(others) > 1:
        raise ValueError(f"{path} has {len(others)} groups with 'classes: {OTHER}': leave one")
    for number in others:
        members[number] = [each for each in range(len(classes)) if each not in owners]
    return members


def _colour(path: Path, entry: GroupEntry, ids: list[int], classes: ClassSet
            ) -> tuple[int, int, int]:
    where = f'{path}: group {entry.name!r}'
    if entry.colour is not None:
        return read_colour(where, entry.colour)
    if not ids:
        raise ValueError(f'{where} has no class whose colour it could take: add a colour')
    return tuple(classes.palette[ids[0]].tolist())
