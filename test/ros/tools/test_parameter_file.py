# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files hold all values that ROS takes, whatever their characters."""

import os

import pytest
import rclpy

from mfs_seg_ros.tools.parameter_file import write_parameters

VALUES = {
    'emoji': 'out/Fahrt \U0001f600.webm', 'blanks': '  a  b\t', 'accents': 'späte Straße',
    'quotes': """it's "so": {x: [1, #2]} \\n""", 'lines': 'a\nb', 'empty': '', 'word': 'true',
    'number': '12', 'control': '\x01\x1b\x7f\x85\u2028\ufeff', 'percent': '%YAML & *a !b |',
    'yes': True, 'count': 7, 'seconds': 0.0, 'small': 1e-05, 'large': 1e16,
    'names': ['a', '\U0001f600'], 'numbers': [1.0, 2.5], 'long': 'x' * 200_000}


def read(path, names) -> dict:
    """Return the parameters of a node that is started with a file."""
    context = rclpy.Context()
    rclpy.init(context=context, args=['--ros-args', '--params-file', str(path)])
    try:
        node = rclpy.create_node('reader', context=context,
                                 automatically_declare_parameters_from_overrides=True)
        found = {name: node.get_parameter(name).value for name in names}
        node.destroy_node()
    finally:
        rclpy.shutdown(context=context)
    return found


def test_values_are_read_as_they_are(environment, tmp_path):
    path = tmp_path / 'späte Fahrt \U0001f600' / 'player.yaml'
    write_parameters(path, VALUES)
    found = read(path, VALUES)
    assert {name: list(value) if name.startswith(('names', 'numbers')) else value
            for name, value in found.items()} == VALUES
    assert all(type(found[name]) is type(value) for name, value in VALUES.items()
               if not isinstance(value, list))


def test_names_that_are_not_utf_8_are_one_sentence(tmp_path):
    name = os.fsdecode(b'ride \xe9.webm')
    with pytest.raises(ValueError, match=r"'ride \?.webm' is not UTF-8, as ROS parameters must be"):
        write_parameters(tmp_path / 'a.yaml', {'seed': 3, 'good': 'é', 'input': name})
    assert not (tmp_path / 'a.yaml').exists()
