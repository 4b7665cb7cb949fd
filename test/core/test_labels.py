# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Class sets and drawing."""

import numpy as np
import pytest

from mfs_seg_core.labels import CAMVID, DDD17, DSEC, UNLABELLED, colourise, overlay

MASK = np.array([[0, 3], [10, UNLABELLED]], np.uint8)


@pytest.mark.parametrize('classes, count', [(CAMVID, 11), (DDD17, 6), (DSEC, 11)])
def test_class_sets(classes, count):
    assert len(classes) == count == len(set(classes.names))
    assert classes.palette.shape == (count, 3) and classes.palette.dtype == np.uint8
    # Colours are distinct, and none is black, the colour of unlabelled pixels.
    assert len({(0, 0, 0), *map(tuple, classes.palette.tolist())}) == count + 1


@pytest.mark.parametrize('classes', [DDD17, DSEC])
def test_names_and_colours_belong_together(classes):
    """Both sets have the colours of Cityscapes."""
    colours = dict(zip(classes.names, classes.palette.tolist()))
    cityscapes = {'flat': [128, 64, 128], 'road': [128, 64, 128], 'human': [220, 20, 60],
                  'person': [220, 20, 60], 'vehicle': [0, 0, 142], 'car': [0, 0, 142],
                  'vegetation': [107, 142, 35], 'traffic sign': [220, 220, 0],
                  'sidewalk': [244, 35, 232], 'wall': [102, 102, 156], 'pole': [153, 153, 153]}
    shared = colours.keys() & cityscapes.keys()
    assert len(shared) >= 4
    assert all(colours[name] == cityscapes[name] for name in shared)


def test_colourise():
    drawn = colourise(MASK, CAMVID)
    assert drawn.tolist() == [[[128, 128, 128], [128, 64, 128]], [[0, 128, 192], [0, 0, 0]]]


def test_overlay():
    image = np.full((2, 2, 3), 200, np.uint8)
    assert (overlay(image, MASK, CAMVID, 0.0) == image).all()
    full = overlay(image, MASK, CAMVID, 1.0)
    assert (full[MASK != UNLABELLED] == colourise(MASK, CAMVID)[MASK != UNLABELLED]).all()
    assert (full[1, 1] == 200).all(), 'unlabelled pixels stay as they are'
    assert overlay(image, MASK, CAMVID, 0.5)[0, 0].tolist() == [164, 164, 164]
    with pytest.raises(ValueError, match='one size'):
        overlay(image, MASK[:1], CAMVID)
