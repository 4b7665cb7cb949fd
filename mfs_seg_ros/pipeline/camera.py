# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A channel: one camera's topics and stream, from the messages that come to those that go."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from rclpy.node import Node

from mfs_seg_ros.diagnostics.health import Health, Limits, Report
from mfs_seg_ros.pipeline.configure import Plan
from mfs_seg_ros.pipeline.input_queue import Inbox
from mfs_seg_ros.pipeline.inputs import Sensors
from mfs_seg_ros.pipeline.outputs import Outputs
from mfs_seg_ros.pipeline.stream import View

KINDS = {'camera': 'image', 'events': 'events'}


class Channel:
    """
    Offers a camera's outputs while it exists, and hears its sensors while it is open.

    `view` and `sensors` are None while it is closed; what they have seen ends with them.
    """

    def __init__(self, node: Node, name: str, plan: Plan, settings: Mapping[str, Any]) -> None:
        self.name = name
        self._node, self._plan, self._settings = node, plan, settings
        self._prefix = f'~/{name}/' if name else '~/'
        kinds = [KINDS[sensor] for sensor in plan.sensors]
        self.health = Health(kinds, getattr(plan.segmenter.network.config, 'levels', 1),
                             Limits(settings['max_latency']), time.monotonic())
        self.outputs = Outputs(node, self._prefix, settings, plan.segmenter.classes)
        self.view: View | None = None
        self.sensors: Sensors | None = None

    def open(self, changed: threading.Condition) -> View:
        """Begin a stream, at rest; `changed` is notified of what comes."""
        self.health.reset('activated', 'the node was activated')
        inbox = Inbox(self._settings['event_queue_bytes'], changed)
        self.view = View(
            self.name, self._settings, self._plan, inbox, self.outputs, self.health,
            self._node.get_clock(), self._node.get_logger())
        self.sensors = Sensors(self._node, self._prefix, self._settings, self._plan, inbox,
                               self.outputs, self.health)
        return self.view

    def close(self) -> None:
        """Hear no more, and forget the stream; nothing to do while closed."""
        if self.sensors:
            self.sensors.destroy()
        self.view = self.sensors = None

    def apply_settings(self) -> None:
        """Follow the settings that may change at any time."""
        self.outputs.offer()
        self.health.limits = Limits(self._settings['max_latency'])

    def report(self, now_s: float) -> Report:
        """Report on the time since the last report."""
        idle = 'not active' if not self.sensors else self.sensors.asleep
        return self.health.report(now_s, idle)

    def rest(self, cause: str, reason: str) -> None:
        """Have the next step start from rest; nothing to do while closed."""
        if self.view:
            self.view.rest(cause, reason)

    def enable(self, enabled: bool) -> None:
        """Take up or let go what comes, until the channel is closed."""
        if self.sensors and enabled != self.sensors.enabled:
            self.sensors.enabled = enabled
            self.rest('enabled', '~/enable was called')

    def destroy(self) -> None:
        """Give up the outputs too."""
        self.outputs.destroy()
