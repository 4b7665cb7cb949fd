# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An event camera next to the camera of `camera.py`, and weights for both."""

from array import array
from pathlib import Path

import numpy as np
import torch
from event_camera_msgs.msg import EventPacket
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.types import Events
from mfs_seg_core.weights.file import save_weights
from mfs_seg_ros.messages.images import stamp_ns
from support.camera import Camera, coarse_image
from support.untrained import metadata_of, untrained

SENSOR = 40, 30
WINDOW_US = 50_000
PACKET_US = 10_000


def save_untrained(path: Path) -> str:
    """Save weights that nobody trained, for camera and events, and return their path."""
    network = untrained('fast', events=4)
    # As it starts, what the two sensors tell is only added up.
    torch.nn.init.ones_(network.events.join.project.norm.weight)
    save_weights(path, network, metadata_of(network))
    return str(path)


def some_events(start_us: int, end_us: int, size: tuple[int, int] = SENSOR) -> Events:
    """Return events all over a sensor, 50 us apart; a part of a time has a part of its events."""
    t = np.arange(start_us, end_us, 50, dtype=np.int64)
    # A coarse pattern that moves to the right.
    place = (t * 2_654_435_761 >> 7) % (size[0] * size[1])
    x, y = place % size[0], place // size[0]
    return Events(t, x.astype(np.uint16), y.astype(np.uint16), (x - t // 5000) % 16 < 8)


class EventCamera(Camera):
    """
    A camera and an event camera of one segmenter; `sensors` are those that it subscribes to.

    Masks that came since `begin` are kept in `all_masks`.
    """

    def __init__(self, name: str, outputs: tuple[str, ...] = ('mask', 'confidence'),
                 sensors: tuple[str, ...] = ('camera', 'events')) -> None:
        super().__init__(name, outputs)
        if 'camera' not in sensors:
            del self.publishers[Image], self.publishers[CompressedImage]
        qos = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.publishers[EventPacket] = self.node.create_publisher(
            EventPacket, f'{name}/events', qos)
        self.all_masks: list[Image] = []
        self.node.create_subscription(Image, f'{name}/mask', self._keep_mask, 100)
        self.start_ns = self.stamp_ns
        self.seq = 0

    def wait_for_segmenter(self) -> None:
        """Wait until the segmenter is connected on every topic."""
        self.wait(lambda: all(publisher.get_subscription_count()
                              for publisher in self.publishers.values()), 'its subscriptions')
        self.wait(self.reset_client.service_is_ready, 'its service')

        def received_on_every_topic() -> bool:
            self.begin()
            self.pass_time(0, 4 * WINDOW_US)
            if Image in self.publishers:
                self.ask(coarse_image(0), wait_for=())
            self.executor.spin_once(timeout_sec=0.1)
            return {*self.outputs} <= {*self.answers}

        self.wait(received_on_every_topic, f'its outputs {self.outputs}')

    def _keep_mask(self, mask: Image) -> None:
        # Those of the stream before may still be on their way.
        if stamp_ns(mask) >= self.start_ns:
            self.all_masks.append(mask)

    def begin(self) -> None:
        """Begin a new stream of events, at sensor time 0, with the neurons at rest."""
        self.seq = 0
        self.stamp_ns += 10_000_000_000
        self.start_ns = self.stamp_ns
        self.reset()
        self.all_masks.clear()

    def pass_time(self, start_us: int, end_us: int) -> None:
        """Send the events of a time in packets of 10 ms."""
        for us in range(start_us, end_us, PACKET_US):
            self.send_events(some_events(us, us + PACKET_US), us)

    def send_events(self, sent: Events, us: int, **fields) -> EventPacket:
        """Send a packet, stamped at a time of the sensor."""
        sec, nanosec = divmod(self.start_ns + us * 1000, 10**9)
        message = EventPacket(**{
            'header': Header(frame_id='event camera'), 'width': SENSOR[0], 'height': SENSOR[1],
            'seq': self.seq, 'encoding': 'evt3', 'events': array('B', encode_evt3(sent)), **fields})
        message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
        self.publishers[EventPacket].publish(message)
        self.seq += 1
        return message

    def send_image(self, image: np.ndarray, us: int) -> None:
        """Send an image, stamped at a time of the sensor."""
        self.stamp_ns = self.start_ns + us * 1000
        self.ask(image, step_ns=0, wait_for=())

    def masks_at(self, count: int) -> list[int]:
        """Wait for so many masks since the beginning; return their times in microseconds."""
        self.wait(lambda: len(self.all_masks) >= count, f'{count} masks')
        return [(stamp_ns(mask) - self.start_ns) // 1000 for mask in self.all_masks]
