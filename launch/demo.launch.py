# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plays Street or a recording as a camera, an event camera or both, and segments it."""

from launch.actions import DeclareLaunchArgument, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription

# Name, type of the player's parameter, default, description.
PLAYER_ARGUMENTS = (
    ('input', str, 'street',
     "'street', a CamVid folder, a folder of images, a video, a recording of an event camera, or a "
     'rosbag2 folder or file'),
    ('sensors', str, 'camera', "'camera', 'events' or 'fusion', both: what is played and seen"),
    ('packet_ms', int, '5', 'length of a packet of events in milliseconds'),
    ('rate', float, '0.0', 'frames per second; 0: the rate of the input'),
    ('loop', bool, 'false', 'begin again when the input ends'),
    ('seconds', float, '0.0', 'stop after this many seconds; 0: no limit'),
    ('seed', int, '0', 'seed of Street'),
    ('width', int, '0', 'width of the frames; 0: as the input has it'),
    ('height', int, '0', 'height of the frames; 0: as the input has it'),
)
OTHER_ARGUMENTS = (
    ('weights', 'street', 'name of shipped weights, or a weights file'),
    ('namespace', '', 'namespace of both nodes'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
)


def generate_launch_description() -> LaunchDescription:
    """Start player and segmenter; all ends when one of them does."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, _, default, description in PLAYER_ARGUMENTS
    ] + [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in OTHER_ARGUMENTS
    ]
    common = {
        'package': 'mfs_seg_ros',
        'namespace': LaunchConfiguration('namespace'),
        'arguments': ['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        'output': 'screen',
    }
    # The types are given: a path of digits stays text, and a rate of 20 becomes 20.0.
    player_parameters = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, kind, _, _ in PLAYER_ARGUMENTS
    }
    return LaunchDescription([
        *declared,
        Node(
            executable='segmenter',
            name='mfs_seg',
            parameters=[{name: ParameterValue(LaunchConfiguration(name), value_type=str)
                         for name in ('weights', 'sensors')}],
            remappings=[('~/image', 'camera/image_raw'), ('~/events', 'event_camera/events')],
            on_exit=Shutdown(),
            **common,
        ),
        Node(
            executable='player',
            name='player',
            # The sensors start when the segmenter listens.
            parameters=[player_parameters, {'wait_for': 1}],
            on_exit=Shutdown(),
            **common,
        ),
    ])
