# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment the data of a camera, an event camera or both."""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, EmitEvent, LogInfo, OpaqueFunction
from launch.events import matches_action
from launch.events.process import ProcessExited, ShutdownProcess
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import Action, LaunchContext, LaunchDescription
from mfs_seg_ros.node.launch_arguments import ARGUMENTS, node_options
from mfs_seg_ros.node.launch_checks import check_argument_names

CONFIG = Path(__file__).resolve().parents[1] / 'config'
RESPAWN_DELAY_S = 2.0
# Starts that fail in a row, after which the node is not started again; and their exit code.
MAX_FAILURES = 3
FAILED = 1


def generate_launch_description() -> LaunchDescription:
    """Start the node ``mfs_seg``."""
    return LaunchDescription([
        *(DeclareLaunchArgument(argument.name, default_value=argument.default,
                                description=argument.description) for argument in ARGUMENTS),
        OpaqueFunction(function=start_node),
    ])


def start_node(context: LaunchContext) -> list[Node]:
    """Return the node for the values of the arguments."""
    check_argument_names(context.argv, [argument.name for argument in ARGUMENTS], __file__)
    options = node_options(context.launch_configurations, CONFIG)
    # With explicit types, a name of digits remains text.
    given = {name: ParameterValue(value, value_type=list[str] if isinstance(value, list) else
                                  type(value))
             for name, value in options.parameters.items()}
    failures = 0

    def limit_failures(event: ProcessExited, _: LaunchContext) -> list[Action]:
        nonlocal failures
        failures = failures + 1 if event.returncode == FAILED else 0
        if failures < MAX_FAILURES:
            return []
        return [LogInfo(msg=f'mfs_seg could not start {failures} times in a row: correct what its '
                            'log says, and launch it again'),
                EmitEvent(event=ShutdownProcess(process_matcher=matches_action(node)))]

    node = Node(
        package='mfs_seg_ros',
        executable='segmenter',
        name='mfs_seg',
        namespace=options.namespace,
        parameters=[options.params_file, given],
        remappings=options.remappings,
        arguments=['--ros-args', '--log-level', options.log_level],
        respawn=options.respawn,
        respawn_delay=RESPAWN_DELAY_S,
        on_exit=limit_failures if options.respawn else None,
        output='screen',
    )
    return [node]
