# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics that one camera's results are published on."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Float32

from mfs_seg_core.events.event_image import draw_events
from mfs_seg_core.labels import UNLABELLED, overlay
from mfs_seg_core.streaming.segmenter import Segmentation
from mfs_seg_core.streaming.step import Step
from mfs_seg_ros.diagnostics.health import Level
from mfs_seg_ros.diagnostics.qos_check import CheckedPublisher
from mfs_seg_ros.diagnostics.status import status
from mfs_seg_ros.messages.images import image_message
from mfs_seg_ros.messages.run_length import run_length_message
from mfs_seg_ros.pipeline.configure import Plan

# Matches every consumer.
RESULT_QOS = QoSProfile(depth=5)
DEBUG_QOS = QoSProfile(depth=10)
# One: they are large, and the middleware keeps them in shared memory.
POINTS_QOS = QoSProfile(depth=1)
# Offered where the parameter publish_<name> is true.
OPTIONAL = ('overlay', 'confidence', 'mask_run_length')
FIRING_RATES = 'firing_rates'
TIMES = ('model_time_ms', 'decode_time_ms', 'processing_time_ms', 'pipeline_latency_ms')


class Outputs:
    """
    Publishes masks, and further outputs while they have subscribers.

    The worker's thread publishes; the executor's thread changes which outputs are offered.

    :param node: node that has the topics.
    :param prefix: start of the topics' names.
    :param settings: parameters.
    :param plan: classes of the masks, and their groups.
    """

    def __init__(self, node: Node, prefix: str, settings: Mapping[str, Any], plan: Plan) -> None:
        self._node, self._prefix = node, prefix
        self._classes, self._groups = plan.classes, plan.groups
        self._changing = threading.Lock()
        self._mask = CheckedPublisher(node, Image, f'{prefix}mask', RESULT_QOS)
        self._optional: dict[str, CheckedPublisher] = {}
        self._times = {
            name: CheckedPublisher(node, Float32, f'{prefix}debug/{name}', DEBUG_QOS)
            for name in TIMES}
        #: Publisher of labelled points; None: the parameters ask for none.
        self.points = (CheckedPublisher(node, PointCloud2, f'{prefix}points', POINTS_QOS)
                       if plan.points else None)
        self._firing_rates = CheckedPublisher(
            node, DiagnosticArray, f'{prefix}debug/{FIRING_RATES}', DEBUG_QOS)
        self.offer(settings)

    @property
    def mask_topic(self) -> str:
        """Resolved name of the topic of masks."""
        return self._mask.topic

    @property
    def publishers(self) -> list[CheckedPublisher]:
        """Publishers of images and points that are offered now."""
        return [self._mask, *self._optional.values(), *([self.points] if self.points else [])]

    @property
    def _all_publishers(self) -> list[CheckedPublisher]:
        return [*self.publishers, *self._times.values(), self._firing_rates]

    @property
    def has_subscribers(self) -> bool:
        """Whether any output has a subscriber."""
        with self._changing:
            return any(map(_has_subscribers, self._all_publishers))

    def needs_confidence(self, settings: Mapping[str, Any]) -> bool:
        """Return whether the next mask needs its confidence."""
        return (settings['min_confidence'] > 0
                or _has_subscribers(self._optional.get('confidence')))

    def offer(self, settings: Mapping[str, Any]) -> None:
        """Create the optional topics that the parameters ask for, and destroy the others."""
        with self._changing:
            for name in OPTIONAL:
                offered = name in self._optional
                if settings[f'publish_{name}'] and not offered:
                    self._optional[name] = CheckedPublisher(
                        self._node, Image, f'{self._prefix}{name}', RESULT_QOS)
                elif offered and not settings[f'publish_{name}']:
                    self._optional.pop(name).destroy()

    def publish(self, step: Step, result: Segmentation, settings: Mapping[str, Any]
                ) -> np.ndarray:
        """
        Publish the results of a step.

        :param step: the step; its header is that of all messages.
        :param result: output of the network.
        :param settings: parameters now.
        :returns: the published mask, uint8 [H, W].
        """
        mask = self._groups.apply(result.mask) if self._groups else result.mask
        least = settings['min_confidence']
        if least > 0 and result.confidence is not None:
            mask = np.where(result.confidence < 255 * least, np.uint8(UNLABELLED), mask)
        with self._changing:
            self._mask.publish(image_message(mask, 'mono8', step.header))
            confidence, drawn, runs = map(self._optional.get,
                                          ('confidence', 'overlay', 'mask_run_length'))
            if _has_subscribers(confidence) and result.confidence is not None:
                confidence.publish(image_message(result.confidence, 'mono8', step.header))
            if _has_subscribers(runs):
                runs.publish(run_length_message(mask, step.header))
            if _has_subscribers(drawn):
                height, width = mask.shape
                image = (draw_events(step.window, width, height) if step.image is None
                         else step.image)
                drawn.publish(image_message(
                    overlay(image, mask, self._classes, settings['overlay_opacity']), 'rgb8',
                    step.header))
        return mask

    def publish_times(self, **times_ms: float | None) -> None:
        """Publish times by the names in TIMES, in milliseconds; None: not known."""
        for name, value in times_ms.items():
            if value is not None and _has_subscribers(self._times[name]):
                self._times[name].publish(Float32(data=value))

    def publish_firing_rates(self, step: Step, rates: Mapping[str, float]) -> None:
        """
        Publish the firing rates of a step.

        :param step: the step; its header is that of the message.
        :param rates: mean spikes of a neuron, by layer.
        """
        if _has_subscribers(self._firing_rates):
            # The type with which plotting programs read numbers by name.
            self._firing_rates.publish(DiagnosticArray(header=step.header, status=[
                status(FIRING_RATES, '', Level.OK, 'mean spikes of a neuron', rates)]))

    def destroy(self) -> None:
        """Destroy the publishers."""
        for publisher in self._all_publishers:
            publisher.destroy()


def _has_subscribers(publisher: CheckedPublisher | None) -> bool:
    return publisher is not None and publisher.matched_count > 0
