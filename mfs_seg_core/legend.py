# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Draw the classes of masks: id, colour and name of each.

``python -m mfs_seg_core.legend --weights street --output legend.png``
``python -m mfs_seg_core.legend --classes dsec --output legend.png``
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.labels import CAMVID, DDD17, DSEC, UNLABELLED, ClassSet
from mfs_seg_core.util.files import written_aside

SETS = {classes.name: classes for classes in (CAMVID, DDD17, DSEC)}
PAPER = (250, 250, 248)
INK = (40, 42, 48)
FONT = cv2.FONT_HERSHEY_SIMPLEX
SCALE = 0.6
# In pixels.
MARGIN, ROW, SWATCH, GAP = 14, 32, (44, 22), 12


def legend_image(classes: ClassSet) -> np.ndarray:
    """
    Give a picture with a row a class, and one for pixels that have none.

    :returns: uint8 ``[H, W, 3]``, RGB.
    """
    rows = [(str(number), name, tuple(colour.tolist()))
            for number, (name, colour) in enumerate(zip(classes.names, classes.palette))]
    rows.append((str(UNLABELLED), 'unlabelled', (0, 0, 0)))
    id_width = max(_width(number) for number, _, _ in rows)
    name_left = MARGIN + id_width + GAP + SWATCH[0] + GAP
    width = name_left + max(_width(name) for _, name, _ in rows) + MARGIN
    picture = np.full((2 * MARGIN + ROW * len(rows), width, 3), PAPER, np.uint8)
    for index, (number, name, colour) in enumerate(rows):
        middle = MARGIN + ROW * index + ROW // 2
        corner = MARGIN + id_width + GAP, middle - SWATCH[1] // 2
        far = corner[0] + SWATCH[0], corner[1] + SWATCH[1]
        cv2.rectangle(picture, corner, far, colour, cv2.FILLED)
        cv2.rectangle(picture, corner, far, INK, 1)
        for text, left in ((number, MARGIN + id_width - _width(number)), (name, name_left)):
            cv2.putText(picture, text, (left, middle + 7), FONT, SCALE, INK, 1, cv2.LINE_AA)
    return picture


def _width(text: str) -> int:
    return cv2.getTextSize(text, FONT, SCALE, 1)[0][0]


def save_legend(path: Path, classes: ClassSet) -> None:
    """
    Write the picture to a file.

    :raises ValueError: OpenCV does not write files of this name's kind.
    """
    if not cv2.haveImageWriter(str(path)):
        raise ValueError(f"'{path}' is no kind of image that can be written: name a .png")
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as part:
        if not cv2.imwrite(str(part), cv2.cvtColor(legend_image(classes), cv2.COLOR_RGB2BGR)):
            raise OSError(f"'{path}' cannot be written: check the folder and the disk")


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='mfs-seg legend', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument('--weights', help='name or path: the classes that these know')
    whose.add_argument('--classes', choices=SETS, help='name of a class set')
    parser.add_argument('--output', type=Path, required=True, metavar='FILE')
    options = parser.parse_args(arguments)
    try:
        if options.weights:
            # Not above: a class set needs no torch.
            from mfs_seg_core.weights.file import load_weights
            classes = load_weights(options.weights)[1].classes
        else:
            classes = SETS[options.classes]
        save_legend(options.output, classes)
    except (ValueError, OSError) as error:
        print(f'legend: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
