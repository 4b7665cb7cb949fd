# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments the images of a camera."""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from mfs_seg_ros.launch_arguments import ARGUMENTS, node_options

PARAMS_FILE = Path(__file__).resolve().parents[1] / 'config' / 'segment.yaml'


def generate_launch_description() -> LaunchDescription:
    """Start the node `mfs_seg`."""
    return LaunchDescription([
        DeclareLaunchArgument('params_file', default_value=str(PARAMS_FILE),
                              description='Parameters; arguments that are given win over them.'),
        *(DeclareLaunchArgument(argument.name, default_value=argument.default,
                                description=argument.description) for argument in ARGUMENTS),
        OpaqueFunction(function=start_node),
    ])


def start_node(context: LaunchContext) -> list[Node]:
    """Give the node for the values of the arguments."""
    options = node_options(context.launch_configurations)
    # The types are given: a name of digits stays text.
    given = {name: ParameterValue(value, value_type=type(value))
             for name, value in options.parameters.items()}
    return [Node(
        package='mfs_seg_ros',
        executable='segmenter',
        name='mfs_seg',
        namespace=options.namespace,
        parameters=[context.launch_configurations['params_file'], given],
        remappings=options.remappings,
        arguments=['--ros-args', '--log-level', options.log_level],
        respawn=options.respawn,
        output='screen',
    )]
