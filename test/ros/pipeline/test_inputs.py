# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that are lost, late or ignored, without ROS processes."""

import threading
from types import SimpleNamespace

import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image, PointCloud2
from support.camera import as_message, coarse_image
from support.pipeline import START_NS

from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_ros.diagnostics.drops import (
    IMAGES,
    IMAGES_LATE,
    IMAGES_LOST,
    IMAGES_MISSING,
    IMAGES_UNUSABLE,
    PACKETS_MISSING,
    DropLog,
)
from mfs_seg_ros.diagnostics.health import Health, Limits
from mfs_seg_ros.messages.images import header_of
from mfs_seg_ros.pipeline.input_queue import InputQueue
from mfs_seg_ros.pipeline.inputs import Inputs

PERIOD_NS = 50_000_000


class KeptSubscriptions:
    """A node that keeps the callbacks of its subscriptions, by type."""

    def __init__(self):
        self.callbacks, self.events = {}, {}

    def create_subscription(self, kind, topic, callback, qos, raw, event_callbacks):
        self.callbacks[kind], self.events[kind] = callback, event_callbacks
        return SimpleNamespace(topic_name=topic)


class CameraInputs:
    """Inputs of a camera, with their queue and counts."""

    def __init__(self, event_type: str = 'packet', points: str = ''):
        self.node, self.health = KeptSubscriptions(), Health(('image', 'events'), 4, Limits(), 0.0)
        self.errors: list[str] = []
        self.queue = InputQueue(10_000, threading.Condition())
        self.outputs = SimpleNamespace(has_subscribers=True,
                                       points=SimpleNamespace(matched_count=1))
        self.inputs = Inputs(
            self.node, '', {'max_gap': 1.0, 'lazy': False, 'event_type': event_type},
            SimpleNamespace(sensors=('camera', 'events'), event_type=bytes, points=points),
            self.queue, Continuity(1.0), self.health, DropLog(self, '', self.health), self.outputs)

    def send(self, *frames: int) -> None:
        """Receive images by their number at 20 Hz."""
        for frame in frames:
            message = as_message(coarse_image(1))
            message.header = header_of(START_NS + frame * PERIOD_NS, '')
            self.node.callbacks[Image](serialize_message(message))

    def error(self, sentence: str) -> None:
        """Log an error."""
        self.errors.append(sentence)

    def lose(self, kind, count: int) -> None:
        """Report messages that the middleware lost."""
        self.node.events[kind].message_lost(SimpleNamespace(total_count_change=count))


def test_lost_images_are_counted_once():
    received = CameraInputs()
    received.send(*range(30))
    received.lose(Image, 2)
    received.lose(CompressedImage, 1)
    # Of these four, three were reported: one more is missing.
    received.send(*range(34, 80))
    totals = received.health.totals
    assert (totals[IMAGES_LOST], totals[IMAGES_MISSING]) == (3, 1)


@pytest.mark.parametrize('asleep', [
    lambda received: setattr(received.inputs, 'enabled', False),
    lambda received: (setattr(received.inputs, 'lazy', True),
                      setattr(received.outputs, 'has_subscribers', False))])
def test_nothing_is_lost_while_images_are_ignored(asleep):
    received = CameraInputs('dvs_msgs')
    received.send(*range(40))
    asleep(received)
    received.send(50)
    received.lose(Image, 5)
    received.lose(bytes, 5)
    received.inputs.enabled, received.outputs.has_subscribers = True, True
    received.send(*range(60, 100))
    totals = received.health.totals
    assert totals[IMAGES_LOST] == totals[IMAGES_MISSING] == totals[PACKETS_MISSING] == 0


def test_lost_arrays_are_missing_packets():
    received = CameraInputs('dvs_msgs')
    received.lose(bytes, 3)
    assert received.health.totals[PACKETS_MISSING] == 3


def test_packets_are_counted_by_their_own_number():
    assert CameraInputs('packet').node.events[bytes].message_lost is None


def test_clouds_are_deserialised_for_a_subscriber_only():
    received = CameraInputs(points='cloud')
    message = serialize_message(PointCloud2(height=2, width=3))
    received.node.callbacks[PointCloud2](message)
    assert received.queue.take().geometries == [PointCloud2(height=2, width=3)]
    received.outputs.points.matched_count = 0
    received.node.callbacks[PointCloud2](b'not deserialised')
    assert not received.queue.take().geometries


def test_a_late_image_is_not_queued():
    received = CameraInputs()
    received.send(2)
    assert received.queue.take().image is not None
    received.send(1)
    assert received.health.totals[IMAGES_LATE] == 1
    assert received.queue.take().image is None


@pytest.mark.parametrize('damage, sentence', [
    (lambda message: message[:-1], 'ends after'),
    (lambda message: message[:10], 'ends after'),
    (lambda message: b'', 'not with the header of CDR'),
    (lambda message: b'\xff' + message[1:], 'not with the header of CDR')])
def test_a_damaged_message_is_unusable(damage, sentence):
    received = CameraInputs()
    received.node.callbacks[Image](damage(serialize_message(as_message(coarse_image(1)))))
    assert received.health.totals[IMAGES_UNUSABLE] == received.health.totals[IMAGES] == 1
    assert len(received.errors) == 1
    assert sentence in received.errors[0]
    assert received.queue.take().image is None


def test_a_disabled_camera_reads_no_images():
    received = CameraInputs()
    received.inputs.enabled = False
    received.node.callbacks[Image](b'')
    assert not received.errors and received.health.totals[IMAGES] == 1
