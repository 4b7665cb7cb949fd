# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node ``viewer``: shows the inputs and outputs of a running segmenter in Rerun."""

from __future__ import annotations

import os
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
from event_camera_msgs.msg import EventPacket
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from vision_msgs.msg import LabelInfo

from mfs_seg_core.images import ImageStream, to_labels
from mfs_seg_core.segment.video import VIDEO_HEIGHT
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.view.live import LOW_PRIORITY, LiveView
from mfs_seg_core.view.step import ViewedStep
from mfs_seg_ros.diagnostics.health import Level
from mfs_seg_ros.diagnostics.status import UNNAMED
from mfs_seg_ros.messages.events import EVENT_QOS
from mfs_seg_ros.messages.images import class_set, stamp_ns
from mfs_seg_ros.node.parameters import Setting, chosen_sensors, declare_all
from mfs_seg_ros.node.run import run_node
from mfs_seg_ros.node.stop import Stop, end_process
from mfs_seg_ros.pipeline.latency import Latency
from mfs_seg_ros.recording.viewed_steps import ViewedSteps

POLL_S = 0.1
# Cameras may publish best effort; this matches every publisher. Our own topics are reliable.
CAMERA_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
RESULT_QOS = QoSProfile(depth=5)
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
MASK_TOPIC = 'mfs_seg/mask'
# Keys of /diagnostics, and the curves that show their values.
REPORTED = {'model time p50 (ms)': 'network, median of 1 s',
            'latency p99 (ms)': 'stamp to mask, p99 of 1 s'}
ARRIVAL = 'stamp to mask received here'
VIEWER = (
    Setting('show', 'web',
            "Where to show: 'web', a page for browsers on this machine; 'window', on its display; "
            "or empty, a recording only."),
    Setting('record', '', 'File to record to, of the kind .rrd; empty: none.'),
    Setting('sensors', 'camera', "What is segmented: 'camera', 'events' or 'fusion'."),
    Setting('event_window', 0.05, 'Seconds of events before a stamp that are drawn.',
            (0.001, 10.0)),
    Setting('confidence', True,
            'Show the confidence, which the segmenter computes only while it is subscribed.'),
    Setting('port', 0, 'Port for data; 0: 9876, or a free one.', (0, 65535)),
    Setting('web_port', 0, 'Port of the page; 0: 9090, or a free one.', (0, 65535)),
)


class Viewer(Node):
    """
    Subscribes to the sensors and results of a segmenter, and shows them until stopped.

    It subscribes to the sensors once a segmenter publishes, so a player that waits for its
    subscribers starts when every frame gets a mask.

    :param stopped: set when the node is to stop.
    :raises ValueError: a parameter is invalid, or Rerun is not installed.
    :raises OSError: the recording cannot be written, or Rerun does not start.
    """

    def __init__(self, stopped: Stop) -> None:
        super().__init__('viewer')
        self._stopped = stopped
        given = declare_all(self, VIEWER, read_only=True)
        self._sensors = chosen_sensors(given['sensors'], SENSORS['fusion'])
        # Before threads and the program of Rerun start: they take over the priority.
        os.nice(LOW_PRIORITY)
        self._view = LiveView(
            given['show'], Path(given['record']).expanduser() if given['record'] else None,
            self._sensors, given['port'], given['web_port'])
        self._images = ImageStream()
        self._steps = ViewedSteps(given['confidence'])
        self._latency = Latency(lambda: self.get_clock().now().nanoseconds)
        self._events = None
        if 'events' in self._sensors:
            from mfs_seg_ros.recording.events import EventRecord
            self._events = EventRecord(given['event_window'], VIDEO_HEIGHT)
        self._masks = 0
        self._stamp_ns: int | None = None
        self.create_subscription(Image, MASK_TOPIC, self._on_mask, RESULT_QOS)
        if given['confidence']:
            self.create_subscription(
                Image, 'mfs_seg/confidence', self._on_confidence, RESULT_QOS)
        self.create_subscription(LabelInfo, 'mfs_seg/label_info', self._on_labels, LATCHED_QOS)
        self.create_subscription(
            DiagnosticArray, 'mfs_seg/debug/firing_rates', self._on_rates, RESULT_QOS)
        # Statuses have the name of the segmenter, also where the topic is remapped.
        name = self.resolve_topic_name(MASK_TOPIC).rpartition('/')[0].lstrip('/')
        self._statuses = {f'{name}: {UNNAMED}', ': '.join(name.rsplit('/', 1))}
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_report, RESULT_QOS)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def run(self) -> None:
        """Show until stopped."""
        self._stopped.catch_signals()
        if self._view.page:
            self.get_logger().info(f'the view is at {self._view.page}')
        try:
            self._subscribe_to_sensors()
            while not self._stopped.is_set():
                self._executor.spin_once(timeout_sec=POLL_S)
            self._show(self._steps.rest())
        finally:
            self._view.close()
        self.get_logger().info(f'{self._masks} masks; {self._view.dropped} of them were not shown')

    def _subscribe_to_sensors(self) -> None:
        while not self._stopped.is_set() and not self.count_publishers(MASK_TOPIC):
            self._executor.spin_once(timeout_sec=POLL_S)
        if 'camera' in self._sensors:
            self.create_subscription(Image, 'camera/image_raw', self._on_image, CAMERA_QOS)
        if self._events:
            self.create_subscription(
                EventPacket, 'event_camera/events', self._events.add, EVENT_QOS, raw=True)

    def _on_image(self, message: Image) -> None:
        try:
            image = self._images.rgb(message)
        except ValueError:
            # The segmenter reports it.
            return
        self._steps.add_image(stamp_ns(message), image)

    def _on_mask(self, message: Image) -> None:
        self._masks += 1
        self._stamp_ns = stamp_ns(message)
        latency_s = self._latency.since(self._stamp_ns)
        times_ms = {} if latency_s is None else {ARRIVAL: 1e3 * latency_s}
        events = self._events.draw(self._stamp_ns) if self._events else None
        self._show(self._steps.add_mask(self._stamp_ns, to_labels(message), times_ms, events))

    def _on_confidence(self, message: Image) -> None:
        self._show(self._steps.add_confidence(stamp_ns(message), to_labels(message)))

    def _on_labels(self, message: LabelInfo) -> None:
        self._view.describe(class_set(message))

    def _on_rates(self, message: DiagnosticArray) -> None:
        rates = {pair.key: float(pair.value) for pair in message.status[0].values}
        self._view.log(ViewedStep(stamp_ns(message), firing_rates=rates))

    def _on_report(self, message: DiagnosticArray) -> None:
        """Show times and status of the segmenter; their stamp is that of the last mask."""
        for status in message.status:
            if status.name not in self._statuses or self._stamp_ns is None:
                continue
            times_ms = {REPORTED[pair.key]: float(pair.value) for pair in status.values
                        if pair.key in REPORTED and pair.value != 'unknown'}
            self._view.log(ViewedStep(
                self._stamp_ns, times_ms=times_ms,
                status=f'{Level(status.level[0]).name}: {status.message}'))

    def _show(self, steps: list[ViewedStep]) -> None:
        for step in steps:
            self._view.log(step)


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after logging an error."""
    return run_node(Viewer, 'viewer', VIEWER, args)


if __name__ == '__main__':
    end_process(main())
