# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check a folder of images and labels before training: class shares and faults."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mfs_seg_core.data.folder.class_map import ClassMap
from mfs_seg_core.data.folder.dataset import LabelledFolder
from mfs_seg_core.data.folder.frame import FolderFrame
from mfs_seg_core.labels import UNLABELLED
from mfs_seg_core.util.text import first_of

THREADS = 4
# Faults of one kind that are listed one by one.
LISTED = 5
# Values of no class that are listed for one label.
MAX_UNKNOWN = 20
# A class that fewer of the labelled pixels have is called rare.
RARE = 1e-3
# Share of ignored pixels, and ratio of two aspect ratios, that get a remark.
MUCH_IGNORED, STRETCHED = 0.5, 1.15


class FrameCounts(NamedTuple):
    """
    Counts of one labelled frame.

    :param frame: the frame.
    :param pixels: int64 ``[256]``, pixels of each class id.
    :param size: width and height of the image.
    :param unknown: by value that is of no class: column and row of a pixel.
    :param image_hash: hash of the file of the image.
    :param fault: why the frame cannot be read, one sentence; ''.
    """

    frame: FolderFrame
    pixels: np.ndarray
    size: tuple[int, int] = (0, 0)
    unknown: dict[int | tuple[int, ...], tuple[int, int]] = {}
    image_hash: str = ''
    fault: str = ''


@dataclass
class SplitCheck:
    """
    Result of the check of one split.

    :param folder: the split.
    :param counts: counts of its labelled frames.
    :param faults: sentences on what stops training or evaluation.
    :param remarks: sentences on what may be unintended.
    """

    folder: LabelledFolder
    counts: list[FrameCounts]
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def pixels(self) -> np.ndarray:
        """Pixels of each class id, int64 ``[256]``."""
        return sum((each.pixels for each in self.counts), np.zeros(256, np.int64))

    @property
    def frames_with(self) -> np.ndarray:
        """Number of frames with a pixel of each class id, int64 ``[256]``."""
        return sum((each.pixels > 0 for each in self.counts), np.zeros(256, np.int64))

    @property
    def step_s(self) -> float | None:
        """Median of the times from image to image, in seconds; None: there are none."""
        steps = [after.stamp_ns - before.stamp_ns for recording in self.folder.recordings
                 for before, after in zip(recording, recording[1:]) if self.folder.has_order]
        return float(np.median(steps)) / 1e9 if steps else None


def check_folder(folder: LabelledFolder) -> SplitCheck:
    """
    Read all labelled frames of a split, and collect what is wrong with them.

    :param folder: the split.
    :returns: counts, faults and remarks.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        counts = list(pool.map(lambda frame: _count(folder, frame), folder.labelled))
    check = SplitCheck(folder, counts)
    check.faults += _limited([each.fault for each in counts if each.fault], 'files')
    check.faults += _unknown(counts, folder.class_map)
    _remark_on_labels(check)
    return check


def compare_splits(train: SplitCheck, val: SplitCheck) -> list[str]:
    """
    Compare the split to train on with the one to validate on.

    :param train: the former.
    :param val: the latter.
    :returns: remarks, one sentence each.
    """
    remarks, names = [], train.folder.classes.names
    share = train.pixels[:len(names)] / max(1, train.pixels[:len(names)].sum())
    if absent := [name for name, each in zip(names, share) if each == 0]:
        remarks.append(f'no pixel of split {train.folder.split!r} has the class '
                       f'{first_of(absent, LISTED)}: it cannot be learned; remove it, or add '
                       'images that show it')
    if rare := [name for name, each in zip(names, share) if 0 < each < RARE]:
        remarks.append(f'fewer than {RARE:.1%} of the pixels have the class '
                       f'{first_of(rare, LISTED)}: expect a low IoU')
    if unseen := [name for name, mine, theirs in zip(names, share, val.pixels)
                  if mine > 0 and not theirs]:
        remarks.append(f'no pixel of split {val.folder.split!r} has the class '
                       f'{first_of(unseen, LISTED)}: its IoU is not measured')
    mine = {each.image_hash: each.frame.pair.image for each in train.counts if each.image_hash}
    same = [(mine[each.image_hash], each.frame.pair.image) for each in val.counts
            if each.image_hash in mine]
    if same and train.folder.split != val.folder.split:
        remarks.append(f'{len(same)} images are in both splits, such as {same[0][0]} and '
                       f'{same[0][1]}: remove them from one, or the mIoU is too high')
    return remarks


def _count(folder: LabelledFolder, frame: FolderFrame) -> FrameCounts:
    try:
        image = folder.image(frame)
        values = folder.label_values(frame, image.shape[:2])
        image_hash = hashlib.sha256(frame.pair.image.read_bytes()).hexdigest()
    except (ValueError, OSError) as error:
        return FrameCounts(frame, np.zeros(256, np.int64), fault=str(error))
    ids, unknown = folder.class_map.convert(values)
    return FrameCounts(frame, np.bincount(ids.ravel(), minlength=256), image.shape[1::-1],
                       _places(values, unknown), image_hash)


def _places(values: np.ndarray, unknown: np.ndarray) -> dict:
    """Return one pixel of each value that is of no class."""
    rows, columns = np.nonzero(unknown)
    if not len(rows):
        return {}
    found, first = np.unique(values[rows, columns], axis=0, return_index=True)
    return {tuple(value) if isinstance(value, list) else value: (int(columns[i]), int(rows[i]))
            for value, i in zip(found[:MAX_UNKNOWN].tolist(), first)}


def _unknown(counts: Iterable[FrameCounts], class_map: ClassMap) -> list[str]:
    """Return a sentence for each value that is of no class."""
    first: dict[int | tuple[int, ...], tuple[Path, int, int]] = {}
    files: Counter = Counter()
    for each in counts:
        for value, (x, y) in each.unknown.items():
            first.setdefault(value, (each.frame.pair.label, x, y))
            files[value] += 1
    sentences = [class_map.complaint(list(value) if isinstance(value, tuple) else value,
                                     *first[value]) + f' ({count} labels have it)'
                 for value, count in files.most_common()]
    return _limited(sentences, 'values')


def _limited(sentences: list[str], what: str) -> list[str]:
    more = len(sentences) - LISTED
    return sentences[:LISTED] + ([f'{more} more {what} are wrong'] if more > 0 else [])


def _remark_on_labels(check: SplitCheck) -> None:
    folder = check.folder
    without = len(folder.frames) - len(folder.labelled)
    if without:
        first = next(frame.pair.image for frame in folder.frames if not frame.pair.label)
        check.remarks.append(
            f'{without} of {len(folder.frames)} images have no label, such as {first}: '
            + ('they advance the state only' if folder.has_order else 'they are not used'))
    if folder.lonely:
        check.remarks.append(f'{len(folder.lonely)} labels have no image, such as '
                             f'{folder.lonely[0]}: they are not used')
    sizes = Counter(each.size for each in check.counts if not each.fault).most_common()
    if len(sizes) > 1:
        listed = first_of([f'{width}x{height} ({count})' for (width, height), count in sizes],
                          LISTED)
        check.remarks.append(f'images differ in size: {listed}; all are resized to size')
    pixels = check.pixels
    ignored = pixels[UNLABELLED] / max(1, pixels.sum())
    if ignored > MUCH_IGNORED:
        check.remarks.append(f'{ignored:.0%} of the pixels are ignored: check the values of the '
                             'classes')
    if folder.has_order and check.step_s is None:
        check.remarks.append('each recording has one image: correct sequences, or remove it')


def remark_on_size(check: SplitCheck, size: tuple[int, int]) -> list[str]:
    """
    Compare the shape of the images with that of the network's input.

    :param check: check of a split.
    :param size: width and height of the input, in pixels.
    :returns: remarks, one sentence each.
    """
    shapes = [each.size[0] / each.size[1] for each in check.counts if not each.fault]
    ratio = np.median(shapes) / (size[0] / size[1]) if shapes else 1.0
    if max(ratio, 1 / ratio) < STRETCHED:
        return []
    width = round(size[1] * float(np.median(shapes)) / 8) * 8
    return [f'size is {size[0]}x{size[1]}, but the images have another ratio of width and height, '
            f'so they are stretched: set size, for example to [{width}, {size[1]}]']
