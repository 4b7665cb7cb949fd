# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Counts of the segmenter, read from its diagnostics."""

import pytest
from builtin_interfaces.msg import Time

from mfs_seg_ros.diagnostics.drops import (
    ADVICE,
    IMAGES_DROPPED,
    IMAGES_UNUSABLE,
    POINTS_UNCALIBRATED,
    POINTS_UNMATCHED,
    POINTS_UNUSABLE,
    STEPS_FAILED,
)
from mfs_seg_ros.diagnostics.health import Health, Limits
from mfs_seg_ros.diagnostics.status import diagnostic_array
from mfs_seg_ros.tools.camera_diagnostics import IMAGE_CAUSES, PACKET_CAUSES, CameraDiagnostics

pytestmark = pytest.mark.usefixtures('environment')


def test_counts_are_those_of_the_last_status():
    diagnostics = CameraDiagnostics('reader')
    health = Health(['image'], 4, Limits(), 0.0)
    assert diagnostics.count('images received') == 0
    assert diagnostics.node_value('backend') is None
    for second in (1.0, 2.0):
        health.arrived('image', second)
        health.lost(IMAGES_DROPPED, 2)
        health.lost(IMAGES_UNUSABLE)
        report = health.report(second)
        for name in ('mfs_seg', 'another'):
            diagnostics.on_report(diagnostic_array(Time(), name, 'cpu', {'': report},
                                                   {'backend': f'of {name}'}, []))
    diagnostics.destroy_node()
    assert diagnostics.reports == 2
    assert diagnostics.count('images received') == 2
    assert diagnostics.node_value('backend') == 'of mfs_seg'
    assert diagnostics.without_mask(IMAGE_CAUSES) == 6
    assert diagnostics.without_mask(PACKET_CAUSES) == 0


def test_every_cause_without_a_mask_is_counted():
    assert {*IMAGE_CAUSES, *PACKET_CAUSES} == {*ADVICE} - {
        STEPS_FAILED, POINTS_UNUSABLE, POINTS_UNMATCHED, POINTS_UNCALIBRATED}
