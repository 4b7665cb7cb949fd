# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that are refused before anything of the node changes."""

import pytest

from mfs_seg_ros.node.parameters import SEGMENTER
from mfs_seg_ros.pipeline.configure import make_plan

SETTINGS = {setting.name: setting.default for setting in SEGMENTER}


@pytest.mark.parametrize('bits', [1, 7])
def test_impossible_bit_depths_are_refused(bits):
    with pytest.raises(ValueError, match=f'bit_depth must be 0 .* from 8 to 16, not {bits}'):
        make_plan({**SETTINGS, 'bit_depth': bits})


def test_groups_of_other_classes_are_refused(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text('groups: [{name: drivable, classes: [Street]}]')
    with pytest.raises(ValueError, match="group 'drivable' lists the class 'Street', which the "
                                         'weights lack: choose from Sky'):
        make_plan({**SETTINGS, 'class_groups': str(path)})


@pytest.mark.parametrize('changes, sentence', [
    ({'points': 'lidar'}, "'points' must be one of depth, cloud, or empty, not 'lidar'"),
    ({'points': 'depth', 'sensors': 'events'}, "points 'depth' needs masks of images: set the "
     "parameter 'trigger' to 'image' or 'both', or 'points' to an empty text"),
])
def test_points_that_are_impossible_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_plan({**SETTINGS, **changes})
