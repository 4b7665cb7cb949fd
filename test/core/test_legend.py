# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Legends: every class in its colour, as a table and as a band."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from support.paths import REPOSITORY

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.legend import (
    BAND_ROW,
    BAND_SWATCH,
    INK,
    PAPER,
    ROW,
    SETS,
    SWATCH,
    legend_band,
    legend_image,
    main,
)
from mfs_seg_core.weights.file import load_weights

DRAWN = REPOSITORY / 'docs' / 'legend.png'


def swatches(image: np.ndarray) -> list[tuple[int, ...]]:
    """Return the colours that fill a swatch, from top to bottom."""
    found = []
    for line in image:
        colours, counts = np.unique(line, axis=0, return_counts=True)
        for colour in colours[counts >= SWATCH[0] - 2].tolist():
            if tuple(colour) not in (PAPER, INK) and tuple(colour) not in found[-1:]:
                found.append(tuple(colour))
    return found


@pytest.mark.parametrize('classes', SETS.values(), ids=SETS)
def test_every_class_has_its_colour(classes):
    image = legend_image(classes)
    assert image.dtype == np.uint8 and image.shape[0] > ROW * len(classes)
    assert swatches(image) == [*map(tuple, classes.palette.tolist()), (0, 0, 0)]


@pytest.mark.parametrize('classes', SETS.values(), ids=SETS)
@pytest.mark.parametrize('width', [40, 640])
def test_band(classes, width):
    band = legend_band(classes, width)
    assert band.dtype == np.uint8 and band.shape[1:] == (width, 3)
    rows = (band.shape[0] - 6) // BAND_ROW
    assert rows == len(classes) if width == 40 else rows < len(classes)
    for colour in classes.palette:
        # Without the outline of the swatch.
        assert (band == colour).all(2).sum() >= (BAND_SWATCH[0] - 1) * (BAND_SWATCH[1] - 1)


def test_nothing_is_cut_off():
    for classes in SETS.values():
        for image in (legend_image(classes), legend_band(classes, 640)):
            for border in (image[0], image[-1], image[:, 0], image[:, -1]):
                assert (border == PAPER).all()


@pytest.mark.parametrize('source', [('--classes', 'camvid'), ('--weights', 'street')])
def test_command(tmp_path, source):
    path = tmp_path / 'new' / 'legend.png'
    assert main([*source, '--output', str(path)]) == 0
    assert [each.name for each in path.parent.iterdir()] == ['legend.png']
    drawn = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert (drawn == legend_image(CAMVID)).all()


def test_groups(tmp_path):
    path = tmp_path / 'legend.png'
    assert main(['--classes', 'camvid', '--class-groups', 'drivable', '--output', str(path)]) == 0
    drawn = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert (drawn == legend_image(load_groups('drivable', CAMVID).classes)).all()


def test_process(tmp_path):
    """A class set is drawn without loading torch."""
    script = ('import runpy, sys; sys.argv[1:] = ["--classes", "dsec", "--output", "legend.png"]\n'
              'try: runpy.run_module("mfs_seg_core.legend", run_name="__main__")\n'
              'except SystemExit as end: sys.exit(end.code or "torch" in sys.modules)')
    subprocess.run([sys.executable, '-c', script], cwd=tmp_path, timeout=120, check=True)
    assert (tmp_path / 'legend.png').is_file()


@pytest.mark.parametrize('arguments, sentence', [
    (('--weights', 'nosuch', '--output', 'legend.png'), "legend: no weights 'nosuch'"),
    (('--classes', 'camvid', '--output', 'legend.txt'),
     "legend: 'legend.txt' is not a kind of image"),
    (('--classes', 'dsec', '--class-groups', 'drivable', '--output', 'legend.png'),
     "lists the class 'Road', which the weights lack"),
])
def test_wrong_arguments(arguments, sentence, capsys):
    assert main([*arguments]) == 1
    assert sentence in capsys.readouterr().err


def test_legend_of_the_documentation():
    """The image in docs shows the classes of the shipped weights."""
    drawn = cv2.cvtColor(cv2.imread(str(DRAWN)), cv2.COLOR_BGR2RGB)
    for name in ('street', 'camvid'):
        assert swatches(drawn) == swatches(legend_image(load_weights(name)[1].classes))
