# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build what the parameters ask for, before anything of the node changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mfs_seg_core.class_groups import ClassGroups, load_groups
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.images import BitDepth
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.streaming.event_stream import warm_up_decoders
from mfs_seg_core.streaming.segmenter import Segmenter, set_threads, warm_up
from mfs_seg_core.weights.header import find_weights
from mfs_seg_ros.messages.events import event_message
from mfs_seg_ros.node.parameters import (
    camera_names,
    chosen_points,
    chosen_sensors,
    chosen_trigger,
    input_size,
)
from mfs_seg_ros.pipeline.event_map import EventMap

# With more threads, a network this small mostly waits for them.
MAX_THREADS = 4


@dataclass(frozen=True)
class Plan:
    """
    A warm network, and its inputs.

    :param segmenter: stream at rest.
    :param streams: warm streams at rest on its network, by camera.
    :param weights_file: path of the weights.
    :param groups: groups that replace the classes of the weights; None: there are none.
    :param cameras: names of the cameras; one empty name: the only one.
    :param sensors: 'camera', 'events' or both.
    :param trigger: messages that complete a step: 'image', 'events' or 'both'.
    :param points: messages whose points are labelled: 'depth', 'cloud', or '' for none.
    :param event_type: type of the event messages; None without events.
    :param read_events: reads an event packet from the bytes of its message; None without events.
    """

    segmenter: Segmenter
    streams: dict[str, Segmenter]
    weights_file: str
    groups: ClassGroups | None
    cameras: list[str]
    sensors: tuple[str, ...]
    trigger: str
    points: str
    event_type: type | None
    read_events: Callable[[bytes], EventPacket] | None

    @property
    def classes(self) -> ClassSet:
        """Classes of the published masks."""
        return self.groups.classes if self.groups else self.segmenter.classes


def make_plan(settings: Mapping[str, Any]) -> Plan:
    """
    Load the weights, check the parameters, and warm the network up.

    :param settings: values of all parameters.
    :returns: the plan.
    :raises ValueError: the parameters cannot be used; one sentence.
    """
    cameras = camera_names(settings)
    # Checks the number.
    BitDepth(settings['bit_depth'])
    weights_file = find_weights(settings['weights'])
    segmenter = Segmenter.from_weights(settings['weights'], settings['device'],
                                       backend=settings['backend'])
    segmenter = segmenter.sibling(input_size(settings, segmenter.input_size))
    sensors = chosen_sensors(settings['sensors'], segmenter.sensors)
    trigger = chosen_trigger(settings['trigger'], sensors)
    points = chosen_points(settings['points'], trigger)
    EventMap(settings['event_homography'], settings['event_map'])
    groups = (load_groups(settings['class_groups'], segmenter.classes)
              if settings['class_groups'] else None)
    event_type = read_events = None
    if 'events' in sensors:
        event_type, read_events = event_message(settings['event_type'])
        warm_up_decoders()
    set_threads(settings['threads'] or max(1, min(MAX_THREADS, (os.cpu_count() or 1) - 1)))
    streams = {name: segmenter.sibling() for name in cameras}
    warm_up(list(streams.values()), sensors)
    return Plan(segmenter, streams, str(weights_file), groups, cameras, sensors, trigger,
                points, event_type, read_events)
