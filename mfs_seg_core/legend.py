# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Draw the classes of masks: id, colour and name of each.

``mfs-seg legend --weights street --output legend.png``
``mfs-seg legend --classes dsec --output legend.png``
``mfs-seg legend --weights street --class-groups drivable --output legend.png``
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.labels import SETS, UNLABELLED, ClassSet
from mfs_seg_core.util.image_file import save_image
from mfs_seg_core.weights.header import find_weights, read_header

PAPER = (250, 250, 248)
INK = (40, 42, 48)
FONT = cv2.FONT_HERSHEY_SIMPLEX
# Sizes in pixels, and scales of the font: of the table, and of the band.
MARGIN, ROW, SWATCH, GAP, SCALE = 14, 32, (44, 22), 12, 0.6
BAND_MARGIN, BAND_ROW, BAND_SWATCH, BAND_GAP, BAND_SCALE = 8, 22, (12, 12), 5, 0.42
BAND_SPACE = 14


def legend_image(classes: ClassSet) -> np.ndarray:
    """
    Draw a table of classes: one row per class, and one for unlabelled pixels.

    :param classes: classes to draw.
    :returns: uint8 ``[H, W, 3]``, RGB.
    """
    rows = [(str(number), name, tuple(colour))
            for number, (name, colour) in enumerate(zip(classes.names, classes.palette.tolist()))]
    rows.append((str(UNLABELLED), 'unlabelled', (0, 0, 0)))
    id_width = max(text_width(number, SCALE) for number, _, _ in rows)
    swatch_left = MARGIN + id_width + GAP
    name_left = swatch_left + SWATCH[0] + GAP
    width = name_left + max(text_width(name, SCALE) for _, name, _ in rows) + MARGIN
    image = blank_image(2 * MARGIN + ROW * len(rows), width)
    for index, (number, name, colour) in enumerate(rows):
        middle = MARGIN + ROW * index + ROW // 2
        _draw_swatch(image, (swatch_left, middle - SWATCH[1] // 2), SWATCH, colour)
        draw_text(image, number, (MARGIN + id_width - text_width(number, SCALE), middle + 7), SCALE)
        draw_text(image, name, (name_left, middle + 7), SCALE)
    return image


def legend_band(classes: ClassSet, width: int) -> np.ndarray:
    """
    Draw the colours and names of classes next to each other, in as many rows as they take.

    :param classes: classes to draw.
    :param width: width of the image, in pixels.
    :returns: uint8 ``[H, width, 3]``, RGB.
    """
    left, top, places = BAND_MARGIN, 0, []
    for name, colour in zip(classes.names, classes.palette.tolist()):
        entry_width = BAND_SWATCH[0] + BAND_GAP + text_width(name, BAND_SCALE)
        if left + entry_width > width - BAND_MARGIN and left > BAND_MARGIN:
            left, top = BAND_MARGIN, top + BAND_ROW
        places.append((left, top, name, tuple(colour)))
        left += entry_width + BAND_SPACE
    image = blank_image(top + BAND_ROW + 6, width)
    for left, top, name, colour in places:
        _draw_swatch(image, (left, top + 8), BAND_SWATCH, colour)
        draw_text(image, name, (left + BAND_SWATCH[0] + BAND_GAP, top + 19), BAND_SCALE)
    return image


def blank_image(height: int, width: int) -> np.ndarray:
    """Return an image uint8 ``[height, width, 3]`` in the colour of the background."""
    return np.full((height, width, 3), PAPER, np.uint8)


def text_width(text: str, scale: float) -> int:
    """Return the width of a text, in pixels."""
    return cv2.getTextSize(text, FONT, scale, 1)[0][0]


def draw_text(image: np.ndarray, text: str, corner: tuple[int, int], scale: float,
              colour: tuple[int, int, int] = INK) -> None:
    """Draw a text whose lower left ``corner`` is ``(x, y)``."""
    cv2.putText(image, text, corner, FONT, scale, colour, 1, cv2.LINE_AA)


def _draw_swatch(image: np.ndarray, corner: tuple[int, int], size: tuple[int, int],
                 colour: tuple[int, ...]) -> None:
    far = corner[0] + size[0], corner[1] + size[1]
    cv2.rectangle(image, corner, far, colour, cv2.FILLED)
    cv2.rectangle(image, corner, far, INK, 1)


def save_legend(path: Path, classes: ClassSet) -> None:
    """
    Write the table of classes to an image file.

    :param path: path of the file; its folder is created.
    :param classes: classes to draw.
    :raises ValueError: OpenCV cannot write this kind of file.
    :raises OSError: the file cannot be written.
    """
    save_image(path, legend_image(classes))


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog='mfs-seg legend', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--weights', help='weights whose classes to draw: name or path')
    source.add_argument('--classes', choices=SETS, help='name of a class set')
    parser.add_argument('--class-groups', metavar='GROUPS',
                        help='draw groups of these classes: shipped name or YAML file')
    parser.add_argument('--output', type=Path, required=True, metavar='FILE')
    options = parser.parse_args(arguments)
    try:
        if options.weights:
            classes = read_header(find_weights(options.weights)).metadata.classes
        else:
            classes = SETS[options.classes]
        if options.class_groups:
            classes = load_groups(options.class_groups, classes).classes
        save_legend(options.output, classes)
    except (ValueError, OSError) as error:
        print(f'legend: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
