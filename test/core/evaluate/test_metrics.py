# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores against hand counts."""

import numpy as np
import pytest

from mfs_seg_core.evaluate.metrics import ConfusionMatrix, per_image_score


def u8(*values):
    return np.array(values, np.uint8)


def test_hand_count():
    matrix = ConfusionMatrix(3)
    matrix.update(u8(0, 0, 1, 1), u8(0, 1, 1, 255))
    # Class 0: 1 right, 1 wrongly predicted; class 1: 1 right, 1 missed; class 2: nowhere.
    assert matrix.iou[:2].tolist() == [0.5, 0.5] and np.isnan(matrix.iou[2])
    assert matrix.miou == 0.5
    assert matrix.pixel_accuracy == pytest.approx(2 / 3)


def test_counts_are_global():
    """One matrix over all images, not a mean over images."""
    matrix = ConfusionMatrix(2)
    matrix.update(np.zeros(90, np.uint8), np.zeros(90, np.uint8))
    matrix.update(np.zeros(10, np.uint8), np.ones(10, np.uint8))
    assert matrix.iou.tolist() == [0.9, 0.0]


def test_predicting_no_class_is_wrong():
    matrix = ConfusionMatrix(2)
    matrix.update(u8(255, 0, 1), u8(0, 0, 1))
    assert matrix.iou.tolist() == [0.5, 1.0]
    assert matrix.pixel_accuracy == pytest.approx(2 / 3)


def test_empty():
    matrix = ConfusionMatrix(2)
    matrix.update(u8(0, 1), u8(255, 255))
    assert np.isnan(matrix.miou) and np.isnan(matrix.pixel_accuracy)


def test_wrong_input():
    matrix = ConfusionMatrix(2)
    with pytest.raises(ValueError, match='one size'):
        matrix.update(u8(0, 1), u8(0))
    with pytest.raises(ValueError, match='class id 7'):
        matrix.update(u8(0), u8(7))


def test_per_image_score():
    # Classes 0 and unlabelled: IoU 1/2 each; class 1 absent from both: 1.
    assert per_image_score(u8(0, 0, 255), u8(0, 255, 255), 2) == pytest.approx((0.5 + 0.5 + 1) / 3)
