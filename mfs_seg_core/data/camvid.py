# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
CamVid in SegNet's layout: lists of image and label pairs, 11 classes and void.

::

    ROOT/train.txt      one pair per line: image path, label path
    ROOT/train/*.png    images (PNG or JPEG)
    ROOT/trainannot/    labels, 8-bit class ids, 11 for void
    ROOT/val.txt ...    the same for val and test
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

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
        listing = self.root / f'{split}.txt'
        if not listing.is_file():
            raise ValueError(f'{listing} is missing: expected {root} to be the folder of the '
                             'SegNet version of CamVid, with train.txt, val.txt and test.txt')
        self.pairs = [self._find(line.split(), listing)
                      for line in listing.read_text().splitlines() if line.strip()]
        if not self.pairs:
            raise ValueError(f'{listing} is empty: expected an image path and a label path per '
                             'line')

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, str]:
        image_path, label_path = self.pairs[index]
        image = cv2.imread(str(image_path), cv2.IMREAD_COLOR)
        label = cv2.imread(str(label_path), cv2.IMREAD_UNCHANGED)
        for path, array in ((image_path, image), (label_path, label)):
            if array is None:
                raise ValueError(f'{path} cannot be read as an image: fetch it again')
        if label.ndim != 2 or label.shape != image.shape[:2]:
            raise ValueError(f'{label_path} is {label.shape}: expected one channel of class ids '
                             f'in the size of its image, {image.shape[:2]}')
        if label.max() > VOID:
            raise ValueError(f'{label_path} holds class id {label.max()}: expected 0..{VOID}')
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        if self.size is not None:
            image = cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
            label = cv2.resize(label, self.size, interpolation=cv2.INTER_NEAREST)
        return image, np.where(label == VOID, np.uint8(UNLABELLED), label), image_path.stem

    def _find(self, paths: list[str], listing: Path) -> tuple[Path, Path]:
        if len(paths) != 2:
            raise ValueError(f'{listing}: expected an image path and a label path per line, '
                             f'not {" ".join(paths)!r}')
        return self._locate(paths[0], listing), self._locate(paths[1], listing)

    def _locate(self, name: str, listing: Path) -> Path:
        # The published lists hold absolute paths of their author's computer.
        parts = Path(name).parts
        for path in (self.root / name, self.root.joinpath(*parts[-2:])):
            if path.is_file():
                return path
        raise ValueError(f'{self.root / name} is missing: {listing} names it')
