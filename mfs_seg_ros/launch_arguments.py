# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the arguments of segment.launch.py mean to the node; knows nothing of launch itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# The parameter file of each choice of sensors.
PARAMS_FILES = {'camera': 'segment.yaml', 'events': 'segment_events.yaml',
                'fusion': 'segment_fusion.yaml'}
TRUTHS = {'true': True, '1': True, 'false': False, '0': False}
TRANSPORTS = ('raw', 'compressed')


@dataclass(frozen=True)
class Argument:
    """An argument on the command line; an empty default leaves the parameter file's value."""

    name: str
    default: str
    description: str


ARGUMENTS = (
    Argument('sensors', '',
             "'camera', 'events' or 'fusion', both; empty: as params_file says, 'camera' "
             'without one.'),
    Argument('params_file', '',
             'Parameters; arguments that are given win over them. Empty: the file of the sensors.'),
    Argument('image_topic', '/camera/image_raw', 'Topic of the camera.'),
    Argument('image_transport', 'raw',
             "'raw', or 'compressed' for the topic <image_topic>/compressed."),
    Argument('events_topic', '/event_camera/events', 'Topic of the event camera.'),
    Argument('weights', '', 'Name of shipped weights, or path of a .safetensors file.'),
    Argument('device', '', "Where the network runs: 'cpu', 'cuda', 'cuda:0', ..."),
    Argument('use_sim_time', '', 'Take the time from /clock: true or false.'),
    Argument('namespace', '', 'Namespace of the node and its topics.'),
    Argument('log_level', 'info', 'debug, info, warn, error or fatal.'),
    Argument('respawn', 'false', 'Start the node again when it ends: true or false.'),
)


@dataclass(frozen=True)
class NodeOptions:
    """How to start the node; `parameters` are those that win over the parameter file."""

    namespace: str
    params_file: str
    parameters: dict[str, str | bool]
    remappings: list[tuple[str, str]]
    log_level: str
    respawn: bool


def node_options(values: Mapping[str, str], config: Path) -> NodeOptions:
    """
    Return how to start the node for the values of ARGUMENTS.

    config: the folder that our parameter files are in.
    Raises ValueError with one sentence when a value cannot be.
    """
    sensors, params_file = values['sensors'], values['params_file']
    if not params_file:
        sensors = sensors or 'camera'
        if sensors not in PARAMS_FILES:
            raise ValueError(
                f"sensors must be one of {', '.join(PARAMS_FILES)}, not '{sensors}'")
        params_file = str(config / PARAMS_FILES[sensors])
    given = {**values, 'sensors': sensors}
    parameters: dict[str, str | bool] = {
        name: given[name] for name in ('sensors', 'weights', 'device') if given[name]}
    if values['use_sim_time']:
        parameters['use_sim_time'] = _truth('use_sim_time', values)
    transport, topic = values['image_transport'], values['image_topic']
    if transport not in TRANSPORTS:
        raise ValueError(f"image_transport must be 'raw' or 'compressed', not '{transport}'")
    # Only one of the two: each message is a step, and a camera often publishes both.
    image = ('~/image', topic)
    if transport == 'compressed':
        image = ('~/image/compressed', f'{topic}/compressed')
    return NodeOptions(values['namespace'], params_file, parameters,
                       [image, ('~/events', values['events_topic'])], values['log_level'],
                       _truth('respawn', values))


def _truth(name: str, values: Mapping[str, str]) -> bool:
    try:
        return TRUTHS[values[name].lower()]
    except KeyError:
        raise ValueError(f"{name} must be true or false, not '{values[name]}'") from None
