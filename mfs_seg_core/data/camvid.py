# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
CamVid in SegNet's layout: lists of image and label pairs, 11 classes and void.

::

    ROOT/train.txt      one pair per line, see :mod:`mfs_seg_core.data.camvid_list`
    ROOT/train/*.png    images (PNG or JPEG)
    ROOT/trainannot/    labels, 8-bit class ids, 11 or 255 for void
    ROOT/val.txt ...    the same for val and test
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.data.camvid_list import read_pairs
from mfs_seg_core.images import BitDepth, read_image
from mfs_seg_core.labels import CAMVID, UNLABELLED

VOID = 11


class CamVid:
    """
    One split of CamVid; item i is (image, label, name).

    Image: uint8 ``[H, W, 3]``, RGB. Label: uint8 ``[H, W]``, class ids, 255 for void.
    """

    classes = CAMVID

    def __init__(self, root: str | Path, split: str, size: tuple[int, int] | None = None):
        """
        Read the list of a split and check that its files exist.

        :param root: folder of the data set.
        :param split: name of the list, 'train', 'val' or 'test'.
        :param size: width and height to resize to, in pixels; None: as stored.
        :raises ValueError: the list, or a file that it names, is missing.
        """
        self.root, self.size = Path(root), size
        self._depth = BitDepth()
        self.pairs = read_pairs(self.root, split)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, str]:
        image_path, label_path = self.pairs[index]
        image = read_image(image_path, self._depth)
        label = _class_ids(label_path)
        if label.shape != image.shape[:2]:
            raise ValueError(f'{label_path} is {label.shape}: expected one channel of class ids '
                             f'in the size of its image, {image.shape[:2]}')
        if self.size is not None:
            image = cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
            label = cv2.resize(label, self.size, interpolation=cv2.INTER_NEAREST)
        return image, label, image_path.stem


def _class_ids(path: Path) -> np.ndarray:
    """Return class ids, uint8 [H, W], 255 for void."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ValueError(f'{path} cannot be read ({error.strerror})') from None
    label = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if label is None:
        raise ValueError(f'{path} cannot be read as an image: fetch it again')
    if label.ndim != 2 or label.dtype != np.uint8:
        raise ValueError(f'{path} holds {label.dtype} values of shape {label.shape}: expected one '
                         'channel of 8-bit class ids')
    label[label == VOID] = UNLABELLED
    wrong = label[(label > VOID) & (label != UNLABELLED)]
    if wrong.size:
        raise ValueError(f'{path} holds class id {wrong.max()}: expected 0..{VOID}, or '
                         f'{UNLABELLED} for void')
    return label
