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
    Argument('cameras', '',
             'Names of several cameras, separated by commas: their topics are those of image_topic '
             'and events_topic with the name for {camera}.'),
    Argument('image_topic', '',
             "Topic of the camera. Empty: '/camera/image_raw', of several "
             "'/{camera}/image_raw'."),
    Argument('image_transport', 'raw',
             "'raw', or 'compressed' for the topic <image_topic>/compressed."),
    Argument('events_topic', '',
             "Topic of the event camera. Empty: '/event_camera/events', of several "
             "'/{camera}/events'."),
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
    parameters: dict[str, str | bool | list[str]]
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
    parameters: dict[str, str | bool | list[str]] = {
        name: given[name] for name in ('sensors', 'weights', 'device') if given[name]}
    if values['use_sim_time']:
        parameters['use_sim_time'] = _truth('use_sim_time', values)
    transport = values['image_transport']
    if transport not in TRANSPORTS:
        raise ValueError(f"image_transport must be 'raw' or 'compressed', not '{transport}'")
    cameras = [name.strip() for name in values['cameras'].split(',') if name.strip()]
    if cameras:
        parameters['cameras'] = cameras
    remappings = [pair for camera in cameras or [''] for pair in _remappings(camera, values)]
    return NodeOptions(values['namespace'], params_file, parameters, remappings,
                       values['log_level'], _truth('respawn', values))


def _remappings(camera: str, values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a camera's topics are called elsewhere; '' is the one without a name."""
    prefix = f'~/{camera}/' if camera else '~/'
    chosen = {}
    for name, alone, among in (('image_topic', '/camera/image_raw', '/{camera}/image_raw'),
                               ('events_topic', '/event_camera/events', '/{camera}/events')):
        topic = values[name] or (among if camera else alone)
        if camera and '{camera}' not in topic:
            raise ValueError(f"{name} '{topic}' is one topic for several cameras: write {{camera}} "
                             'where their names differ')
        chosen[name] = topic.replace('{camera}', camera)
    # Only one of the two: each message is a step, and a camera often publishes both.
    image = (f'{prefix}image', chosen['image_topic'])
    if values['image_transport'] == 'compressed':
        image = (f'{prefix}image/compressed', f"{chosen['image_topic']}/compressed")
    return [image, (f'{prefix}events', chosen['events_topic'])]


def _truth(name: str, values: Mapping[str, str]) -> bool:
    try:
        return TRUTHS[values[name].lower()]
    except KeyError:
        raise ValueError(f"{name} must be true or false, not '{values[name]}'") from None
