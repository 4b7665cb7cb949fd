# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment the data of a camera, an event camera or both."""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from mfs_seg_ros.node.launch_arguments import ARGUMENTS, node_options

CONFIG = Path(__file__).resolve().parents[1] / 'config'


def generate_launch_description() -> LaunchDescription:
    """Start the node ``mfs_seg``."""
    return LaunchDescription([
        *(DeclareLaunchArgument(argument.name, default_value=argument.default,
                                description=argument.description) for argument in ARGUMENTS),
        OpaqueFunction(function=start_node),
    ])


def start_node(context: LaunchContext) -> list[Node]:
    """Return the node for the values of the arguments."""
    options = node_options(context.launch_configurations, CONFIG)
    # With explicit types, a name of digits remains text.
    given = {name: ParameterValue(value, value_type=list[str] if isinstance(value, list) else
                                  type(value))
             for name, value in options.parameters.items()}
    return [Node(
        package='mfs_seg_ros',
        executable='segmenter',
        name='mfs_seg',
        namespace=options.namespace,
        parameters=[options.params_file, given],
        remappings=options.remappings,
        arguments=['--ros-args', '--log-level', options.log_level],
        respawn=options.respawn,
        output='screen',
    )]
