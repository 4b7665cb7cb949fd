# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An example of own data: drives of Street with labels of other classes, in PNGs with a palette."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.data.street import Street
from mfs_seg_core.images.palette_png import indexed_png
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.util.files import write_whole

# Name, colour and classes of Street.
CLASSES = {
    'drivable': ((128, 64, 128), ('Road',)),
    'walkable': ((244, 35, 232), ('Pavement',)),
    'vegetation': ((107, 142, 35), ('Tree',)),
    'structure': ((70, 70, 70), ('Building', 'Fence', 'Pole', 'SignSymbol')),
    'vehicle': ((0, 0, 142), ('Car',)),
    'vulnerable': ((220, 20, 60), ('Pedestrian', 'Bicyclist')),
}
# Labels begin at 1: 0 is for pixels without a class, here the sky.
FIRST = 1
# No seed of the training, validation or test set of Street.
SEED = 770_000
# Drives to train on, and to validate on.
DRIVES = (20, 6)
FRAMES, RATE_HZ = 4, 10.0
SIZE = (240, 180)

SETTINGS = f"""# Drawn by mfs-seg data --example: drives of {FRAMES} frames at {RATE_HZ:g} Hz.
name: example
data:
  type: folder
  images: images/*.png
  labels: labels/*.png
  classes: classes.yaml
  split: {{train: ['train*'], val: ['val*']}}
  sequences: {{names: '{{recording}}_{{frame}}', rate_hz: {RATE_HZ}}}
model: fast
start: street
length: {FRAMES}
epochs: 10
batch_size: 4
learning_rate: 2.0e-3
validate_every: 5
notes:
  licence: Apache-2.0
  data: drawn by mfs-seg data --example
"""


def write_example(folder: Path, drives: tuple[int, int] = DRIVES) -> Path:
    """
    Draw images and labels, and write the files of classes and settings.

    :param folder: folder to write to.
    :param drives: number of drives to train on, and to validate on.
    :returns: path of the file of settings.
    :raises ValueError: the folder has files already.
    :raises OSError: a file cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f'{folder} has files already: name a new folder')
    ids = np.zeros(256, np.uint8)
    for number, (_, sources) in enumerate(CLASSES.values(), FIRST):
        ids[[CAMVID.names.index(name) for name in sources]] = number
    palette = np.array([(0, 0, 0), *(colour for colour, _ in CLASSES.values())], np.uint8)
    for drive in range(sum(drives)):
        street = Street(SEED + drive, *SIZE, RATE_HZ)
        name = f'train{drive}' if drive < drives[0] else f'val{drive - drives[0]}'
        for number in range(FRAMES):
            frame = street.frame(number / RATE_HZ)
            bgr = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
            write_whole(folder / 'images' / f'{name}_{number}.png',
                        cv2.imencode('.png', bgr)[1].tobytes())
            write_whole(folder / 'labels' / f'{name}_{number}.png',
                        indexed_png(ids[frame.label], palette))
    write_whole(folder / 'classes.yaml', _classes().encode())
    write_whole(folder / 'train.yaml', SETTINGS.encode())
    return folder / 'train.yaml'


def _classes() -> str:
    lines = [f'  - {{name: {name}, colour: {list(colour)}, values: [{number}]}}'
             for number, (name, (colour, _)) in enumerate(CLASSES.items(), FIRST)]
    return '\n'.join(['name: example', 'classes:', *lines, 'ignore: [0]    # the sky', ''])
