# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Class maps: from the stored values of labels to class ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mfs_seg_core.labels import UNLABELLED, ClassSet

Value = int | tuple[int, int, int]


@dataclass(frozen=True)
class ClassMap:
    """
    Conversion of the stored values of labels to class ids.

    :param classes: names and palette of the classes.
    :param coloured: the stored values are colours, not numbers.
    :param codes: int64 ``[N]``, ascending: the listed values. A colour is R * 65536 + G * 256 + B.
    :param ids: uint8 ``[N]``: the class id of each code, 255 for ignored ones.
    :param tolerant: values that are not listed are ignored too.
    :param source: file of the classes, for messages.
    """

    classes: ClassSet
    coloured: bool
    codes: np.ndarray
    ids: np.ndarray
    tolerant: bool
    source: str

    def convert(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """
        Convert stored values.

        :param values: numbers ``[H, W]``, or colours uint8 ``[H, W, 3]`` if ``coloured``.
        :returns: class ids, uint8 ``[H, W]``, 255 for ignored pixels, and whether the value of a
            pixel is neither listed nor tolerated, bool ``[H, W]``.
        """
        codes = values.astype(np.int64) if values.ndim == 2 else (
            values.astype(np.int64) @ np.array([65536, 256, 1]))
        places = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
        listed = self.codes[places] == codes
        ids = np.where(listed, self.ids[places], np.uint8(UNLABELLED))
        return ids, np.zeros_like(listed) if self.tolerant else ~listed

    def apply(self, values: np.ndarray, path: Path) -> np.ndarray:
        """
        Convert stored values, all of which must be listed.

        :param values: as for :meth:`convert`.
        :param path: file of the label, for messages.
        :returns: class ids, uint8 ``[H, W]``, 255 for ignored pixels.
        :raises ValueError: a value is not listed; one sentence with file, pixel, value and remedy.
        """
        ids, unknown = self.convert(values)
        if unknown.any():
            row, column = np.unravel_index(np.argmax(unknown), unknown.shape)
            raise ValueError(self.complaint(values[row, column].tolist(), path, column, row))
        return ids

    def complaint(self, value: int | Sequence[int], path: Path, x: int, y: int) -> str:
        """
        Return a sentence on a value that is not listed.

        :param value: a number or a colour.
        :param path: file of the label.
        :param x: column of a pixel with this value.
        :param y: row of the pixel.
        :returns: the sentence, with the remedy.
        """
        return (f'{path}: pixel ({x}, {y}) has the value {value}, which is of no class: add it to '
                f'the values of a class or to ignore in {self.source}, or write "unknown: ignore" '
                'there')
