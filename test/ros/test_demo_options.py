# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights by name: the defaults of the demo, and those that the node's parameter names."""

from importlib.resources import files

import pytest

from mfs_seg_ros.node.parameters import SEGMENTER
from mfs_seg_ros.tools.demo_options import parse


@pytest.mark.parametrize('arguments, weights', [
    ([], 'street_lite'),
    (['--input', 'drive.mp4'], 'camvid_lite'),
    (['--input', 'drive.raw', '--sensors', 'events'], 'street_lite'),
    (['--input', 'drive.mp4', '--weights', 'camvid'], 'camvid')])
def test_the_weights_follow_from_the_input(arguments, weights):
    assert parse(arguments).weights == weights


def test_the_parameter_names_all_shipped_weights():
    shipped = [path.name.removesuffix('.safetensors')
               for path in (files('mfs_seg_core') / 'weights' / 'pretrained').iterdir()
               if path.name.endswith('.safetensors')]
    description = next(each.description for each in SEGMENTER if each.name == 'weights')
    assert shipped and all(f"'{name}'" in description for name in shipped)
