# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Class sets and drawing."""

import numpy as np
import pytest

from mfs_seg_core.labels import CAMVID, UNLABELLED, colourise, overlay

MASK = np.array([[0, 3], [10, UNLABELLED]], np.uint8)


def test_camvid():
    assert len(CAMVID) == 11 and CAMVID.palette.shape == (11, 3)
    assert len({tuple(colour) for colour in CAMVID.palette}) == 11


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
