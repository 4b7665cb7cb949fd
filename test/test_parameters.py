# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of parameters, the file that ships with it, and the warning about transports."""

from pathlib import Path

import pytest
import yaml

from mfs_seg_ros.parameters import SEGMENTER
from mfs_seg_ros.transport import transport_warning

PARAMS_FILE = Path(__file__).resolve().parents[1] / 'config' / 'segment.yaml'


def test_parameter_file_holds_every_parameter_at_its_default():
    content = yaml.safe_load(PARAMS_FILE.read_text())
    given = content['/**']['ros__parameters']
    assert given == {setting.name: setting.default for setting in SEGMENTER}
    assert {name: type(value) for name, value in given.items()} == {
        setting.name: type(setting.default) for setting in SEGMENTER}


@pytest.mark.parametrize('rmw, environment, warned', [
    ('rmw_fastrtps_cpp', {}, True),
    ('rmw_fastrtps_dynamic_cpp', {'FASTRTPS_DEFAULT_PROFILES_FILE': ''}, True),
    ('rmw_fastrtps_cpp', {'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}, True),
    ('rmw_fastrtps_cpp', {'FASTDDS_BUILTIN_TRANSPORTS': 'LARGE_DATA?sockets_size=200KB'}, False),
    ('rmw_fastrtps_cpp', {'FASTRTPS_DEFAULT_PROFILES_FILE': 'mine.xml'}, False),
    ('rmw_fastrtps_cpp', {'FASTDDS_DEFAULT_PROFILES_FILE': 'mine.xml'}, False),
    ('rmw_cyclonedds_cpp', {}, False),
    ('rmw_zenoh_cpp', {}, False),
])
def test_lost_images_are_warned_of(rmw, environment, warned):
    assert bool(transport_warning(rmw, environment)) == warned
