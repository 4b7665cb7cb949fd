# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of a mask of classes to a mask of groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfs_seg_core.labels import ClassSet


@dataclass(frozen=True)
class ClassGroups:
    """
    Groups of the classes of some weights.

    :param classes: names and palette of the groups; their places are the ids of grouped masks.
    :param table: uint8 ``[256]``: the group of each class id; 255 for classes of no group, for ids
        without a class, and for 255 itself.
    """

    classes: ClassSet
    table: np.ndarray

    def apply(self, mask: np.ndarray) -> np.ndarray:
        """
        Return a mask of groups.

        :param mask: uint8 ``[H, W]`` of class ids.
        :returns: uint8 ``[H, W]`` of group ids, 255 where there is none.
        """
        return self.table.take(mask)
