# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of parameters, the file that ships with it, and the warning about transports."""

from pathlib import Path

import pytest
import yaml

from mfs_seg_ros.parameters import SEGMENTER
from mfs_seg_ros.transport import transport_warning

CONFIG = Path(__file__).resolve().parents[1] / 'config'
DEFAULTS = {setting.name: setting.default for setting in SEGMENTER}


def given_in(name: str) -> dict:
    return yaml.safe_load((CONFIG / name).read_text())['/**']['ros__parameters']


def test_parameter_file_holds_every_parameter_at_its_default():
    given = given_in('segment.yaml')
    assert given == DEFAULTS
    assert {name: type(value) for name, value in given.items()} == {
        name: type(value) for name, value in DEFAULTS.items()}


@pytest.mark.parametrize('sensors, trigger', [('events', 'events'), ('fusion', 'both')])
def test_parameter_files_of_events_differ_in_what_is_listened_to(sensors, trigger):
    given = given_in(f'segment_{sensors}.yaml')
    assert {name: value for name, value in given.items() if DEFAULTS[name] != value} == {
        'sensors': sensors, 'trigger': trigger}


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
