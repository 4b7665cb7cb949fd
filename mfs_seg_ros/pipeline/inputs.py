# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The subscriptions of one camera."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_ros.diagnostics.drops import (
    IMAGES_DROPPED,
    IMAGES_LATE,
    IMAGES_LOST,
    IMAGES_MISSING,
    IMAGES_UNUSABLE,
    PACKETS_DROPPED,
    PACKETS_MISSING,
    DropLog,
)
from mfs_seg_ros.diagnostics.health import Health
from mfs_seg_ros.diagnostics.missing_frames import MissingFrames
from mfs_seg_ros.diagnostics.qos_check import CheckedSubscription
from mfs_seg_ros.messages.events import EVENT_QOS
from mfs_seg_ros.messages.images import stamp_ns
from mfs_seg_ros.messages.serialised_image import SerialisedImage, read_image
from mfs_seg_ros.pipeline.configure import Plan
from mfs_seg_ros.pipeline.input_queue import InputQueue
from mfs_seg_ros.pipeline.outputs import Outputs

# Matches every camera. Deeper than 1: messages that the middleware replaces are not counted.
CAMERA_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
GEOMETRY_TOPICS = {'depth': Image, 'cloud': PointCloud2}


class Inputs:
    """
    Subscribes to the sensors of a camera, and puts their messages into its queue.

    While the camera is not ``enabled``, or is ``lazy`` and no output has a subscriber, messages are
    counted and ignored. All methods are called by the executor's thread.

    :param node: node that subscribes.
    :param prefix: start of the topics' names.
    :param settings: parameters.
    :param plan: which sensors, and the type of event messages.
    :param queue: takes the messages.
    :param continuity: decides which images are late.
    :param health: counts them.
    :param log: counts and logs unusable messages.
    :param outputs: whether they have subscribers decides for a lazy camera.
    """

    def __init__(self, node: Node, prefix: str, settings: Mapping[str, Any], plan: Plan,
                 queue: InputQueue, continuity: Continuity, health: Health, log: DropLog,
                 outputs: Outputs) -> None:
        self._queue, self._continuity = queue, continuity
        self._health, self._log, self._outputs = health, log, outputs
        self._missing = MissingFrames(settings['max_gap'])
        self._was_asleep = False
        self.enabled, self.lazy = True, settings['lazy']
        # One publisher on any subscription of a group is enough.
        self.groups: list[list[CheckedSubscription]] = []
        if 'camera' in plan.sensors:
            self.groups.append([
                CheckedSubscription(node, Image, f'{prefix}image', self._on_serialised_image,
                                    CAMERA_QOS, raw=True, on_lost=self._on_lost_images),
                CheckedSubscription(node, CompressedImage, f'{prefix}image/compressed',
                                    self._on_compressed_image, CAMERA_QOS,
                                    on_lost=self._on_lost_images)])
        if plan.event_type:
            # As bytes: message objects cost more than the decoding of their events.
            self.groups.append([CheckedSubscription(
                node, plan.event_type, f'{prefix}events', self._on_events, EVENT_QOS, raw=True,
                # Packets have a count of their own.
                on_lost=None if settings['event_type'] == 'packet' else self._on_lost_arrays)])
        if plan.points:
            kind = GEOMETRY_TOPICS[plan.points]
            self.groups += [
                [CheckedSubscription(node, kind, f'{prefix}{plan.points}',
                                     partial(self._on_geometry, kind), CAMERA_QOS, raw=True)],
                [CheckedSubscription(node, CameraInfo, f'{prefix}camera_info',
                                     queue.put_camera_info, CAMERA_QOS)]]

    @property
    def topics(self) -> str:
        """Resolved names of the topics, for people."""
        return ' and '.join(' or '.join(subscription.topic for subscription in group)
                            for group in self.groups)

    @property
    def asleep(self) -> str | None:
        """Why messages are ignored; None: they are processed."""
        if not self.enabled:
            return 'disabled by ~/enable'
        if self.lazy and not self._outputs.has_subscribers:
            return 'nobody subscribes to an output'
        return None

    def destroy(self) -> None:
        """Destroy the subscriptions."""
        for subscription in sum(self.groups, []):
            subscription.destroy()

    def _on_serialised_image(self, message: bytes) -> None:
        self._health.arrived('image', time.monotonic())
        if not self._awake():
            return
        try:
            self._put_image(read_image(message))
        except ValueError as error:
            self._log.unusable(IMAGES_UNUSABLE, str(error))

    def _on_compressed_image(self, message: CompressedImage) -> None:
        self._health.arrived('image', time.monotonic())
        if self._awake():
            self._put_image(message)

    def _put_image(self, message: SerialisedImage | CompressedImage) -> None:
        stamp = stamp_ns(message)
        if missing := self._missing.add(stamp):
            self._health.lost(IMAGES_MISSING, missing)
        if self._continuity.is_late(stamp):
            self._health.lost(IMAGES_LATE)
        elif self._queue.put_image(message):
            self._health.lost(IMAGES_DROPPED)

    def _on_lost_images(self, count: int) -> None:
        if self.asleep is None:
            self._health.lost(IMAGES_LOST, count)
            self._missing.lost(count)

    def _on_events(self, message: bytes) -> None:
        self._health.arrived('events', time.monotonic())
        if self._awake() and (dropped := self._queue.put_packet(message, len(message))):
            self._health.lost(PACKETS_DROPPED, dropped)

    def _on_geometry(self, kind: type, message: bytes) -> None:
        # Without a subscriber, no points are published.
        if self.asleep is None and self._outputs.points.matched_count:
            self._queue.put_geometry(deserialize_message(message, kind))

    def _on_lost_arrays(self, count: int) -> None:
        if self.asleep is None:
            self._health.lost(PACKETS_MISSING, count)

    def _awake(self) -> bool:
        awake = self.asleep is None
        if awake and self._was_asleep:
            # Frames that were ignored are not missing.
            self._missing.restart()
        self._was_asleep = not awake
        return awake
