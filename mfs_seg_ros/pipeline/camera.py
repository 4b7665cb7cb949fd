# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One camera: its outputs while the node is configured, its stream while the node is active."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from rclpy.node import Node

from mfs_seg_core.images import ImageStream
from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_core.streaming.event_stream import EventStream
from mfs_seg_core.streaming.synchronizer import Synchronizer
from mfs_seg_ros.diagnostics.drops import DropLog
from mfs_seg_ros.diagnostics.health import Health, Limits, Report
from mfs_seg_ros.diagnostics.qos_check import Topic
from mfs_seg_ros.messages.images import converter
from mfs_seg_ros.pipeline.configure import Plan
from mfs_seg_ros.pipeline.event_map import EventMap
from mfs_seg_ros.pipeline.image_reader import ImageReader
from mfs_seg_ros.pipeline.input_queue import InputQueue
from mfs_seg_ros.pipeline.inputs import Inputs
from mfs_seg_ros.pipeline.latency import Latency
from mfs_seg_ros.pipeline.outputs import Outputs
from mfs_seg_ros.pipeline.points import LabelledPoints
from mfs_seg_ros.pipeline.receiver import Receiver
from mfs_seg_ros.pipeline.responder import Responder
from mfs_seg_ros.pipeline.worker import CameraStream

# Kind of message of each sensor.
KINDS = {'camera': 'image', 'events': 'events'}
# Kinds of messages that complete a step, by trigger.
COMPLETING = {'image': ['image'], 'events': ['events'], 'both': ['image', 'events']}


class Camera:
    """
    Offers a camera's outputs while it exists; subscribes and segments while it is open.

    All methods are called by the executor's thread.

    :param node: node that has the topics.
    :param name: name of the camera; empty: the only one.
    :param plan: weights, sensors and trigger.
    :param settings: parameters, an immutable snapshot.
    """

    def __init__(self, node: Node, name: str, plan: Plan, settings: Mapping[str, Any]) -> None:
        self.name = name
        self._node, self._plan, self._settings = node, plan, settings
        kinds = [KINDS[sensor] for sensor in plan.sensors]
        self._health = Health(kinds, getattr(plan.segmenter.metadata.config, 'levels', 1),
                              Limits(settings['max_latency']), time.monotonic(),
                              COMPLETING[plan.trigger])
        self._latency = Latency(self._now_ns)
        self._outputs = Outputs(node, self._prefix, settings, plan)
        # While the camera is open.
        self._inputs: Inputs | None = None
        self._stream: CameraStream | None = None

    @property
    def _prefix(self) -> str:
        return f'~/{self.name}/' if self.name else '~/'

    @property
    def topics(self) -> str:
        """Resolved names of the input topics and of the mask's, for people."""
        return f'{self._inputs.topics} -> {self._outputs.mask_topic}'

    @property
    def watched(self) -> list[Topic]:
        """Inputs and outputs, to check their QoS; empty while the camera is closed."""
        if not self._inputs:
            return []
        return [*(Topic(group) for group in self._inputs.groups),
                *(Topic([publisher], is_input=False) for publisher in self._outputs.publishers)]

    def open(self, changed: threading.Condition) -> CameraStream:
        """
        Start a stream, at rest.

        :param changed: notified of received messages.
        :returns: both halves, for the worker.
        """
        plan, settings, health = self._plan, self._settings, self._health
        health.reset('activated', 'the node was activated')
        health.start(time.monotonic())
        log = DropLog(self._node.get_logger(), self.name, health)
        continuity = Continuity(settings['max_gap'])
        event_map = EventMap(settings['event_homography'], settings['event_map'])
        queue = InputQueue(settings['event_queue_bytes'], changed)
        points = (LabelledPoints(self._outputs.points, plan.points, plan.classes, log)
                  if self._outputs.points else None)
        images = ImageStream(settings['bit_depth'], converter())
        receiver = Receiver(
            queue, ImageReader(images, health, log, self._now_ns), plan.read_events,
            EventStream(continuity, event_map.check), event_map,
            Synchronizer(plan.trigger, settings['event_window'], settings['event_wait'],
                         settings['max_gap']), log, points)
        segmenter = plan.streams[self.name]
        segmenter.restart()
        responder = Responder(segmenter, continuity, self._outputs, health, log,
                              self._latency, points)
        self._inputs = Inputs(self._node, self._prefix, settings, plan, queue, continuity,
                              health, log, self._outputs)
        self._stream = CameraStream(receiver, responder)
        return self._stream

    def close(self) -> None:
        """Destroy the subscriptions and the stream; nothing to do while closed."""
        if self._inputs:
            self._inputs.destroy()
        self._inputs = self._stream = None

    def destroy(self) -> None:
        """Destroy the outputs too."""
        self._outputs.destroy()

    def apply(self, settings: Mapping[str, Any]) -> None:
        """Use this snapshot of the parameters."""
        self._settings = settings
        self._outputs.offer(settings)
        self._health.limits = Limits(settings['max_latency'])
        if self._inputs:
            self._inputs.lazy = settings['lazy']

    def report(self, now_s: float) -> Report:
        """Report on the time since the last report."""
        return self._health.report(now_s, self._inputs.asleep if self._inputs else 'not active')

    def log_drops(self) -> None:
        """Log what was dropped or missing since the last time; nothing while closed."""
        if self._stream:
            self._stream.receiver.report()

    def request_reset(self, cause: str, reason: str) -> None:
        """Reset the state before the next step; nothing to do while closed."""
        if self._stream:
            self._stream.responder.request_reset(cause, reason)

    def clock_jumped(self, delta_s: float) -> None:
        """Reset the state before the next step: ROS time jumped by ``delta_s`` seconds."""
        self._latency.clock_jumped()
        self._health.clock_jumped()
        self.request_reset('clock jumped', f'ROS time jumped by {delta_s:+.3f} s')

    def enable(self, enabled: bool) -> None:
        """Process the messages, or ignore them until the camera is closed."""
        if self._inputs and enabled != self._inputs.enabled:
            self._inputs.enabled = enabled
            self.request_reset('enabled', '~/enable was called')

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds
