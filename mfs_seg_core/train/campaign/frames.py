# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled frames of CamVid, decoded once and kept in the memory of a device."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
from torch import Tensor

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.sequences import CAMVID_HZ
from mfs_seg_core.util.provenance import DataHash


class DeviceFrames:
    """
    Frames of some drives of CamVid.

    - ``images``: uint8 ``[N, H, W, 3]``, RGB, on the device;
    - ``labels``: uint8 ``[N, h, w]``, class ids, 255 for void;
    - ``names``: names of the files, the drive before '_'.
    """

    def __init__(self, root: str, splits: Iterable[str], size: tuple[int, int], device: str,
                 only: tuple[str, ...] = (), without: tuple[str, ...] = (),
                 resize_labels: bool = True):
        """
        Decode the frames.

        :param root: folder of CamVid.
        :param splits: lists of frames to read.
        :param size: width and height of the images, in pixels.
        :param device: torch device.
        :param only: drives to read; empty: all.
        :param without: drives to leave out.
        :param resize_labels: resize the labels too; False: they keep their size.
        :raises ValueError: no frame is left, or a file cannot be read.
        """
        splits = tuple(splits)
        sets = [CamVid(root, split) for split in splits]
        chosen = [(frames, index) for frames in sets for index in range(len(frames))
                  if _chosen(_drive(frames.pairs[index][0].stem), only, without)]
        if not chosen:
            raise ValueError(f'no frame of {", ".join(splits)} in {root} is of the drives asked '
                             'for: see the names of the files')

        def decode(item: tuple[CamVid, int]) -> tuple[np.ndarray, np.ndarray, str]:
            image, label, name = item[0][item[1]]
            if image.shape[1::-1] != tuple(size):
                image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                if resize_labels:
                    label = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
            return image, label, name

        with ThreadPoolExecutor() as pool:
            images, labels, self.names = zip(*pool.map(decode, chosen))
        self.images = torch.from_numpy(np.stack(images)).to(device)
        self.labels = torch.from_numpy(np.stack(labels)).to(device)

    def __len__(self) -> int:
        return len(self.names)

    def drives(self) -> list[list[tuple[int, float | None]]]:
        """Return the frames of each drive: index, and seconds since the one before (or None)."""
        drives: dict[str, list[tuple[int, float | None]]] = {}
        last: dict[str, int | None] = {}
        for index, name in enumerate(self.names):
            drive, number = _drive(name), name.rpartition('_')[2]
            count = int(number) if number.isdigit() else None
            before = last.get(drive)
            known = before is not None and count is not None and count > before
            drives.setdefault(drive, []).append(
                (index, (count - before) / CAMVID_HZ if known else None))
            last[drive] = count
        return list(drives.values())

    def add_to(self, data: DataHash) -> None:
        """Add images and labels to a hash."""
        data.add(self.images.cpu().numpy())
        data.add(self.labels.cpu().numpy())

    def class_weights(self, classes: int) -> Tensor:
        """Return ``1 / ln(1.1 + share of pixels)`` of each class, with a mean of 1."""
        counts = torch.bincount(self.labels.flatten().long(), minlength=256)[:classes].double()
        weights = 1 / torch.log(1.1 + counts / counts.sum())
        return (weights / weights.mean()).float()


def _drive(name: str) -> str:
    return name.split('_')[0]


def _chosen(drive: str, only: tuple[str, ...], without: tuple[str, ...]) -> bool:
    return (not only or drive in only) and drive not in without
