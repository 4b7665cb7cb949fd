# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Table of the parameters of the node ``mfs_seg``, and declaration of parameters."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from mfs_seg_core.util.modalities import SENSORS

KINDS = {str: 'text', bool: 'true or false', int: 'an integer', float: 'a number with a point'}
# Sensors required by each trigger.
TRIGGERS = {'image': ('camera',), 'events': ('events',), 'both': ('camera', 'events')}
# Messages whose points can be labelled.
POINTS = ('depth', 'cloud')
LISTS = {str: 'a list of texts', float: 'a list of numbers with a point'}


class ParameterError(ValueError):
    """A parameter has an invalid value; the text is one sentence with the remedy."""


@dataclass(frozen=True)
class Setting:
    """
    Declaration of a parameter.

    :param name: name of the parameter.
    :param default: default value; its type is that of the parameter.
    :param description: sentence for users, with the unit and the meaning of special values.
    :param limits: smallest and largest value, both inclusive; None: no limits.
    :param live: True if the parameter may change while the node is active.
    """

    name: str
    default: str | bool | int | float | list[float] | list[str]
    description: str
    limits: tuple[float, float] | None = None
    live: bool = False


SEGMENTER = (
    Setting('weights', 'street_lite',
            "Shipped weights ('street_lite', 'street', 'camvid', 'camvid_lite'), or path of a "
            '.safetensors file.'),
    Setting('device', 'cpu',
            "Device that runs the network: 'cpu', 'cuda', 'cuda:0', ..."),
    Setting('backend', 'auto',
            "Backend that runs the network: 'native', the integer engine on the CPU; 'torch'; or "
            "'auto', native where it can run, else torch."),
    Setting('autostart', True,
            'Configure and activate the node at startup; false: wait for a lifecycle manager.'),
    Setting('cameras', [''],
            'Names of the cameras, each with its own topics ~/<name>/image, ~/<name>/mask, ...; '
            'one empty name: a single camera with the topics ~/image, ~/mask, ...'),
    Setting('input_width', 0,
            'Width of the network input in pixels, to which images and events are scaled; 0: in '
            'proportion to input_height, or the width in training if both are 0.', (0, 4096)),
    Setting('input_height', 0,
            'Height of the network input in pixels, to which images and events are scaled; 0: in '
            'proportion to input_width, or the height in training if both are 0.', (0, 4096)),
    Setting('bit_depth', 0,
            'Bits in use of the samples of 16-bit images (mono16, bayer_rggb16, 16-bit PNG): 8 to '
            '16; 0: automatic, by the brightest images so far.', (0, 16)),
    Setting('keep_state', True,
            'Keep the membrane potentials between steps; false: reset them before each step.',
            live=True),
    Setting('max_gap', 1.0,
            'Longest difference in seconds between the stamps of two steps; a longer one resets '
            'the state.', (0.0, 1e9)),
    Setting('max_age', 0.0,
            'Age in seconds, ROS time minus stamp, above which an image is dropped; 0: no limit.',
            (0.0, 1e9), live=True),
    Setting('lazy', False,
            'Drop all input while no output has a subscriber.', live=True),
    Setting('sensors', 'camera',
            "Sensors to subscribe to: 'camera', 'events' or 'fusion' (both)."),
    Setting('trigger', '',
            "Input that completes a step: 'image', 'events' (each event_window) or 'both' (each "
            "image, and each event_window without an image); empty: 'image' for a camera, 'events' "
            "for an event camera, 'both' for fusion."),
    Setting('event_type', 'packet',
            "Message type of ~/events: 'packet' (event_camera_msgs/EventPacket), 'dvs_msgs' or "
            "'prophesee_event_msgs' (EventArray)."),
    Setting('event_window', 0.05,
            'Duration in seconds of the events of a step that no image completes.', (0.001, 10.0)),
    Setting('event_wait', 0.02,
            'Longest time in seconds that an image is held back until the events up to its stamp '
            'have arrived; 0: no waiting.', (0.0, 1.0)),
    Setting('event_queue_bytes', 10_000_000,
            'Largest size in bytes of the queue of undecoded events of a camera; beyond it, the '
            'oldest packets are dropped.', (1, 2**40)),
    Setting('event_homography', [0.0] * 9,
            'Row-major 3x3 homography from pixels of the event camera to pixels of the image; all '
            'zeros: none, events are scaled to the image. Not together with event_map.'),
    Setting('event_map', '',
            'File with the image position of each pixel of the event camera, x and y in pixels: '
            'a .npy array [H, W, 2], or rectify_map.h5 of DSEC; empty: none. Not together with '
            'event_homography.'),
    Setting('publish_overlay', True,
            'Advertise ~/overlay, the mask drawn over the image; computed only while subscribed.',
            live=True),
    Setting('publish_confidence', True,
            'Advertise ~/confidence, the probability of the class of each pixel; computed only '
            'while subscribed.', live=True),
    Setting('publish_mask_run_length', False,
            'Advertise ~/mask_run_length, the run-length encoded mask in the format of Autoware; '
            'computed only while subscribed.', live=True),
    Setting('points', '',
            "Publish ~/points, labelled points: 'depth', of depth images on ~/depth; 'cloud', of "
            'point clouds on ~/cloud; both with ~/camera_info. Empty: none.'),
    Setting('min_confidence', 0.0,
            'Probability of the class below which a pixel of the mask is 255, unlabelled; 0: all '
            'pixels are labelled.', (0.0, 1.0), live=True),
    Setting('class_groups', '',
            'Groups that replace the classes in all outputs: name of shipped ones '
            "('drivable', 'autoware'), or path of a YAML file; empty: none."),
    Setting('overlay_opacity', 0.5,
            'Opacity of the mask in ~/overlay; 0: the image alone, 1: the mask alone.', (0.0, 1.0),
            live=True),
    Setting('max_latency', 0.2,
            'Time in seconds from the stamp of a message to its mask above which the diagnostics '
            'warn.', (0.0, 1e9), live=True),
    Setting('threads', 0,
            'CPU threads of the network; 0: the number of cores minus one, at least 1 and at most '
            '4.', (0, 1024)),
    Setting('report_period', 5.0,
            'Time in seconds between log reports of dropped, missing and invalid messages.',
            (0.1, 3600.0)),
)


def declare_all(
    node: Node, settings: tuple[Setting, ...], read_only: bool = False
) -> dict[str, Any]:
    """
    Declare parameters.

    :param node: node to declare them on.
    :param settings: declarations of the parameters.
    :param read_only: True if the parameters cannot change at runtime.
    :returns: values by name.
    :raises ParameterError: a given value has the wrong type or is outside the limits.
    """
    return {setting.name: _declare(node, setting, read_only) for setting in settings}


def _declare(node: Node, setting: Setting, read_only: bool) -> Any:
    """Declare a parameter and return its value."""
    default, limits = setting.default, setting.limits
    kind = type(default)
    descriptor = ParameterDescriptor(description=setting.description, read_only=read_only)
    if limits and kind is float:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=limits[0], to_value=limits[1])]
    elif limits:
        descriptor.integer_range = [IntegerRange(from_value=limits[0], to_value=limits[1])]
    try:
        value = node.declare_parameter(setting.name, default, descriptor).value
        return list(value) if kind is list else value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        between = f' from {limits[0]} to {limits[1]}' if limits else ''
        expected = LISTS[type(default[0])] if kind is list else KINDS[kind]
        raise ParameterError(f"parameter '{setting.name}' must be {expected}{between} "
                             f'({error.args[0]})') from None


def changed_parameters(node: Node, parameters: Sequence[Parameter]) -> list[Parameter]:
    """
    Return the parameters whose value differs from that of the node.

    :param node: node that has declared parameters.
    :param parameters: new values.
    :returns: those that would change, or that are not declared.
    """
    return [each for each in parameters if not node.has_parameter(each.name)
            or _content(node.get_parameter(each.name)) != _content(each)]


def _content(parameter: Parameter) -> tuple[Any, Any]:
    value = parameter.value
    return parameter.type_, list(value) if isinstance(value, (list, tuple, array)) else value


def input_size(settings: dict[str, Any], trained: tuple[int, int]) -> tuple[int, int]:
    """
    Return the size of the network input.

    :param settings: values of the parameters ``input_width`` and ``input_height`` by name.
    :param trained: width and height in training, in pixels.
    :returns: width and height in pixels.
    """
    width, height = settings['input_width'], settings['input_height']
    if not width and not height:
        return trained
    return (width or round(height * trained[0] / trained[1]),
            height or round(width * trained[1] / trained[0]))


def camera_names(settings: dict[str, Any]) -> list[str]:
    """
    Return the names of the cameras.

    :param settings: value of the parameter ``cameras`` by name.
    :returns: names; one empty name: a single camera without a name.
    :raises ParameterError: a name is not valid in a topic, or occurs twice, or there is none.
    """
    names = settings['cameras']
    if names == ['']:
        return names
    for name in names:
        # The rule of ROS for a token of a topic name.
        if not re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', name):
            raise ParameterError(f"parameter 'cameras' has the name '{name}': use letters, digits "
                                 'and underscores, and no digit first')
    if not names or len(set(names)) < len(names):
        raise ParameterError("parameter 'cameras' must name at least one camera, none twice")
    return names


def chosen_sensors(modality: str, sensors: tuple[str, ...]) -> tuple[str, ...]:
    """
    Return the sensors that the parameter ``sensors`` selects.

    :param modality: value of the parameter: 'camera', 'events' or 'fusion'.
    :param sensors: sensors that the weights take.
    :returns: sensors to subscribe to.
    :raises ParameterError: the modality is unknown, or the weights do not take it.
    """
    if modality not in SENSORS:
        raise ParameterError(f"parameter 'sensors' must be one of {', '.join(SENSORS)}, not "
                             f"'{modality}'")
    chosen = SENSORS[modality]
    if not set(chosen) <= set(sensors):
        possible = next(name for name, taken in SENSORS.items() if taken == tuple(sensors))
        raise ParameterError(
            f"sensors '{modality}' needs weights that take {' and '.join(chosen)}: these take "
            f"{' and '.join(sensors)} only; set the parameter 'sensors' to '{possible}', or choose "
            'other weights')
    return chosen


def chosen_trigger(trigger: str, sensors: tuple[str, ...]) -> str:
    """
    Return the trigger that the parameter ``trigger`` selects.

    :param trigger: value of the parameter: 'image', 'events', 'both', or '' for the default of the
        sensors.
    :param sensors: sensors that the node subscribes to.
    :returns: 'image', 'events' or 'both'.
    :raises ParameterError: the trigger is unknown, or a sensor that it needs is not selected.
    """
    if not trigger:
        return {('camera',): 'image', ('events',): 'events'}.get(sensors, 'both')
    if trigger not in TRIGGERS:
        raise ParameterError(f"parameter 'trigger' must be one of {', '.join(TRIGGERS)}, or empty, "
                             f"not '{trigger}'")
    if not set(TRIGGERS[trigger]) <= set(sensors):
        raise ParameterError(
            f"trigger '{trigger}' needs {' and '.join(TRIGGERS[trigger])}: the parameter 'sensors' "
            f"selects {' and '.join(sensors)} only")
    return trigger


def chosen_points(points: str, trigger: str) -> str:
    """
    Return the value of the parameter ``points``.

    :param points: value of the parameter.
    :param trigger: 'image', 'events' or 'both'.
    :returns: 'depth', 'cloud', or '' for no points.
    :raises ParameterError: the value is unknown, or no mask has the stamp of an image.
    """
    if points and points not in POINTS:
        raise ParameterError(f"parameter 'points' must be one of {', '.join(POINTS)}, or empty, "
                             f"not '{points}'")
    if points and trigger == 'events':
        raise ParameterError(f"points '{points}' needs masks of images: set the parameter "
                             "'trigger' to 'image' or 'both', or 'points' to an empty text")
    return points
