# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `mfs_seg`: segments the images of a camera, one step of the neurons a message."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float32, Header
from std_srvs.srv import Trigger
from vision_msgs.msg import LabelInfo

from mfs_seg_core.labels import overlay
from mfs_seg_core.streaming import Segmentation, Segmenter, set_threads
from mfs_seg_ros.continuity import Continuity
from mfs_seg_ros.latest import LatestSlot
from mfs_seg_ros.messages import (
    MessageError,
    converter,
    decode_rgb,
    image_message,
    label_info_message,
    to_rgb,
)
from mfs_seg_ros.parameters import SEGMENTER, ParameterError, declare_all
from mfs_seg_ros.run import run_node
from mfs_seg_ros.transport import transport_warning

POLL_S = 0.1
# Beyond a few threads a network this small only waits for them.
MAX_THREADS = 4
# An image smaller than this shows nothing to segment.
MIN_SIDE = 8
# Different complaints about messages that are logged in full in one report period.
MAX_COMPLAINTS = 10
# Matches every camera; an image that is late is of no use.
CAMERA_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
# Matches every consumer.
RESULT_QOS = QoSProfile(depth=5)
DEBUG_QOS = QoSProfile(depth=10)
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class SegmenterNode(Node):
    """
    Answers each image with a mask of the same header; the latest image wins.

    The executor's thread only receives; one worker thread converts, segments and publishes.
    Raises ValueError with one sentence when a parameter or the weights cannot be used.
    """

    def __init__(self, stopped: threading.Event) -> None:
        super().__init__('mfs_seg')
        self._stopped = stopped
        settings = declare_all(self, SEGMENTER)
        set_threads(settings['threads'] or max(1, min(MAX_THREADS, (os.cpu_count() or 1) - 1)))
        self._segmenter = Segmenter.from_weights(
            settings['weights'], settings['device'], _input_size(settings))
        # What is missing should be said now, not at the first image.
        converter()
        self._continuity = Continuity(settings['max_gap'])
        self._reset_asked = threading.Event()
        self._slot: LatestSlot[tuple[Callable[[Any], np.ndarray], Any]] = LatestSlot()
        self._received = self._masks = self._unusable = 0
        self._reported = (0, 0)
        self._complaints: set[str] = set()
        self._failure: Exception | None = None
        self._create_publishers(settings)
        self._create_inputs(settings)
        self._log_start()

    def _create_publishers(self, settings: dict[str, Any]) -> None:
        self._label_info = self.create_publisher(LabelInfo, '~/label_info', LATCHED_QOS)
        self._label_info.publish(label_info_message(
            self._segmenter.classes, Header(stamp=self.get_clock().now().to_msg())))
        self._mask = self.create_publisher(Image, '~/mask', RESULT_QOS)
        self._overlay = self._confidence = None
        if settings['publish_overlay']:
            self._overlay = self.create_publisher(Image, '~/overlay', RESULT_QOS)
        if settings['publish_confidence']:
            self._confidence = self.create_publisher(Image, '~/confidence', RESULT_QOS)
        self._model_time = self.create_publisher(Float32, '~/debug/model_time_ms', DEBUG_QOS)

    def _create_inputs(self, settings: dict[str, Any]) -> None:
        self.create_service(Trigger, '~/reset_state', self._on_reset)
        for kind, topic, convert in (
            (Image, '~/image', to_rgb), (CompressedImage, '~/image/compressed', decode_rgb)
        ):
            self.create_subscription(kind, topic, partial(self._on_message, convert), CAMERA_QOS)
        # Reports are for people: they come in real time also when the simulation stands still.
        self.create_timer(settings['report_period'], self._report,
                          clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _log_start(self) -> None:
        width, height = self._segmenter.input_size
        image, compressed, mask = (
            self.resolve_topic_name(name) for name in ('~/image', '~/image/compressed', '~/mask'))
        self.get_logger().info(
            f"weights '{self._segmenter.name}' on {self._segmenter.device}, "
            f'input {width}x{height}; {image} or {compressed} -> {mask}')
        warning = transport_warning(get_rmw_implementation_identifier(), os.environ)
        if warning:
            self.get_logger().warn(warning)

    def run(self) -> None:
        """Serve until stopped; raises what the worker failed with, if it did."""
        executor = SingleThreadedExecutor()
        executor.add_node(self)
        worker = threading.Thread(target=self._work, name='segment')
        worker.start()
        try:
            while not self._stopped.is_set():
                executor.spin_once(timeout_sec=POLL_S)
        finally:
            self._slot.close()
            worker.join()
        self._report()
        if self._failure:
            raise self._failure

    def _on_message(self, convert: Callable[[Any], np.ndarray], message: Any) -> None:
        self._received += 1
        self._slot.put((convert, message))

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        # The worker resets: only it touches the neurons.
        self._reset_asked.set()
        response.success = True
        response.message = 'the next image starts from rest'
        return response

    def _report(self) -> None:
        """Say what was lost since the last report, if anything was."""
        self._complaints.clear()
        counts = (self._slot.dropped, self._unusable)
        if counts != self._reported:
            self._reported = counts
            self.get_logger().warn(
                f'of {self._received} images so far, {counts[0]} were dropped for newer ones and '
                f'{counts[1]} were unusable; {self._masks} masks were published')

    def _work(self) -> None:
        """Answer messages until the slot is closed; what was not foreseen stops the node."""
        try:
            while (taken := self._slot.take()) is not None:
                convert, message = taken
                try:
                    self._answer(convert(message), message.header)
                except ValueError as error:
                    self._complain(str(error))
        except Exception as error:
            self._failure = error
            self._stopped.set()

    def _answer(self, frame: np.ndarray, header: Header) -> None:
        height, width = frame.shape[:2]
        if min(height, width) < MIN_SIDE:
            raise MessageError(
                f'the image is {width}x{height} pixels: send at least {MIN_SIDE}x{MIN_SIDE}')
        self._rest_if_broken(frame, header)
        result = self._segmenter.step(frame, self._continuity.step_s, _wanted(self._confidence))
        self._publish(frame, result, header)

    def _rest_if_broken(self, frame: np.ndarray, header: Header) -> None:
        """Bring the neurons to rest when this frame does not continue what they have seen."""
        reason = self._continuity.break_before(
            Time.from_msg(header.stamp).nanoseconds, frame.shape[:2])
        if self._reset_asked.is_set():
            self._reset_asked.clear()
            reason = '~/reset_state was called'
        if reason:
            self.get_logger().info(f'the state returns to rest: {reason}')
        if reason or not self.get_parameter('keep_state').value:
            self._segmenter.reset()

    def _publish(self, frame: np.ndarray, result: Segmentation, header: Header) -> None:
        self._mask.publish(image_message(result.mask, 'mono8', header))
        self._masks += 1
        if result.confidence is not None:
            self._confidence.publish(image_message(result.confidence, 'mono8', header))
        if _wanted(self._overlay):
            opacity = self.get_parameter('overlay_opacity').value
            self._overlay.publish(image_message(
                overlay(frame, result.mask, self._segmenter.classes, opacity), 'rgb8', header))
        if _wanted(self._model_time):
            self._model_time.publish(Float32(data=result.model_ms))

    def _complain(self, sentence: str) -> None:
        """Count an unusable message, and log each sentence once in a report period."""
        self._unusable += 1
        if sentence not in self._complaints and len(self._complaints) < MAX_COMPLAINTS:
            self._complaints.add(sentence)
            self.get_logger().error(f'unusable message: {sentence}')


def _input_size(settings: dict[str, Any]) -> tuple[int, int] | None:
    size = settings['input_width'], settings['input_height']
    if any(size) and not all(size):
        raise ParameterError("give both 'input_width' and 'input_height', or neither")
    return size if all(size) else None


def _wanted(publisher: Publisher | None) -> bool:
    return publisher is not None and publisher.get_subscription_count() > 0


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after a sentence about what is wrong."""
    return run_node(SegmenterNode, 'mfs_seg', args)


if __name__ == '__main__':
    sys.exit(main())
