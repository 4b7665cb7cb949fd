# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics on which a view answers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Float32, Header

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.labels import UNLABELLED, ClassSet, overlay
from mfs_seg_core.streaming.segmenter import Segmentation
from mfs_seg_ros.messages.event_image import draw_events
from mfs_seg_ros.messages.images import image_message
from mfs_seg_ros.messages.run_length import run_length_message

# Matches every consumer.
RESULT_QOS = QoSProfile(depth=5)
DEBUG_QOS = QoSProfile(depth=10)
# Offered where the parameter publish_<name> says so.
OPTIONAL = ('overlay', 'confidence', 'mask_run_length')
TIMES = ('model_time_ms', 'decode_time_ms', 'processing_time_ms', 'pipeline_latency_ms')


class Outputs:
    """
    Publishes masks, and what else someone subscribes to.

    One thread publishes while another one changes what is offered. `settings` is looked at anew
    for each message.
    """

    def __init__(self, node: Node, prefix: str, settings: Mapping[str, Any], classes: ClassSet
                 ) -> None:
        self._node, self._prefix, self._settings, self._classes = node, prefix, settings, classes
        self._changing = threading.Lock()
        self._mask = node.create_publisher(Image, f'{prefix}mask', RESULT_QOS)
        self._optional: dict[str, Publisher] = {}
        self._times = {name: node.create_publisher(Float32, f'{prefix}debug/{name}', DEBUG_QOS)
                       for name in TIMES}
        self.offer()

    @property
    def mask_topic(self) -> str:
        """Resolved name of the topic of masks."""
        return self._mask.topic_name

    @property
    def images(self) -> list[Publisher]:
        """What publishes images now."""
        return [self._mask, *self._optional.values()]

    @property
    def wanted(self) -> bool:
        """Whether someone listens."""
        with self._changing:
            return any(map(_heard, (*self.images, *self._times.values())))

    @property
    def needs_confidence(self) -> bool:
        """Whether the next answer should come with its confidence."""
        return self._settings['min_confidence'] > 0 or _heard(self._optional.get('confidence'))

    def offer(self) -> None:
        """Have the topics that the settings ask for, and no others."""
        with self._changing:
            for name in OPTIONAL:
                asked, there = self._settings[f'publish_{name}'], name in self._optional
                if asked and not there:
                    self._optional[name] = self._node.create_publisher(
                        Image, f'{self._prefix}{name}', RESULT_QOS)
                elif there and not asked:
                    self._node.destroy_publisher(self._optional.pop(name))

    def publish(self, header: Header, image: np.ndarray | None, events: EventWindow | None,
                result: Segmentation) -> None:
        """
        Answer one step.

        `image`, uint8 [H, W, 3], and `events` are what was seen, of which one may be None.
        """
        mask = result.mask
        least = self._settings['min_confidence']
        if least > 0 and result.confidence is not None:
            mask = np.where(result.confidence < 255 * least, np.uint8(UNLABELLED), mask)
        with self._changing:
            self._mask.publish(image_message(mask, 'mono8', header))
            confidence, drawn, runs = map(self._optional.get,
                                          ('confidence', 'overlay', 'mask_run_length'))
            if _heard(confidence) and result.confidence is not None:
                confidence.publish(image_message(result.confidence, 'mono8', header))
            if _heard(runs):
                runs.publish(run_length_message(mask, header))
            if _heard(drawn):
                height, width = mask.shape
                seen = draw_events(events, width, height) if image is None else image
                picture = overlay(seen, mask, self._classes, self._settings['overlay_opacity'])
                drawn.publish(image_message(picture, 'rgb8', header))

    def publish_times(self, **times_ms: float | None) -> None:
        """Publish those of TIMES that are known and that someone listens to, in milliseconds."""
        for name, value in times_ms.items():
            if value is not None and _heard(self._times[name]):
                self._times[name].publish(Float32(data=value))

    def destroy(self) -> None:
        """Give up the topics."""
        for publisher in (*self.images, *self._times.values()):
            self._node.destroy_publisher(publisher)


def _heard(publisher: Publisher | None) -> bool:
    return publisher is not None and publisher.get_subscription_count() > 0
