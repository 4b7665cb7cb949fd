# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mapping from the arguments of segment.launch.py to options of the node, independent of launch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mfs_seg_ros.node.launch_checks import check_params_file

# Parameter file for each modality.
PARAMS_FILES = {'camera': 'segment.yaml', 'events': 'segment_events.yaml',
                'fusion': 'segment_fusion.yaml'}
# Parameters of the node by the type of their value.
TEXTS = ('sensors', 'weights', 'device', 'backend', 'class_groups', 'points')
FLAGS = ('autostart', 'use_sim_time')
NUMBERS = {'input_width': int, 'input_height': int, 'max_latency': float}
TRUTHS = {'true': True, '1': True, 'false': False, '0': False}
TRANSPORTS = ('raw', 'compressed')


@dataclass(frozen=True)
class Argument:
    """Argument of the launch file; an empty value keeps the value of the parameter file."""

    name: str
    default: str
    description: str


ARGUMENTS = (
    Argument('sensors', '',
             "Sensors to subscribe to: 'camera', 'events' or 'fusion' (both). Empty: those of "
             "params_file, or 'camera' without one."),
    Argument('params_file', '',
             'YAML file with parameters; other arguments take precedence over it. Empty: the '
             'packaged file for the sensors.'),
    Argument('cameras', '',
             'Names of several cameras, separated by commas. In image_topic and events_topic, '
             '{camera} is replaced by the name. Empty: one camera without a name.'),
    Argument('image_topic', '',
             "Topic of the camera. Empty: '/camera/image_raw', or '/{camera}/image_raw' with "
             'several cameras.'),
    Argument('image_transport', 'raw',
             "Transport of the images: 'raw', or 'compressed' for <image_topic>/compressed."),
    Argument('events_topic', '',
             "Topic of the event camera. Empty: '/event_camera/events', or '/{camera}/events' with "
             'several cameras.'),
    Argument('weights', '',
             'Name of shipped weights, or path of a .safetensors file. Empty: those of the '
             'parameter file.'),
    Argument('device', '',
             "Device that runs the network: 'cpu', 'cuda', 'cuda:0', ... Empty: that of the "
             'parameter file.'),
    Argument('backend', '',
             "Backend that runs the network: 'auto', 'native' or 'torch'. Empty: that of the "
             'parameter file.'),
    Argument('autostart', '',
             'Configure and activate the node at startup: true, or false to wait for a lifecycle '
             'manager. Empty: as in the parameter file.'),
    Argument('input_width', '',
             'Width of the network input in pixels; 0: see input_height. Empty: as in the '
             'parameter file.'),
    Argument('input_height', '',
             'Height of the network input in pixels; 0: in proportion to input_width, or the size '
             'in training if both are 0. Empty: as in the parameter file.'),
    Argument('class_groups', '',
             "Groups that replace the classes: 'drivable', 'autoware', or path of a YAML file. "
             'Empty: those of the parameter file.'),
    Argument('points', '',
             "Publish labelled points of 'depth' or 'cloud' messages. Empty: as in the parameter "
             'file.'),
    Argument('points_topic', '',
             "Topic of the depth images or point clouds. Empty: '~/depth' or '~/cloud'."),
    Argument('camera_info_topic', '',
             "Topic of the image's camera_info. Empty: 'camera_info' next to image_topic."),
    Argument('max_latency', '',
             'Time in seconds from a stamp to its mask above which the diagnostics warn. Empty: as '
             'in the parameter file.'),
    Argument('use_sim_time', '',
             'Use the time of /clock: true or false. Empty: as in the parameter file.'),
    Argument('namespace', '', 'Namespace of the node and its topics.'),
    Argument('log_level', 'info', 'Log level: debug, info, warn, error or fatal.'),
    Argument('respawn', 'false',
             'Restart the node 2 s after its process ends, until it fails to start three times in '
             'a row: true or false.'),
)


@dataclass(frozen=True)
class NodeOptions:
    """
    Options to start the node with.

    :param namespace: namespace of the node.
    :param params_file: path of the parameter file.
    :param parameters: parameters that take precedence over the file, by name.
    :param remappings: pairs of a topic name in the node and its name in the graph.
    :param log_level: log level of the process.
    :param respawn: True to restart the node when its process ends.
    """

    namespace: str
    params_file: str
    parameters: dict[str, str | bool | int | float | list[str]]
    remappings: list[tuple[str, str]]
    log_level: str
    respawn: bool


def node_options(values: Mapping[str, str], config: Path) -> NodeOptions:
    """
    Return the options of the node for the values of ``ARGUMENTS``.

    :param values: value of each argument by name.
    :param config: folder of the packaged parameter files.
    :returns: options of the node.
    :raises ValueError: an argument has an invalid value.
    """
    sensors, params_file = values['sensors'], os.path.expanduser(values['params_file'])
    if not params_file:
        sensors = sensors or 'camera'
        if sensors not in PARAMS_FILES:
            raise ValueError(
                f"sensors must be one of {', '.join(PARAMS_FILES)}, not '{sensors}'")
        params_file = str(config / PARAMS_FILES[sensors])
    check_params_file(params_file)
    given = {**values, 'sensors': sensors}
    parameters: dict[str, str | bool | int | float | list[str]] = {
        name: given[name] for name in TEXTS if given[name]}
    parameters |= {name: _truth(name, values) for name in FLAGS if values[name]}
    parameters |= {name: _number(name, values) for name in NUMBERS if values[name]}
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
    """Return the remappings of the topics of a camera; '' is the camera without a name."""
    prefix = f'~/{camera}/' if camera else '~/'
    image_topic = _topic('image_topic', values, camera, '/camera/image_raw', '/{camera}/image_raw')
    # Cameras often publish both transports, and with both, each image would be two steps.
    image = (f'{prefix}image', image_topic)
    if values['image_transport'] == 'compressed':
        image = (f'{prefix}image/compressed', f'{image_topic}/compressed')
    remappings = [image, (f'{prefix}events', _topic(
        'events_topic', values, camera, '/event_camera/events', '/{camera}/events'))]
    if values['points_topic']:
        topic = _topic('points_topic', values, camera)
        remappings += [(f'{prefix}{kind}', topic) for kind in ('depth', 'cloud')]
    # Always: a parameter file may ask for points.
    info = (_topic('camera_info_topic', values, camera) if values['camera_info_topic'] else
            re.sub('[^/]*$', 'camera_info', image_topic, count=1))
    return [*remappings, (f'{prefix}camera_info', info)]


def _topic(name: str, values: Mapping[str, str], camera: str, single: str = '', several: str = ''
           ) -> str:
    """Return the topic that an argument names; the last two are its defaults."""
    topic = values[name] or (several if camera else single)
    if camera and '{camera}' not in topic:
        raise ValueError(f"{name} '{topic}' is one topic for several cameras: write {{camera}} "
                         'where their names differ')
    return topic.replace('{camera}', camera)


def _number(name: str, values: Mapping[str, str]) -> int | float:
    kind = NUMBERS[name]
    try:
        return kind(values[name])
    except ValueError:
        expected = 'an integer' if kind is int else 'a number'
        raise ValueError(f"{name} must be {expected}, not '{values[name]}'") from None


def _truth(name: str, values: Mapping[str, str]) -> bool:
    try:
        return TRUTHS[values[name].lower()]
    except KeyError:
        raise ValueError(f"{name} must be true or false, not '{values[name]}'") from None
