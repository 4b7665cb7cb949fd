# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `mfs_seg`: segments what a camera, an event camera or both see, step by step."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float32, Header
from std_srvs.srv import Trigger
from vision_msgs.msg import LabelInfo

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.labels import overlay
from mfs_seg_core.streaming import Segmentation, Segmenter, set_threads
from mfs_seg_ros.continuity import Continuity
from mfs_seg_ros.event_map import EventMap
from mfs_seg_ros.event_messages import EVENT_QOS, event_message
from mfs_seg_ros.event_picture import event_picture
from mfs_seg_ros.event_stream import EventStream, prepare
from mfs_seg_ros.inbox import Arrived, Inbox
from mfs_seg_ros.losses import Losses
from mfs_seg_ros.messages import (
    MessageError,
    converter,
    decode_rgb,
    header_of,
    image_message,
    label_info_message,
    stamp_ns,
    to_rgb,
)
from mfs_seg_ros.parameters import SEGMENTER, declare_all, input_size
from mfs_seg_ros.run import run_node
from mfs_seg_ros.steps import Step, Steps, chosen_senses, chosen_trigger
from mfs_seg_ros.transport import transport_warning

POLL_S = 0.1
# Beyond a few threads a network this small only waits for them.
MAX_THREADS = 4
# An image smaller than this shows nothing to segment.
MIN_SIDE = 8
# Matches every camera; an image that is late is of no use.
CAMERA_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
# Matches every consumer.
RESULT_QOS = QoSProfile(depth=5)
DEBUG_QOS = QoSProfile(depth=10)
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class SegmenterNode(Node):
    """
    Answers each step with a mask of the header of the message that completed it.

    The executor's thread only receives; one worker thread converts, segments and publishes.
    Raises ValueError with one sentence when a parameter or the weights cannot be used.
    """

    def __init__(self, stopped: threading.Event) -> None:
        super().__init__('mfs_seg')
        self._stopped = stopped
        settings = declare_all(self, SEGMENTER)
        set_threads(settings['threads'] or max(1, min(MAX_THREADS, (os.cpu_count() or 1) - 1)))
        self._segmenter = Segmenter.from_weights(
            settings['weights'], settings['device'], input_size(settings))
        self._senses = chosen_senses(settings['sensors'], self._segmenter.modalities)
        self._trigger = chosen_trigger(settings['trigger'], self._senses)
        self._steps = Steps(self._trigger, settings['event_window'], settings['event_wait'],
                            settings['max_gap'])
        self._event_stream = EventStream(
            EventMap(settings['event_homography'], settings['event_map']))
        self._image_size: tuple[int, int] | None = None
        self._continuity = Continuity(settings['max_gap'])
        # Why the next step starts from rest.
        self._break: str | None = None
        self._reset_asked = threading.Event()
        self._inbox = Inbox(settings['event_queue_bytes'])
        self._losses = Losses()
        self._masks = 0
        self._decode_s = 0.0
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
        self._decode_time = self.create_publisher(Float32, '~/debug/decode_time_ms', DEBUG_QOS)

    def _create_inputs(self, settings: dict[str, Any]) -> None:
        self.create_service(Trigger, '~/reset_state', self._on_reset)
        if 'camera' in self._senses:
            # What is missing should be said now, not at the first image.
            converter()
            for kind, topic, convert in (
                (Image, '~/image', to_rgb), (CompressedImage, '~/image/compressed', decode_rgb)
            ):
                self.create_subscription(
                    kind, topic, partial(self._on_image, convert), CAMERA_QOS)
        if 'events' in self._senses:
            event_type, self._read_events = event_message(settings['event_type'])
            prepare()
            # As bytes: objects would cost more than all that is done with the events.
            self.create_subscription(
                event_type, '~/events', self._on_events, EVENT_QOS, raw=True)
        # Reports are for people: they come in real time also when the simulation stands still.
        self.create_timer(settings['report_period'], self._report,
                          clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _log_start(self) -> None:
        width, height = self._segmenter.input_size
        inputs = {'camera': ('~/image', '~/image/compressed'), 'events': ('~/events',)}
        topics = [' or '.join(map(self.resolve_topic_name, inputs[sense]))
                  for sense in self._senses]
        self.get_logger().info(
            f"weights '{self._segmenter.name}' on {self._segmenter.device}, "
            f"input {width}x{height}; {' and '.join(topics)} -> "
            f"{self.resolve_topic_name('~/mask')}, trigger '{self._trigger}'")
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
            self._inbox.close()
            worker.join()
        self._report()
        if self._failure:
            raise self._failure

    def _on_image(self, convert: Callable[[Any], np.ndarray], message: Any) -> None:
        self._losses.received['image'] += 1
        self._inbox.put_image((convert, message))

    def _on_events(self, message: bytes) -> None:
        self._losses.received['events'] += 1
        self._inbox.put_packet(message, len(message))

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        # The worker resets: only it touches the neurons.
        self._reset_asked.set()
        response.success = True
        response.message = 'the next step starts from rest'
        return response

    def _report(self) -> None:
        """Say what was lost since the last report, if anything was."""
        for sentence in self._losses.report(
            self._masks, self._inbox.images_dropped, self._inbox.packets_dropped,
            self._event_stream.lost, self._event_stream.faults
        ):
            self.get_logger().warn(sentence)

    def _work(self) -> None:
        """Take in what arrives until the inbox is closed; what was not foreseen stops the node."""
        try:
            wait_s = None
            while (arrived := self._inbox.take(wait_s)) is not None:
                self._take_events(arrived)
                self._take_image(arrived)
                while step := self._steps.take(time.monotonic()):
                    self._answer(step)
                wait_s = self._steps.wait_s(time.monotonic())
        except Exception as error:
            self._failure = error
            self._stopped.set()

    def _take_events(self, arrived: Arrived) -> None:
        begin = time.perf_counter()
        if arrived.dropped:
            self._event_stream.skip(arrived.dropped)
        for message in arrived.packets:
            try:
                packet = self._read_events(message)
                events, broken = self._event_stream.decode(packet)
            except ValueError as error:
                self._complain('events', str(error))
                self._event_stream.skip(1)
                continue
            if broken:
                self._steps.restart()
                self._break = broken
            header = header_of(packet.stamp_ns, packet.frame_id)
            self._steps.add_events(events, header, self._event_stream.clock, time.monotonic())
        self._decode_s += time.perf_counter() - begin

    def _take_image(self, arrived: Arrived) -> None:
        if arrived.image is None:
            return
        convert, message = arrived.image
        try:
            image = convert(message)
            height, width = image.shape[:2]
            if min(height, width) < MIN_SIDE:
                raise MessageError(
                    f'the image is {width}x{height} pixels: send at least {MIN_SIDE}x{MIN_SIDE}')
        except ValueError as error:
            self._complain('image', str(error))
            return
        if step := self._steps.add_image(
            image, message.header, stamp_ns(message), time.monotonic()
        ):
            self._answer(step)
        self._image_size = width, height

    def _answer(self, step: Step) -> None:
        if step.apart_s:
            self._complain('image', f"an image's stamp is {step.apart_s:.0f} s ahead of the "
                           "events' time: stamp both by one clock")
        self._rest_if_broken(step)
        try:
            window = self._event_stream.window(step, self._image_size)
            result = self._segmenter.step(
                step.image, self._continuity.step_s, _wanted(self._confidence), events=window)
        except ValueError as error:
            self._complain(step.cause, str(error))
            return
        self._publish(step, window, result)

    def _rest_if_broken(self, step: Step) -> None:
        """Bring the neurons to rest when this step does not continue what they have seen."""
        size = None if step.image is None else step.image.shape[:2]
        reason = self._continuity.break_before(step.stamp_ns, size, step.cause) or self._break
        self._break = None
        if self._reset_asked.is_set():
            self._reset_asked.clear()
            reason = '~/reset_state was called'
        if reason:
            self.get_logger().info(f'the state returns to rest: {reason}')
        if reason or not self.get_parameter('keep_state').value:
            self._segmenter.reset()

    def _publish(self, step: Step, window: EventWindow | None, result: Segmentation) -> None:
        header = step.header
        self._mask.publish(image_message(result.mask, 'mono8', header))
        self._masks += 1
        if result.confidence is not None:
            self._confidence.publish(image_message(result.confidence, 'mono8', header))
        if _wanted(self._overlay):
            height, width = result.mask.shape
            seen = event_picture(window, width, height) if step.image is None else step.image
            opacity = self.get_parameter('overlay_opacity').value
            self._overlay.publish(image_message(
                overlay(seen, result.mask, self._segmenter.classes, opacity), 'rgb8', header))
        if _wanted(self._model_time):
            self._model_time.publish(Float32(data=result.model_ms))
        if _wanted(self._decode_time):
            self._decode_time.publish(Float32(data=1e3 * self._decode_s))
        self._decode_s = 0.0

    def _complain(self, kind: str, sentence: str) -> None:
        """Count an unusable message, and log each sentence once in a report period."""
        self._losses.unusable[kind] += 1
        if self._losses.is_new(sentence):
            self.get_logger().error(f'unusable message: {sentence}')


def _wanted(publisher: Publisher | None) -> bool:
    return publisher is not None and publisher.get_subscription_count() > 0


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after a sentence about what is wrong."""
    return run_node(SegmenterNode, 'mfs_seg', args)


if __name__ == '__main__':
    sys.exit(main())
