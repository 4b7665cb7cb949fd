# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the parameters ask for, made and found good before anything of the node changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.events.types import Events
from mfs_seg_core.streaming.segmenter import Segmenter, set_threads, step_together
from mfs_seg_core.weights.file import find_weights
from mfs_seg_ros.messages.events import event_message
from mfs_seg_ros.messages.images import converter
from mfs_seg_ros.node.parameters import camera_names, chosen_sensors, chosen_trigger, input_size
from mfs_seg_ros.pipeline.event_map import EventMap
from mfs_seg_ros.pipeline.event_stream import prepare

# Beyond a few threads a network this small only waits for them.
MAX_THREADS = 4
# What the network sees before the first message, to have its memory by then.
WARM_UP_STEPS = 2


@dataclass(frozen=True)
class Plan:
    """
    A warm network, and how it is to be fed.

    `segmenter` is at rest; each camera has a sibling of it. `event_type` and `read_events` are None
    where nobody listens to events.
    """

    segmenter: Segmenter
    weights_file: str
    cameras: list[str]
    sensors: tuple[str, ...]
    trigger: str
    event_type: type | None
    read_events: Callable[[bytes], EventPacket] | None



def planned(settings: dict[str, Any]) -> Plan:
    """
    Return the plan for the values of all parameters.

    Raises ValueError with one sentence when they ask for something that cannot be.
    """
    cameras = camera_names(settings)
    weights_file = find_weights(settings['weights'])
    segmenter = Segmenter.from_weights(settings['weights'], settings['device'])
    size = input_size(settings, segmenter.input_size)
    segmenter = Segmenter(segmenter.network, segmenter.metadata, segmenter.device, size)
    sensors = chosen_sensors(settings['sensors'], segmenter.sensors)
    trigger = chosen_trigger(settings['trigger'], sensors)
    EventMap(settings['event_homography'], settings['event_map'])
    event_type = read_events = None
    if 'camera' in sensors:
        # What is missing should be said now, not at the first image.
        converter()
    if 'events' in sensors:
        event_type, read_events = event_message(settings['event_type'])
        prepare()
    set_threads(settings['threads'] or max(1, min(MAX_THREADS, (os.cpu_count() or 1) - 1)))
    _warm_up(segmenter, sensors, len(cameras))
    return Plan(segmenter, str(weights_file), cameras, sensors, trigger, event_type, read_events)


def _warm_up(segmenter: Segmenter, sensors: tuple[str, ...], cameras: int) -> None:
    streams = [segmenter.sibling() for _ in range(cameras)]
    width, height = segmenter.input_size
    frame = np.zeros((height, width, 3), np.uint8) if 'camera' in sensors else None
    events = (EventWindow(Events.empty(), 0, 1, segmenter.input_size)
              if 'events' in sensors else None)
    for _ in range(WARM_UP_STEPS):
        step_together([(stream, stream.prepare(frame, None, events)) for stream in streams])
