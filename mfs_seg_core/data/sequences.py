# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences of labelled frames for evaluation, from Street, CamVid and folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from mfs_seg_core.data.folder.dataset import LabelledFolder
from mfs_seg_core.data.folder.frame import FolderFrame
from mfs_seg_core.data.street.seeds import TEST_SEED

# CamVid's file names hold frame numbers of a 30 Hz video.
CAMVID_HZ = 30.0

# Image, uint8 [H, W, 3] RGB; label, uint8 [H, W] class ids, 255 for void, None for a frame that
# advances the state only; seconds since the frame before, None if unknown.
LabelledFrame = tuple[np.ndarray, 'np.ndarray | None', 'float | None']


def street_sequences(seeds: int, frames: int, size: tuple[int, int], rate_hz: float,
                     electrons: tuple[float, float] | None = None
                     ) -> Iterator[Iterable[LabelledFrame]]:
    """
    Render drives of Street with the seeds of the test set.

    :param seeds: number of drives.
    :param frames: number of frames per drive.
    :param size: width and height, in pixels.
    :param rate_hz: frame rate.
    :param electrons: range of the electrons of a white pixel, for a camera in dim light
        (:class:`mfs_seg_core.data.street.DimCamera`); None: by day.
    :yields: the frames of one drive.
    """
    from mfs_seg_core.data.street import DimCamera, Street
    for seed in range(TEST_SEED, TEST_SEED + seeds):
        street = Street(seed, *size)
        camera = DimCamera(street, electrons) if electrons else street
        drive = (camera.frame(index / rate_hz) for index in range(frames))
        yield ((frame.image, frame.label, 1 / rate_hz) for frame in drive)


def camvid_sequences(root: str, split: str) -> Iterator[Iterable[LabelledFrame]]:
    """Return the frames of a split of CamVid, one sequence per drive (the file name up to '_')."""
    from mfs_seg_core.data.camvid import CamVid
    frames = CamVid(root, split)
    drives: dict[str, list[int]] = {}
    for index, (path, _) in enumerate(frames.pairs):
        drives.setdefault(path.stem.split('_')[0], []).append(index)

    def drive(indices: list[int]) -> Iterator[LabelledFrame]:
        before = None
        for index in indices:
            number = frames.pairs[index][0].stem.split('_')[-1]
            count = int(number) if number.isdigit() else None
            known = before is not None and count is not None and count > before
            yield *frames[index][:2], (count - before) / CAMVID_HZ if known else None
            before = count

    return (drive(indices) for indices in drives.values())


def folder_sequences(folder: LabelledFolder) -> Iterator[Iterable[LabelledFrame]]:
    """Return the frames of a folder, one sequence per recording, or per image without an order."""
    def drive(frames: list[FolderFrame]) -> Iterator[LabelledFrame]:
        before = None
        for frame in frames:
            image = folder.image(frame)
            label = folder.label(frame, image.shape[:2]) if frame.pair.label else None
            yield image, label, (None if before is None else (frame.stamp_ns - before) / 1e9)
            before = frame.stamp_ns

    if not folder.has_order:
        return (drive([frame]) for frame in folder.labelled)
    # Frames after the last label are not scored, and change no score.
    return (drive(frames[:1 + max(labelled)]) for frames in folder.recordings
            if (labelled := [i for i, frame in enumerate(frames) if frame.pair.label]))
