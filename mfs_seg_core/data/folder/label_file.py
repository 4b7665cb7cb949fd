# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Label files: the stored value of each pixel, a number or a colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.images.encoding import MessageError
from mfs_seg_core.images.file import decoded
from mfs_seg_core.images.palette_png import as_grey, stored_depth

JPEG = b'\xff\xd8'


def read_label_file(path: Path, coloured: bool) -> np.ndarray:
    """
    Read the stored values of a label.

    :param path: image file without loss: PNG (with or without a palette), BMP, TIFF.
    :param coloured: return colours. Else numbers: the indices of a PNG with a palette, the values
        of a grey file, also of one whose three channels are equal.
    :returns: uint8 or uint16 ``[H, W]``; uint8 ``[H, W, 3]`` RGB if ``coloured``.
    :raises ValueError: the file is missing, damaged, a JPEG, or of the other kind; one sentence.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f'{path} cannot be read ({error.strerror}): check the file') from None
    if data.startswith(JPEG):
        raise ValueError(f'{path} is a JPEG, which changes the values of labels: save labels as '
                         'PNG from their source')
    label = _decoded(path, data if coloured else as_grey(data))
    if coloured:
        return _colours(path, label)
    if label.ndim == 3:
        if not (label[..., :1] == label[..., 1:3]).all():
            raise ValueError(f'{path} holds colours, not class ids: write "labels: colours" in the '
                             'file of classes, and list the colours of each class')
        label = label[..., 0]
    if label.dtype not in (np.uint8, np.uint16):
        raise ValueError(f'{path} holds {label.dtype} values: save class ids of 8 or 16 bits')
    depth = stored_depth(data)
    # Decoders scale pixels of fewer bits to 0..255.
    return label // np.uint8(255 // ((1 << depth) - 1)) if 0 < depth < 8 else label


def _decoded(path: Path, data: bytes) -> np.ndarray:
    try:
        label = decoded(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except MessageError as error:
        raise ValueError(f'{path}: {error}') from None
    if label is None:
        raise ValueError(f'{path} is damaged, or no image: fetch or save it again')
    return label


def _colours(path: Path, label: np.ndarray) -> np.ndarray:
    if label.dtype != np.uint8:
        raise ValueError(f'{path} holds {label.dtype} values: save colours of 8 bits')
    if label.ndim == 2:
        return cv2.cvtColor(label, cv2.COLOR_GRAY2RGB)
    return cv2.cvtColor(label, cv2.COLOR_BGRA2RGB if label.shape[2] == 4 else cv2.COLOR_BGR2RGB)
