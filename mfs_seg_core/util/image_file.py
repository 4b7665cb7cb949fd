# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writing of image files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.util.files import written_aside


def save_image(path: Path, image: np.ndarray) -> None:
    """
    Write an image to a file.

    :param path: path of the file, whose suffix names the format; its folder is created.
    :param image: uint8 ``[H, W, 3]``, RGB.
    :raises ValueError: OpenCV cannot write this kind of file.
    :raises OSError: the file cannot be written.
    """
    if not cv2.haveImageWriter(str(path)):
        raise ValueError(f"'{path}' is not a kind of image that can be written: name a .png")
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as part:
        if not cv2.imwrite(str(part), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
            raise OSError(f"'{path}' cannot be written: check the folder and the disk")
