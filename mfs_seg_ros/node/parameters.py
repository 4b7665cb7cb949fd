# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the node `mfs_seg` in one table, and how parameters are declared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from mfs_seg_core.util.modalities import SENSORS

KINDS = {str: 'text', bool: 'true or false', int: 'an integer', float: 'a number with a point'}
# Sensors that each trigger needs.
TRIGGERS = {'image': ('camera',), 'events': ('events',), 'both': ('camera', 'events')}
LISTS = {str: 'a list of texts', float: 'a list of numbers with a point'}


class ParameterError(ValueError):
    """A parameter has a value that cannot be; the text is one sentence."""


@dataclass(frozen=True)
class Setting:
    """A parameter: its type is that of the default, its limits are inclusive."""

    name: str
    default: str | bool | int | float | list[float] | list[str]
    description: str
    limits: tuple[float, float] | None = None
    # Whether it may change while the node is active; else when it is not.
    live: bool = False


SEGMENTER = (
    Setting('weights', 'street', 'Name of shipped weights, or path of a .safetensors file.'),
    Setting('device', 'cpu', "Where the network runs: 'cpu', 'cuda', 'cuda:0', ..."),
    Setting('autostart', True,
            'Configure and activate the node at its start; false: wait to be told.'),
    Setting('cameras', [''],
            'Names of cameras, each with topics ~/<name>/...; one empty name: one camera, ~/...'),
    Setting('input_width', 0,
            'Width in pixels that frames are resized to for the network; 0: as trained, or in '
            'proportion to the height.', (0, 4096)),
    Setting('input_height', 0,
            'Height in pixels that frames are resized to for the network; 0: as trained, or in '
            'proportion to the width.', (0, 4096)),
    Setting('keep_state', True,
            'Keep the membrane potentials between messages; false: each starts from rest.',
            live=True),
    Setting('max_gap', 1.0,
            'Longest time in seconds between two stamps that keeps the state.', (0.0, 1e9)),
    Setting('max_age', 0.0,
            'Age in seconds, by the stamp and ROS time, from which an image is too late to matter; '
            '0: never.', (0.0, 1e9), live=True),
    Setting('lazy', False,
            'Segment nothing while nobody subscribes to any output.', live=True),
    Setting('sensors', '',
            "What to listen to: 'camera', 'events' or 'fusion'; empty: all that the weights see."),
    Setting('trigger', '',
            "What makes a step: 'image', 'events' or 'both'; empty: by the sensors."),
    Setting('event_type', 'packet',
            "Type of ~/events: 'packet' (event_camera_msgs), 'dvs_msgs', 'prophesee_event_msgs'."),
    Setting('event_window', 0.05,
            'Seconds of events that are a step of their own.', (0.001, 10.0)),
    Setting('event_wait', 0.02,
            'Longest time in seconds that an image waits for the events before it.', (0.0, 1.0)),
    Setting('event_queue_bytes', 10_000_000,
            'Bytes of events that may wait to be decoded; the oldest are dropped.', (1, 2**40)),
    Setting('event_homography', [0.0] * 9,
            'Row-major 3x3 matrix from pixels of the event camera to those of the image; '
            'zeros: scaling.'),
    Setting('event_map', '',
            'File of the place of each event pixel in the image: .npy [H, W, 2], or '
            "DSEC's rectify_map.h5."),
    Setting('publish_overlay', True,
            'Offer ~/overlay, the mask over the image; it is drawn when someone subscribes.',
            live=True),
    Setting('publish_confidence', True,
            'Offer ~/confidence, how sure the mask is; it is computed when someone subscribes.',
            live=True),
    Setting('publish_mask_run_length', False,
            "Offer ~/mask_run_length, the mask in runs as Autoware's consumers read it.",
            live=True),
    Setting('min_confidence', 0.0,
            'Probability below which a pixel of the mask is 255, unlabelled; 0: none is.',
            (0.0, 1.0), live=True),
    Setting('overlay_opacity', 0.5,
            'Opacity of the mask in ~/overlay: 0 shows the image, 1 the mask.', (0.0, 1.0),
            live=True),
    Setting('max_latency', 0.2,
            'Seconds from the stamp to the mask beyond which the diagnostics warn.', (0.0, 1e9),
            live=True),
    Setting('threads', 0,
            'CPU threads of the network; 0: one less than there are cores, at most 4.', (0, 1024)),
    Setting('report_period', 5.0,
            'Seconds between reports of lost and unusable messages.', (0.1, 3600.0)),
)


def declare_all(node: Node, settings: tuple[Setting, ...]) -> dict[str, Any]:
    """
    Declare parameters that may change, and return their values.

    Raises ParameterError with one sentence.
    """
    return {
        setting.name: declare(node, setting.name, setting.default, setting.description,
                              setting.limits, read_only=False)
        for setting in settings
    }


def declare(
    node: Node,
    name: str,
    default: Any,
    description: str,
    limits: tuple[float, float] | None = None,
    read_only: bool = True,
) -> Any:
    """Declare a parameter and return its value; raises ParameterError with one sentence."""
    kind = type(default)
    descriptor = ParameterDescriptor(description=description, read_only=read_only)
    if limits and kind is float:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=limits[0], to_value=limits[1])]
    elif limits:
        descriptor.integer_range = [IntegerRange(from_value=limits[0], to_value=limits[1])]
    try:
        value = node.declare_parameter(name, default, descriptor).value
        return list(value) if kind is list else value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        between = f' from {limits[0]} to {limits[1]}' if limits else ''
        what = LISTS[type(default[0])] if kind is list else KINDS[kind]
        raise ParameterError(
            f"parameter '{name}' must be {what}{between} ({error.args[0]})") from None


def input_size(settings: dict[str, Any], trained: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height of the network's input, for weights trained at a size."""
    width, height = settings['input_width'], settings['input_height']
    if not width and not height:
        return trained
    return (width or round(height * trained[0] / trained[1]),
            height or round(width * trained[1] / trained[0]))


def camera_names(settings: dict[str, Any]) -> list[str]:
    """Return the names of the cameras; raises ParameterError when topics cannot be so named."""
    names = settings['cameras']
    if names == ['']:
        return names
    for name in names:
        # As ROS has it for a part of a topic's name.
        if not re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', name):
            raise ParameterError(f"parameter 'cameras' has the name '{name}': use letters, digits "
                                 'and underscores, and no digit first')
    if not names or len(set(names)) < len(names):
        raise ParameterError("parameter 'cameras' must name at least one camera, none twice")
    return names


def chosen_sensors(modality: str, sensors: tuple[str, ...]) -> tuple[str, ...]:
    """
    Return the sensors of the parameter `sensors`.

    :param modality: value of the parameter: 'camera', 'events', 'fusion', or '' for all.
    :param sensors: those that the weights take.
    :raises ParameterError: there is no such choice, or the weights do not take it.
    """
    if not modality:
        return sensors
    if modality not in SENSORS:
        raise ParameterError(f"parameter 'sensors' must be one of {', '.join(SENSORS)}, or empty, "
                             f"not '{modality}'")
    chosen = SENSORS[modality]
    if not set(chosen) <= set(sensors):
        raise ParameterError(
            f"sensors '{modality}' needs weights that take {' and '.join(chosen)}: these take "
            f"{' and '.join(sensors)} only")
    return chosen


def chosen_trigger(trigger: str, sensors: tuple[str, ...]) -> str:
    """
    Return the trigger of the parameter `trigger`; the sensors decide where it is ''.

    :raises ParameterError: there is no such trigger, or a sensor is missing for it.
    """
    if not trigger:
        return {('camera',): 'image', ('events',): 'events'}.get(sensors, 'both')
    if trigger not in TRIGGERS:
        raise ParameterError(f"parameter 'trigger' must be one of {', '.join(TRIGGERS)}, or empty, "
                             f"not '{trigger}'")
    if not set(TRIGGERS[trigger]) <= set(sensors):
        raise ParameterError(
            f"trigger '{trigger}' needs {' and '.join(TRIGGERS[trigger])}: sensors and weights "
            f"give {' and '.join(sensors)} only")
    return trigger
