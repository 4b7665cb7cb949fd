# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of images and labels as a data set."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np

from mfs_seg_core.data.folder.class_file import read_classes
from mfs_seg_core.data.folder.frame import FolderFrame
from mfs_seg_core.data.folder.label_file import read_label_file
from mfs_seg_core.data.folder.order import ordered, read_order
from mfs_seg_core.data.folder.path_pairs import find_pairs
from mfs_seg_core.data.folder.settings import FolderSettings
from mfs_seg_core.data.folder.split import part_of
from mfs_seg_core.images import BitDepth, read_image

SPLIT = '{split}'


class LabelledFolder:
    """
    One split of a folder; item i is image, label and name of the labelled frame i.

    Image: uint8 ``[H, W, 3]``, RGB. Label: uint8 ``[H, W]``, class ids, 255 for void.

    - ``classes``: classes of the labels; ``class_map``: their values in the files.
    - ``frames``: all frames of the split, by recording and in temporal order, or by path.
    - ``labelled``: those with a label.
    - ``lonely``: labels without an image.
    - ``has_order``: whether the frames have times.
    """

    def __init__(self, root: str | Path, settings: FolderSettings, split: str):
        """
        Find the files of a split.

        :param root: folder of the data.
        :param settings: settings of the folder.
        :param split: name of the split; 'all': all frames.
        :raises ValueError: files are missing, or do not fit the settings; one sentence.
        """
        root = Path(root)
        self.settings, self.split = settings, split
        self.class_map = read_classes(settings.classes)
        self.classes = self.class_map.classes
        self.has_order = settings.sequences is not None
        by_folder = SPLIT in settings.images + settings.labels
        pairs, self.lonely = find_pairs(root, settings.images.replace(SPLIT, split),
                                        settings.labels.replace(SPLIT, split))
        frames = (ordered(pairs, read_order(settings.sequences), root) if self.has_order
                  else [FolderFrame(pair) for pair in pairs])
        in_split = settings.split is not None or not by_folder
        self.frames = part_of(frames, settings.split, split, root) if in_split else frames
        self.labelled = [frame for frame in self.frames if frame.pair.label]
        self._depth = BitDepth()

    def __len__(self) -> int:
        return len(self.labelled)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, str]:
        frame = self.labelled[index]
        image = self.image(frame)
        return image, self.label(frame, image.shape[:2]), frame.pair.name

    @property
    def recordings(self) -> list[list[FolderFrame]]:
        """Frames of each recording, in temporal order."""
        return [list(group) for _, group in groupby(self.frames, lambda frame: frame.recording)]

    def image(self, frame: FolderFrame) -> np.ndarray:
        """Return the image of a frame, uint8 ``[H, W, 3]``, RGB."""
        return read_image(frame.pair.image, self._depth)

    def label(self, frame: FolderFrame, size: tuple[int, int]) -> np.ndarray:
        """
        Return the label of a frame that has one.

        :param frame: the frame.
        :param size: height and width of its image.
        :returns: class ids, uint8 ``[H, W]``, 255 for void.
        :raises ValueError: the file is damaged, has another size, or holds a value of no class; one
            sentence.
        """
        return self.class_map.apply(self.label_values(frame, size), frame.pair.label)

    def label_values(self, frame: FolderFrame, size: tuple[int, int]) -> np.ndarray:
        """
        Return the stored values of the label of a frame that has one.

        :param frame: the frame.
        :param size: height and width of its image.
        :returns: numbers ``[H, W]``, or colours ``[H, W, 3]``.
        :raises ValueError: the file is damaged or has another size; one sentence.
        """
        path = frame.pair.label
        values = read_label_file(path, self.class_map.coloured)
        if values.shape[:2] != size:
            raise ValueError(f'{path} has {values.shape[1]}x{values.shape[0]} pixels, its image '
                             f'{frame.pair.image} {size[1]}x{size[0]}: resize one of them, labels '
                             'without interpolation')
        return values
