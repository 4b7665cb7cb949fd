# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `player`: plays a source of frames as a camera, with the truth beside it where known."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from mfs_seg_ros.frames import Frame, SourceError
from mfs_seg_ros.messages import image_message
from mfs_seg_ros.parameters import declare
from mfs_seg_ros.run import run_node
from mfs_seg_ros.sources import open_source, played

# A source that cannot keep up slows down: a camera does not send what it missed in a burst.
MAX_LATE_S = 0.1
POLL_S = 0.1
# What drivers publish with (REP-2003): reliable, keep last 10; best-effort consumers match it.
CAMERA_QOS = QoSProfile(depth=10)


class Player(Node):
    """
    Publishes camera/image_raw (rgb8) and, where there is truth, camera/label (mono8 class ids).

    Both carry the same header, stamped at the moment of publishing.
    Raises SourceError with one sentence when the input cannot be played.
    """

    def __init__(self, stopped: threading.Event) -> None:
        super().__init__('player')
        self._stopped = stopped
        declared = partial(declare, self)
        self._input = declared('input', 'street', (
            "What to play: 'street', a CamVid folder, a folder of images, a video, or a rosbag2."))
        self._rate = declared(
            'rate', 0.0, 'Frames per second; 0: the rate of the input.', (0.0, 1e4))
        self._fast = declared('fast', False, 'Send as fast as frames can be made.')
        loop = declared('loop', False, 'Begin again when the input ends.')
        self._seconds = declared(
            'seconds', 0.0, 'Stop after this many seconds; 0: no limit.', (0.0, 1e9))
        self._frames = declared(
            'frames', 0, 'Stop after this many frames; 0: no limit.', (0, 2**31))
        self._wait_for = declared(
            'wait_for', 0, 'Start when the image topic has this many subscribers.', (0, 1000))
        self._frame_id = declared('frame_id', 'camera_optical_frame', 'frame_id of the headers.')
        source = open_source(
            self._input,
            seed=declared('seed', 0, 'Seed of Street.', (0, 2**31)),
            width=declared('width', 0, 'Width of the frames; 0: the input as it is.', (0, 16384)),
            height=declared(
                'height', 0, 'Height of the frames; 0: the input as it is.', (0, 16384)),
            rate_hz=self._rate,
            split=declared('split', 'val', "List of a CamVid folder: 'train' or 'val'."),
            image_topic=declared('bag_image_topic', '', 'Image topic of a bag; empty: chosen.'),
            label_topic=declared('bag_label_topic', '', 'Label topic of a bag; empty: chosen.'),
        )
        self._source = played(source, self._rate, loop)
        self._image_publisher = self.create_publisher(Image, 'camera/image_raw', CAMERA_QOS)
        self._label_publisher: Publisher | None = None
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def run(self) -> None:
        """Publish until the input ends, a limit is reached or the stop; say how many frames."""
        sent = 0
        begin = start = None
        for frame in self._rendered_ahead():
            if self._label_publisher is None and frame.label is not None:
                self._label_publisher = self.create_publisher(Image, 'camera/label', CAMERA_QOS)
            if start is None:
                self._wait_for_subscribers()
                begin = start = time.monotonic()
            due = time.monotonic() if self._fast else start + frame.time_s
            if self._seconds and due - begin >= self._seconds:
                break
            image, label = self._messages(frame)
            start += self._wait_until(due)
            if self._stopped.is_set():
                break
            self._publish(image, label)
            sent += 1
            if sent == self._frames:
                break
        if start is None:
            raise SourceError(f"'{self._input}' holds no frames: give an input that has some.")
        # A process that ends takes its unsent messages with it.
        self._image_publisher.wait_for_all_acked(Duration(seconds=1.0))
        self._serve(POLL_S)
        self.get_logger().info(f"'{self._input}': {sent} frames sent.")
        print(f'frames_sent: {sent}', flush=True)

    def _rendered_ahead(self) -> Iterator[Frame]:
        """Yield the frames of the source, the next one already in the making."""
        frames = iter(self._source)
        with ThreadPoolExecutor(max_workers=1) as pool:
            upcoming = pool.submit(next, frames, None)
            while (frame := upcoming.result()) is not None:
                upcoming = pool.submit(next, frames, None)
                yield frame

    def _wait_for_subscribers(self) -> None:
        while not self._stopped.is_set() and (
            self._image_publisher.get_subscription_count() < self._wait_for
        ):
            self._executor.spin_once(timeout_sec=POLL_S)

    def _messages(self, frame: Frame) -> tuple[Image, Image | None]:
        header = Header(frame_id=self._frame_id)
        image = image_message(frame.image, 'rgb8', header)
        label = None if frame.label is None else image_message(frame.label, 'mono8', header)
        return image, label

    def _wait_until(self, due: float) -> float:
        """Serve the node until the deadline; return by how much later ones move, in seconds."""
        late = time.monotonic() - due
        if late > MAX_LATE_S:
            return late
        self._serve(-late)
        return 0.0

    def _serve(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._executor.spin_once(timeout_sec=0.0)
        while not self._stopped.is_set() and (left := end - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=min(left, POLL_S))

    def _publish(self, image: Image, label: Image | None) -> None:
        stamp = self.get_clock().now().to_msg()
        image.header.stamp = stamp
        self._image_publisher.publish(image)
        if label is not None:
            label.header.stamp = stamp
            self._label_publisher.publish(label)


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after a sentence about what is wrong."""
    return run_node(Player, 'player', args)


if __name__ == '__main__':
    sys.exit(main())
