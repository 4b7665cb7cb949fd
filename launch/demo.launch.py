# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play Street or a recording as a camera, an event camera or both, and segment it."""

from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from mfs_seg_ros.node.launch_checks import check_argument_names

# Name, type of the player's parameter, default, description.
PLAYER_ARGUMENTS = (
    ('input', str, 'street',
     "Input: 'street', a CamVid folder, a folder of images, a video, a recording of an event "
     'camera, or a rosbag2 folder or file.'),
    ('sensors', str, 'camera',
     "Sensors to play and segment: 'camera', 'events' or 'fusion' (both)."),
    ('packet_ms', int, '5', 'Duration of an event packet in milliseconds.'),
    ('rate', float, '0.0', 'Frames per second; 0: the rate of the input.'),
    ('loop', bool, 'false', 'Restart the input when it ends: true or false.'),
    ('seconds', float, '0.0', 'Stop after this time in seconds; 0: no limit.'),
    ('seed', int, '0', 'Seed of the random scenes of Street.'),
    ('width', int, '0', 'Width of the frames in pixels; 0: that of the input.'),
    ('height', int, '0', 'Height of the frames in pixels; 0: that of the input.'),
)
OTHER_ARGUMENTS = (
    ('weights', 'street_lite', 'Name of shipped weights, or path of a .safetensors file.'),
    ('namespace', '', 'Namespace of both nodes.'),
    ('log_level', 'info', 'Log level: debug, info, warn, error or fatal.'),
)


def generate_launch_description() -> LaunchDescription:
    """Start player and segmenter; shut down when one of them ends."""
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
    # With explicit types, a path of digits remains text, and a rate of 20 becomes 20.0.
    player_parameters = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, kind, _, _ in PLAYER_ARGUMENTS
    }
    return LaunchDescription([
        *declared,
        OpaqueFunction(function=check_names),
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
            # Playback starts after the segmenter has subscribed.
            parameters=[player_parameters, {'wait_for': 1}],
            on_exit=Shutdown(),
            **common,
        ),
    ])


def check_names(context: LaunchContext) -> None:
    """Refuse arguments with unknown names."""
    known = [name for name, *_ in (*PLAYER_ARGUMENTS, *OTHER_ARGUMENTS)]
    check_argument_names(context.argv, known, __file__)
