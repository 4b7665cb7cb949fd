# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The legend shows every class in its colour."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from support.paths import REPOSITORY

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.legend import INK, PAPER, ROW, SETS, SWATCH, legend_image
from mfs_seg_core.weights.file import load_weights

DRAWN = REPOSITORY / 'docs' / 'legend.png'


def swatches(picture: np.ndarray) -> list[tuple[int, ...]]:
    """Return the colours that fill a swatch, from top to bottom."""
    found = []
    for line in picture:
        colours, counts = np.unique(line, axis=0, return_counts=True)
        for colour in colours[counts >= SWATCH[0] - 2].tolist():
            if tuple(colour) not in (PAPER, INK) and tuple(colour) not in found[-1:]:
                found.append(tuple(colour))
    return found


@pytest.mark.parametrize('classes', SETS.values(), ids=SETS)
def test_every_class_has_its_colour(classes):
    picture = legend_image(classes)
    assert picture.dtype == np.uint8 and picture.shape[0] > ROW * len(classes)
    assert swatches(picture) == [*map(tuple, classes.palette.tolist()), (0, 0, 0)]


def test_nothing_is_cut_off():
    for classes in SETS.values():
        picture = legend_image(classes)
        for border in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
            assert (border == PAPER).all()


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, '-m', 'mfs_seg_core.legend', *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize('whose', [('--classes', 'camvid'), ('--weights', 'street')])
def test_command(tmp_path, whose):
    path = tmp_path / 'new' / 'legend.png'
    result = run(*whose, '--output', path)
    assert result.returncode == 0, result.stderr
    assert [each.name for each in path.parent.iterdir()] == ['legend.png']
    drawn = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert (drawn == legend_image(CAMVID)).all()


@pytest.mark.parametrize('arguments, sentence', [
    (('--weights', 'nosuch', '--output', 'legend.png'), "legend: no weights 'nosuch'"),
    (('--classes', 'camvid', '--output', 'legend.txt'), "legend: 'legend.txt' is no kind of image"),
])
def test_mistakes_are_said_in_a_sentence(arguments, sentence):
    result = run(*arguments)
    assert result.returncode == 1
    assert sentence in result.stderr and 'Traceback' not in result.stderr


def test_the_picture_in_docs_is_that_of_shipped_weights():
    drawn = cv2.cvtColor(cv2.imread(str(DRAWN)), cv2.COLOR_BGR2RGB)
    for name in ('street', 'camvid'):
        assert swatches(drawn) == swatches(legend_image(load_weights(name)[1].classes))
