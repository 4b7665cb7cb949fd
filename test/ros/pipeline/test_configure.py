# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that are refused before anything of the node changes."""

import pytest

from mfs_seg_ros.node.parameters import SEGMENTER
from mfs_seg_ros.pipeline.configure import make_plan


@pytest.mark.parametrize('bits', [1, 7])
def test_impossible_bit_depths_are_refused(bits):
    settings = {setting.name: setting.default for setting in SEGMENTER}
    with pytest.raises(ValueError, match=f'bit_depth must be 0 .* from 8 to 16, not {bits}'):
        make_plan({**settings, 'bit_depth': bits})
