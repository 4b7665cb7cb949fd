# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The example of labelled points."""

import subprocess
import sys

import cv2
import numpy as np
from support.paths import REPOSITORY

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.labels import CAMVID


def test_the_example_draws_the_colours_of_the_groups(tmp_path):
    path = tmp_path / 'points.png'
    subprocess.run([sys.executable, str(REPOSITORY / 'examples/labelled_points.py'), '--output',
                    str(path)], cwd=REPOSITORY, timeout=120, check=True)
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert image.shape == (240, 960, 3)
    colours = {tuple(colour) for colour in load_groups('drivable', CAMVID).classes.palette.tolist()}
    drawn = {tuple(colour) for colour in np.unique(image[:, 640:].reshape(-1, 3), axis=0).tolist()}
    # The sky has no points, and the rest is the background.
    assert drawn - {(24, 24, 24)} <= colours - {(70, 130, 180)} and len(drawn) >= 5
