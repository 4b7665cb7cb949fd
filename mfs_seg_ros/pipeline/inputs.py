# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics that a view hears, and what is counted of them as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from mfs_seg_ros.diagnostics.drops import IMAGES_DROPPED, IMAGES_MISSING, PACKETS_DROPPED
from mfs_seg_ros.diagnostics.health import Health
from mfs_seg_ros.diagnostics.missing_frames import FramePeriod
from mfs_seg_ros.messages.events import EVENT_QOS
from mfs_seg_ros.messages.images import decode_rgb, stamp_ns, to_rgb
from mfs_seg_ros.pipeline.configure import Plan
from mfs_seg_ros.pipeline.input_queue import Inbox
from mfs_seg_ros.pipeline.outputs import Outputs

# Matches every camera. Not of depth 1: what the middleware lets go nobody would count.
CAMERA_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
IMAGE_TOPICS = {'image': (Image, to_rgb), 'image/compressed': (CompressedImage, decode_rgb)}


class Sensors:
    """
    Subscribes to one view's sensors, and puts what comes into its inbox.

    While `enabled` is false, or nobody listens to the outputs of a lazy node, what comes is let go.
    """

    def __init__(self, node: Node, prefix: str, settings: Mapping[str, Any], plan: Plan,
                 inbox: Inbox, outputs: Outputs, health: Health) -> None:
        self._settings, self._inbox, self._outputs = settings, inbox, outputs
        self._health = health
        self._period = FramePeriod()
        self._stamp_ns = 0
        self._slept = False
        self.enabled = True
        self._node = node
        # Of each group one publisher is enough.
        self.groups: list[list[Subscription]] = []
        if 'camera' in plan.sensors:
            self.groups.append([
                node.create_subscription(
                    kind, f'{prefix}{topic}', partial(self._on_image, convert), CAMERA_QOS)
                for topic, (kind, convert) in IMAGE_TOPICS.items()])
        if plan.event_type:
            # As bytes: objects would cost more than all that is done with the events.
            self.groups.append([node.create_subscription(
                plan.event_type, f'{prefix}events', self._on_events, EVENT_QOS, raw=True)])

    @property
    def topics(self) -> str:
        """Resolved names of the topics that are heard, for people."""
        return ' and '.join(' or '.join(subscription.topic_name for subscription in group)
                            for group in self.groups)

    def destroy(self) -> None:
        """Hear no more."""
        for subscription in sum(self.groups, []):
            self._node.destroy_subscription(subscription)

    def _on_image(self, convert: Callable[[Any], np.ndarray], message: Any) -> None:
        self._health.arrived('image', time.monotonic())
        if not self._awake():
            return
        self._count_missing(stamp_ns(message))
        if self._inbox.put_image((convert, message)):
            self._health.lost(IMAGES_DROPPED)

    def _count_missing(self, at_ns: int) -> None:
        """Count the frames between the image before and this one, where the stream goes on."""
        before_ns, self._stamp_ns = self._stamp_ns, at_ns
        if not 0 <= at_ns - before_ns <= 1e9 * self._settings['max_gap']:
            self._period.restart()
        if missing := self._period.missing_before(at_ns):
            self._health.lost(IMAGES_MISSING, missing)

    def _on_events(self, message: bytes) -> None:
        self._health.arrived('events', time.monotonic())
        if self._awake() and (dropped := self._inbox.put_packet(message, len(message))):
            self._health.lost(PACKETS_DROPPED, dropped)

    @property
    def asleep(self) -> str | None:
        """Why what comes is let go; None: it is not."""
        if not self.enabled:
            return 'disabled by ~/enable'
        if self._settings['lazy'] and not self._outputs.wanted:
            return 'nobody subscribes to an output'
        return None

    def _awake(self) -> bool:
        awake = self.asleep is None
        if awake and self._slept:
            # What came in sleep is not missing.
            self._period.restart()
        self._slept = not awake
        return awake
