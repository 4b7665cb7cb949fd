# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of a time is rendered once for all sensors, and is read-only."""

import numpy as np
import pytest

from mfs_seg_core.data.street import EventCamera, Street


def test_frame_and_events_share_a_scene(monkeypatch):
    street = Street(1, 64, 48)
    rendered = []
    project = Street._project
    monkeypatch.setattr(Street, '_project', lambda self, view, things: (
        rendered.append(view.time_s), project(self, view, things))[1])
    street.frame(1.0)
    EventCamera(street).events(1.0, 1.05)
    street.frame(1.05)
    assert rendered == pytest.approx([1.0, 1.0125, 1.025, 1.0375, 1.05])


def test_shared_scenes_are_read_only():
    street = Street(1, 64, 48)
    scene = street.scene(1.0)
    with pytest.raises(ValueError, match='read-only'):
        scene.image[0] = 0
    frame = street.frame(1.0)
    before = frame.label.copy()
    frame.label[:] = 255
    frame.image[:] = 0
    assert np.array_equal(street.frame(1.0).label, before)
