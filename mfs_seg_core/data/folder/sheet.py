# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A sheet of images and labels, to see whether labels are read as they are meant."""

from __future__ import annotations

import cv2
import numpy as np

from mfs_seg_core.data.folder.check import FrameCounts, SplitCheck
from mfs_seg_core.labels import ClassSet, colourise, overlay
from mfs_seg_core.legend import blank_image, draw_text, legend_band

# Sizes in pixels.
WIDTH, GAP, CAPTION, SCALE = 320, 6, 20, 0.42
COLUMNS = 2


def chosen_frames(check: SplitCheck, count: int) -> list[FrameCounts]:
    """
    Choose frames that show all classes.

    :param check: check of a split.
    :param count: number of frames.
    :returns: for each class, rarest first, the frame with most of its pixels; then others at equal
        distances.
    """
    readable = [each for each in check.counts if not each.fault]
    chosen: list[FrameCounts] = []
    totals = check.pixels[:len(check.folder.classes)]
    for number in np.argsort(totals, kind='stable'):
        if totals[number] and not any(each.pixels[number] == _most(readable, number)
                                      for each in chosen):
            chosen.append(max(readable, key=lambda each: each.pixels[number]))
    spread = [readable[i] for i in np.linspace(0, len(readable) - 1, count).round().astype(int)]
    for each in spread if readable else []:
        if all(each is not other for other in chosen):
            chosen.append(each)
    return chosen[:count]


def _most(counts: list[FrameCounts], number: int) -> int:
    return max(each.pixels[number] for each in counts)


def sheet(checks: list[SplitCheck], count: int = 4) -> np.ndarray:
    """
    Draw frames of splits: image, label, and label over the image; below, the legend.

    :param checks: checks of the splits.
    :param count: number of frames of each split.
    :returns: uint8 ``[H, W, 3]``, RGB.
    :raises ValueError: no frame can be read.
    """
    tiles = [_tile(check, each) for check in checks for each in chosen_frames(check, count)]
    if not tiles:
        raise ValueError('no frame can be drawn: correct the faults first')
    classes = checks[0].folder.classes
    rows = []
    for start in range(0, len(tiles), COLUMNS):
        row = tiles[start:start + COLUMNS]
        height = max(len(tile) for tile in row)
        row += [blank_image(1, tiles[0].shape[1])] * (COLUMNS - len(row))
        rows.append(np.concatenate([_padded(tile, height) for tile in row], axis=1))
    body = np.concatenate(rows)
    return np.concatenate([body, legend_band(classes, body.shape[1])])


def _padded(tile: np.ndarray, height: int) -> np.ndarray:
    return np.concatenate([tile, blank_image(height - len(tile), tile.shape[1])])


def _tile(check: SplitCheck, counts: FrameCounts) -> np.ndarray:
    """Draw one frame, with a line of text above it."""
    folder, frame = check.folder, counts.frame
    image = folder.image(frame)
    ids, _ = folder.class_map.convert(folder.label_values(frame, image.shape[:2]))
    height = max(1, round(WIDTH * image.shape[0] / image.shape[1]))
    image = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)
    ids = cv2.resize(ids, (WIDTH, height), interpolation=cv2.INTER_NEAREST)
    tile = blank_image(CAPTION + height + GAP, 3 * WIDTH + 4 * GAP)
    # OpenCV draws ASCII only.
    text = f'{folder.split}: {frame.pair.name}'.encode('ascii', 'replace').decode()
    draw_text(tile, text, (GAP, CAPTION - 6), SCALE)
    for column, drawn in enumerate(_drawn(image, ids, folder.classes)):
        left = GAP + column * (WIDTH + GAP)
        tile[CAPTION:CAPTION + height, left:left + WIDTH] = drawn
    return tile


def _drawn(image: np.ndarray, ids: np.ndarray, classes: ClassSet) -> tuple[np.ndarray, ...]:
    return image, colourise(ids, classes), overlay(image, ids, classes)
