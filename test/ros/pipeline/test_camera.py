# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of one camera connected to a node in the process of the test."""

import threading
import time
from functools import partial
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import rclpy
from event_camera_msgs.msg import EventPacket
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image
from support.camera import TIMEOUT_S, as_message, coarse_image
from support.event_camera import save_untrained

from mfs_seg_core.streaming.segmenter import step_together
from mfs_seg_ros.diagnostics.health import Level
from mfs_seg_ros.messages.images import header_of
from mfs_seg_ros.node.parameters import SEGMENTER
from mfs_seg_ros.pipeline import inputs
from mfs_seg_ros.pipeline.camera import Camera
from mfs_seg_ros.pipeline.configure import make_plan


class OpenCamera:
    """An open camera, and publishers of its inputs."""

    def __init__(self, node, weights: str, **parameters):
        self.node = node
        self.settings = {setting.name: setting.default for setting in SEGMENTER}
        self.settings |= {'weights': weights, 'input_width': 64, 'input_height': 48} | parameters
        self.camera = Camera(node, '', make_plan(self.settings), self.settings)
        self.stream = self.camera.open(threading.Condition())
        self.publishers = {kind: node.create_publisher(kind, f'~/{topic}', 10)
                           for kind, topic in ((Image, 'image'), (EventPacket, 'events'))}
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(node)

    def receive(self, message) -> None:
        """Publish a message until it has arrived, and process it."""
        end_s = time.monotonic() + TIMEOUT_S
        while not self.stream.receiver.filled:
            assert time.monotonic() < end_s
            self.publishers[type(message)].publish(message)
            self.executor.spin_once(timeout_sec=0.1)
        self.stream.receiver.receive(self.settings)

    def image_of_step(self, message: Image) -> np.ndarray:
        """Return the image of the step that a message completes, and publish its mask."""
        message.header = header_of(time.time_ns(), '')
        self.receive(message)
        step = self.stream.receiver.next_step()
        prepared = self.stream.responder.prepare(step, self.settings)
        result, = step_together([(self.stream.responder.segmenter, prepared.inputs)])
        self.stream.responder.publish(prepared, result, self.settings)
        return step.image


@pytest.fixture
def open_camera(environment, tmp_path):
    """Return a function that opens a camera of a node with these parameters."""
    node = rclpy.create_node('one_camera')
    opened = []

    def make(**parameters) -> OpenCamera:
        opened.append(OpenCamera(node, save_untrained(tmp_path / 'w.safetensors'), **parameters))
        return opened[-1]

    yield make
    for each in opened:
        each.executor.shutdown()
        each.camera.close()
        each.camera.destroy()
    node.destroy_node()


def test_bit_depth_is_that_of_the_parameter(open_camera):
    camera = open_camera(bit_depth=10)
    grey = cv2.cvtColor(coarse_image(3), cv2.COLOR_RGB2GRAY)
    message = as_message((grey.astype('<u2') * 257).view(np.uint8))
    message.encoding, message.width = 'mono16', grey.shape[1]
    # With all 16 bits, few pixels would be white.
    assert (camera.image_of_step(message) == 255).mean() > 0.9


def test_no_latency_is_reported_across_a_jump_of_the_clock(open_camera):
    camera = open_camera()
    camera.image_of_step(as_message(coarse_image(1)))
    assert camera.camera.report(time.monotonic()).values['latency p99 (ms)'] is not None
    camera.image_of_step(as_message(coarse_image(1)))
    camera.camera.clock_jumped(-5.0)
    camera.image_of_step(as_message(coarse_image(1)))
    values = camera.camera.report(time.monotonic()).values
    assert values['latency p99 (ms)'] is None and values['resets: clock jumped'] == 1


def test_events_need_no_mask_where_images_complete_a_step(open_camera, monkeypatch):
    camera = open_camera(sensors='fusion', trigger='image')
    now_s = time.monotonic()
    for arrival_s in (now_s, now_s + 1.5):
        monkeypatch.setattr(inputs, 'time', SimpleNamespace(monotonic=partial(float, arrival_s)))
        camera.receive(EventPacket(encoding='evt3', width=40, height=30, seq=1))
    level, message, _ = camera.camera.report(now_s + 3.0)
    assert level == Level.WARN and message.startswith('no image received yet')
