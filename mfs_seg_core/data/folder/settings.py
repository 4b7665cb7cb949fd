# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a folder of images and labels, and presets of the layouts of data sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mfs_seg_core.data.folder.class_file import PRESETS, class_presets
from mfs_seg_core.data.folder.order import read_order
from mfs_seg_core.data.folder.split import check_split
from mfs_seg_core.util.settings_file import read_mapping, typed

FOLDER = 'folder'


@dataclass(frozen=True)
class FolderSettings:
    """
    Settings of a folder of images and labels: the mapping ``data`` of a YAML file.

    Patterns, lists and CSV files are relative to the root, the folder of the data.

    :param type: 'folder', or a preset, whose settings apply where this mapping has none.
    :param images: pattern of the images; '{split}' stands for the name of a split. See
        :func:`mfs_seg_core.data.folder.path_pairs.find_pairs`.
    :param labels: pattern of the labels, with the same wildcards.
    :param classes: path of a file of classes, name of one in this package, or its content. See
        :class:`mfs_seg_core.data.folder.class_file.ClassFile`.
    :param split: share of the frames to validate on; or the splits by name: the path of a list
        with an image in each line, or patterns of names in brackets, which match the text of the
        wildcards. Empty: the patterns have '{split}'.
    :param sequences: order of the images, for data with recordings. See
        :class:`mfs_seg_core.data.folder.order.Order`.
    :param stills: train on each labelled image alone, although the images have an order.
    """

    type: str
    images: str
    labels: str
    classes: str | dict
    split: float | dict | None = None
    sequences: dict | None = None
    stills: bool = False


class DataFile(NamedTuple):
    """
    A YAML file that describes data.

    :param settings: settings of the folder.
    :param root: folder of the data.
    :param train: name of the split to train on.
    :param val: name of the split to validate on.
    :param size: width and height of the network's input, in pixels; None: not given.
    """

    settings: FolderSettings
    root: Path
    train: str
    val: str
    size: tuple[int, int] | None = None


def presets() -> list[str]:
    """Return the names of the presets of data sets in this package."""
    return sorted(path.stem.removeprefix('data_') for path in PRESETS.glob('data_*.yaml'))


def folder_settings(values: dict) -> FolderSettings:
    """
    Check the settings of a folder.

    :param values: the mapping ``data`` of a YAML file.
    :returns: the settings, with those of the preset.
    :raises ValueError: a setting is unknown, missing or wrong; one sentence.
    """
    kind = values.get('type')
    if kind != FOLDER:
        if kind not in presets():
            raise ValueError(f'data: type must be one of {", ".join((FOLDER, *presets()))}, not '
                             f'{kind!r}')
        values = {**read_mapping(PRESETS / f'data_{kind}.yaml'), **values}
    settings = typed('data', FolderSettings, values)
    check_split(settings.split)
    if settings.sequences is not None:
        read_order(settings.sequences)
    return settings


def anchored(values: dict, path: str | Path) -> dict:
    """
    Make the paths in the values of a YAML file independent of its place.

    :param values: values of the file, with a mapping ``data``.
    :param path: path of the file.
    :returns: the values. ``root`` is the folder of the file if there is none, and ``classes`` is
        relative to that folder.
    """
    folder = Path(path).parent
    data = dict(values['data'])
    classes = data.get('classes')
    if isinstance(classes, str) and classes not in class_presets():
        data['classes'] = str(folder / classes)
    return {**values, 'data': data, 'root': values.get('root') or str(folder)}


def read_data_file(path: str | Path, root: str | None = None) -> DataFile:
    """
    Read the data that a YAML file describes, such as the settings of a training run.

    :param path: path of the file. Other settings than ``data``, ``root``, ``train_split``,
        ``val_split`` and ``size`` are not read.
    :param root: folder of the data; None: that of the file.
    :returns: what the file describes.
    :raises ValueError: the file cannot be read, or describes no folder; one sentence.
    """
    values = read_mapping(path)
    if not isinstance(values.get('data'), dict):
        raise ValueError(f'{path} describes no folder of images: give it a mapping data, with '
                         'type, images, labels and classes')
    values = anchored({**values, **({'root': root} if root else {})}, path)
    size = values.get('size')
    if size is not None and not (isinstance(size, list) and len(size) == 2 and all(
            type(each) is int and each > 0 for each in size)):
        raise ValueError(f'{path}: size is {size!r}: write [WIDTH, HEIGHT] in pixels')
    return DataFile(folder_settings(values['data']), Path(str(values['root'])),
                    str(values.get('train_split', 'train')), str(values.get('val_split', 'val')),
                    tuple(size) if size else None)
