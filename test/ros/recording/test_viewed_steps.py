# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images, masks and confidences of one stamp become one step of a view."""

import numpy as np

from mfs_seg_ros.recording.viewed_steps import MAX_IMAGES, ViewedSteps

A, B, C = (np.full((2, 3), number, np.uint8) for number in (1, 2, 3))


def test_a_mask_waits_for_its_confidence():
    steps = ViewedSteps(confidence=True)
    steps.add_image(10, A)
    assert steps.add_mask(10, B, {'latency': 4.0}) == []
    assert steps.add_confidence(9, C) == []
    step, = steps.add_confidence(10, C)
    assert (step.stamp_ns, step.image, step.mask, step.confidence) == (10, A, B, C)
    assert step.times_ms == {'latency': 4.0} and step.events is None
    assert steps.add_confidence(10, C) == [] and steps.rest() == []


def test_the_next_mask_ends_the_wait():
    steps = ViewedSteps(confidence=True)
    steps.add_mask(10, A, {})
    step, = steps.add_mask(20, B, {}, events=C)
    assert (step.stamp_ns, step.mask, step.confidence) == (10, A, None)
    last, = steps.rest()
    assert (last.stamp_ns, last.events) == (20, C)
    assert steps.rest() == []


def test_without_confidence_no_mask_waits():
    steps = ViewedSteps(confidence=False)
    step, = steps.add_mask(10, A, {})
    assert step.stamp_ns == 10 and step.image is None
    assert steps.rest() == []


def test_images_without_a_mask_are_let_go():
    steps = ViewedSteps(confidence=False)
    for stamp_ns in range(MAX_IMAGES + 1):
        steps.add_image(stamp_ns, A)
    assert steps.add_mask(0, B, {})[0].image is None
    assert steps.add_mask(1, B, {})[0].image is A
