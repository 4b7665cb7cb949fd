# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node ``recorder``: measures a running segmenter and writes images of its inputs and masks."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from event_camera_msgs.msg import EventPacket
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import Image
from std_msgs.msg import Float32

from mfs_seg_core.images import ImageStream, to_labels
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.segment.video import VIDEO_HEIGHT
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_ros.messages.events import EVENT_QOS
from mfs_seg_ros.messages.images import stamp_ns
from mfs_seg_ros.node.parameters import Setting, chosen_sensors, declare_all
from mfs_seg_ros.node.run import run_node
from mfs_seg_ros.node.stop import Stop, end_process
from mfs_seg_ros.recording.metrics import RunRecord

POLL_S = 0.1
# Cameras may publish best effort; this matches every publisher. Our own topics are reliable.
CAMERA_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
RESULT_QOS = QoSProfile(depth=50)
# Bounds the memory when images are drawn more slowly than frames arrive.
MAX_QUEUED = 512
# A nice value: higher numbers mean lower priority.
LOW_PRIORITY = 10
MASK_TOPIC = 'mfs_seg/mask'
RECORDER = (
    Setting('output', 'out/recording',
            'Folder for recording.json, overlay.mp4 and contact_sheet.png.'),
    Setting('title', 'mfs_seg', 'Headline of the contact sheet.'),
    Setting('sensors', 'camera', "What is segmented: 'camera', 'events' or 'fusion'."),
    Setting('event_window', 0.05, 'Seconds of events that are a step.', (0.001, 10.0)),
)


class Recorder(Node):
    """
    Subscribes to the sensors, labels and masks until stopped, then writes recording.json.

    It subscribes to the sensors once a segmenter publishes, so a player that waits for its
    subscribers starts when every frame gets a mask.

    :param stopped: set when the node is to stop.
    :raises ValueError: when a parameter or a message is invalid.
    :raises OSError: when a file cannot be written.
    """

    def __init__(self, stopped: Stop) -> None:
        super().__init__('recorder')
        self._stopped = stopped
        self._stream = ImageStream()
        given = declare_all(self, RECORDER, read_only=True)
        self._folder = Path(given['output']).expanduser()
        self._title = given['title']
        sensors = chosen_sensors(given['sensors'], SENSORS['fusion'])
        self._folder.mkdir(parents=True, exist_ok=True)
        self._camera = 'camera' in sensors
        self._recording = RunRecord(self._folder, CAMVID, self._camera)
        self._events = None
        if 'events' in sensors:
            # Imports PyTorch, which recordings of a camera alone do not need.
            from mfs_seg_ros.recording.events import EventRecord
            self._events = EventRecord(given['event_window'], VIDEO_HEIGHT)
        self._masks = 0
        self._packets = 0
        self._images = 0
        self._failure: Exception | None = None
        # A thread of its own draws the images: drawing must not delay the measured arrival.
        self._queue: queue.Queue = queue.Queue(MAX_QUEUED)
        self.create_subscription(Image, MASK_TOPIC, self._on_mask, RESULT_QOS)
        for topic, add in (('model_time_ms', self._recording.add_model_time),
                           ('decode_time_ms', self._recording.add_decode_time)):
            self.create_subscription(
                Float32, f'mfs_seg/debug/{topic}', partial(self._on_time, add), RESULT_QOS)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def run(self) -> None:
        """Record until stopped, then write the files."""
        self._stopped.catch_signals()
        worker = threading.Thread(target=self._record, name='record')
        worker.start()
        try:
            self._subscribe_to_sensors()
            while not self._stopped.is_set():
                self._executor.spin_once(timeout_sec=POLL_S)
        finally:
            self._queue.put(None)
            worker.join()
        try:
            if self._failure:
                raise self._failure
            self._write()
        finally:
            # Files that could not be completed.
            self._recording.discard()
        self.get_logger().info(f"{self._masks} masks of {self._images} images and {self._packets} "
                               f"packets of events: '{self._folder}'.")

    def _write(self) -> None:
        figures = self._recording.finish(self._title)
        if self._events:
            figures |= self._events.figures()
        figures['rmw'] = get_rmw_implementation_identifier()
        write_json(self._folder / 'recording.json', figures)

    def _subscribe_to_sensors(self) -> None:
        while not self._stopped.is_set() and not self.count_publishers(MASK_TOPIC):
            self._executor.spin_once(timeout_sec=POLL_S)
        # The label first: a player that waits for the sensors' subscribers then has this one too.
        self.create_subscription(Image, 'camera/label', self._on_label, CAMERA_QOS)
        if self._camera:
            self.create_subscription(Image, 'camera/image_raw', self._on_image, CAMERA_QOS)
        if self._events:
            self.create_subscription(
                EventPacket, 'event_camera/events', self._on_events, EVENT_QOS, raw=True)

    def _on_image(self, message: Image) -> None:
        self._images += 1
        self._queue.put(partial(self._add_image, message))

    def _on_label(self, message: Image) -> None:
        self._queue.put(partial(self._add_label, message))

    def _on_mask(self, message: Image) -> None:
        arrival_ns = self.get_clock().now().nanoseconds
        self._masks += 1
        self._queue.put(partial(self._add_mask, message, arrival_ns))

    def _on_events(self, message: bytes) -> None:
        self._packets += 1
        self._queue.put(partial(self._events.add, message))

    def _on_time(self, add: Callable[[float], None], message: Float32) -> None:
        self._queue.put(partial(add, message.data))

    def _add_image(self, message: Image) -> None:
        self._recording.add_image(stamp_ns(message), self._stream.rgb(message))

    def _add_label(self, message: Image) -> None:
        self._recording.add_label(stamp_ns(message), to_labels(message))

    def _add_mask(self, message: Image, arrival_ns: int) -> None:
        events = self._events.draw(stamp_ns(message)) if self._events else None
        self._recording.add_mask(stamp_ns(message), to_labels(message), arrival_ns, events)

    def _record(self) -> None:
        """Process the queue of received messages until None; a failure stops the node."""
        # On Linux this applies to this thread alone: drawing must not slow down the segmenter.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)
        while (add := self._queue.get()) is not None:
            if self._failure:
                continue
            try:
                add()
            except (ValueError, OSError) as error:
                self._failure = error
                self._stopped.set()


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after logging an error."""
    return run_node(Recorder, 'recorder', RECORDER, args)


if __name__ == '__main__':
    end_process(main())
