# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks and confidences of an input as PNG files, one a step."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.images.palette_png import as_grey, indexed_png
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.util.files import write_whole


class MaskStore:
    """
    Writes the masks of steps, and reads those of an interrupted run.

    A mask is a PNG with a palette: viewers show its colours, and its pixels are the class ids.

    :param masks: folder of the masks.
    :param confidences: folder of the confidences, grey PNGs; None: there are none.
    :param classes: classes of the masks.
    """

    def __init__(self, masks: Path, confidences: Path | None, classes: ClassSet):
        self._masks, self._confidences = masks, confidences
        self._palette = classes.palette

    def write(self, name: str, mask: np.ndarray, confidence: np.ndarray | None) -> None:
        """
        Write the results of a step.

        :param name: name of its files without suffix.
        :param mask: uint8 ``[H, W]`` class ids.
        :param confidence: uint8 ``[H, W]``; None: there is none.
        :raises OSError: a file cannot be written; one sentence.
        """
        write_whole(self._masks / f'{name}.png', indexed_png(mask, self._palette))
        if self._confidences:
            data = cv2.imencode('.png', confidence)[1].tobytes()
            write_whole(self._confidences / f'{name}.png', data)

    def read(self, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        """
        Read the results of a step.

        :param name: name of its files without suffix.
        :returns: mask and confidence, as they were written.
        :raises ValueError: a file is missing or damaged; one sentence.
        """
        return (_grey(self._masks / f'{name}.png'),
                _grey(self._confidences / f'{name}.png') if self._confidences else None)


def _grey(path: Path) -> np.ndarray:
    data = as_grey(path.read_bytes()) if path.exists() else b''
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if image is None:
        raise ValueError(f"'{path}' is missing or damaged, a result of an interrupted run: remove "
                         f"'{path.parent.parent}', and segment its input again")
    return image
