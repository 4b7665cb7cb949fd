# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small folders of images with labels of own classes, in several forms of labels."""

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.images.palette_png import indexed_png

# Values of the labels: no class, 'floor' and 'shelf'.
VOID, FLOOR, SHELF = 0, 4, 9
COLOURS = np.zeros((10, 3), np.uint8)
COLOURS[FLOOR], COLOURS[SHELF] = (120, 60, 200), (10, 200, 30)
CLASSES = ('name: warehouse\nclasses:\n'
           '  - {name: floor, colour: [120, 60, 200], values: [4]}\n'
           "  - {name: shelf, colour: '#0ac81e', values: [9]}\n"
           'ignore: [0]\n')
COLOURED = ('name: warehouse\nlabels: colours\nclasses:\n'
            '  - {name: floor, colour: [120, 60, 200]}\n'
            "  - {name: shelf, colour: '#0ac81e'}\n"
            'ignore: [[0, 0, 0]]\n')
DATA = ("data: {type: folder, images: 'images/*.png', labels: 'labels/*.png', "
        'classes: classes.yaml')
# Forms of labels, each with its file of classes.
FORMS = {'ids': CLASSES, 'palette': CLASSES, 'colours': COLOURED, 'ids16': CLASSES}


def write_label(path: Path, values: np.ndarray, form: str = 'ids') -> None:
    """Write values, uint8 ``[H, W]``, in one of the forms."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == 'palette':
        path.write_bytes(indexed_png(values, COLOURS))
    else:
        image = COLOURS[values][..., ::-1] if form == 'colours' else values.astype(
            np.uint16 if form == 'ids16' else np.uint8)
        assert cv2.imwrite(str(path), image)


def values_of(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """Return the stored values of a label: shelf above, floor below, a corner of no class."""
    width, height = size
    values = np.full((height, width), FLOOR, np.uint8)
    values[:height // 3 + index % 5] = SHELF
    values[-5:, -5:] = VOID
    return values


def write_folder(root: Path, names: list[str], form: str = 'ids', more: str = '',
                 unlabelled: tuple[str, ...] = ()) -> Path:
    """
    Write images, labels, ``classes.yaml`` and ``own.yaml``.

    :param root: folder to write to.
    :param names: names of the images without suffix, with folders.
    :param form: form of the labels.
    :param more: further settings of the mapping ``data``.
    :param unlabelled: names of images without a label.
    :returns: path of ``own.yaml``.
    """
    random = np.random.default_rng(0)
    for index, name in enumerate(names):
        values = values_of(index)
        # The shelf is bright, the floor dark.
        bgr = np.where(values[..., None] == SHELF, (60, 220, 200), (90, 60, 50)).astype(float)
        path = root / 'images' / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        noisy = np.clip(bgr + random.normal(0, 6, bgr.shape), 0, 255)
        assert cv2.imwrite(str(path), noisy.astype(np.uint8))
        if name not in unlabelled:
            write_label(root / 'labels' / f'{name}.png', values, form)
    (root / 'classes.yaml').write_text(FORMS[form])
    (root / 'own.yaml').write_text(
        f'name: own\n{DATA}{", " if more else ""}{more}}}\nsize: [64, 48]\n')
    return root / 'own.yaml'
