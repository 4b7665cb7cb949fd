# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The other side of the segmenter: publishes images and subscribes to the results."""

import time
from contextlib import contextmanager

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import Trigger

from mfs_seg_ros.messages.images import image_message

MODULE = 'mfs_seg_ros.segmenter'
# Small and with one thread: these tests are about messages.
QUICK = {'input_width': 64, 'input_height': 48, 'threads': 1}
TIMEOUT_S = 30.0
# After so long without a response there will be none.
RESPONSE_TIMEOUT_S = 5.0
STEP_NS = 50_000_000


class Camera:
    """
    A camera, and a consumer of everything, of one segmenter.

    `name` is that of the node or, of one among several cameras, 'node/camera', where `node` is the
    node's. `answers` holds the latest Image of each output by its name ('mask', 'confidence', ...).
    """

    def __init__(self, name: str = '/mfs_seg', outputs: tuple[str, ...] = ('mask', 'confidence'),
                 node: str = ''):
        self.name = name
        self.answers: dict[str, Image] = {}
        self.masks = 0
        self.stamp_ns = 1_700_000_000_000_000_000
        self.node = rclpy.create_node('camera')
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.outputs = []
        self.subscriptions = []
        for output in outputs:
            self.subscribe_to(output)
        camera_qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.publishers = {
            Image: self.node.create_publisher(Image, f'{name}/image', camera_qos),
            CompressedImage: self.node.create_publisher(
                CompressedImage, f'{name}/image/compressed', camera_qos),
        }
        self.reset_client = self.node.create_client(Trigger, f'{node or name}/reset_state')

    def subscribe_to(self, output: str):
        """Subscribe to one more output; return the subscription."""
        def keep(message: Image) -> None:
            self.answers[output] = message
            self.masks += output == 'mask'

        self.outputs.append(output)
        self.subscriptions.append(
            self.node.create_subscription(Image, f'{self.name}/{output}', keep, 10))
        return self.subscriptions[-1]

    def unsubscribe(self) -> None:
        """Subscribe to no output any more."""
        for subscription in self.subscriptions:
            self.node.destroy_subscription(subscription)
        self.outputs, self.subscriptions = [], []

    def wait(self, until, what: str):
        """Serve the node until a condition is true, and return its value."""
        end = time.monotonic() + TIMEOUT_S
        while not (value := until()):
            assert time.monotonic() < end, f'waited in vain for {what}'
            self.executor.spin_once(timeout_sec=0.02)
        return value

    def wait_for_segmenter(self) -> None:
        """Wait until the segmenter is connected on every topic."""
        self.wait(lambda: all(publisher.get_subscription_count()
                              for publisher in self.publishers.values()), 'its subscriptions')
        self.wait(self.reset_client.service_is_ready, 'its service')

        def received_on_every_topic() -> bool:
            self.ask(coarse_image(0), wait_for=())
            return {*self.outputs} <= {*self.answers}

        self.wait(received_on_every_topic, f'its outputs {self.outputs}')
        # Nothing sent before may be answered after the reset.
        self.ask(coarse_image(0))
        self.reset()

    def send(self, message, step_ns: int = STEP_NS):
        """Publish a message under the next stamp."""
        self.stamp_ns += step_ns
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(self.stamp_ns, 10**9)
        self.publishers[type(message)].publish(message)
        return message

    def send_image(self, rgb: np.ndarray) -> Image:
        """Publish an image under the next stamp."""
        return self.send(as_message(rgb))

    def ask(self, message, step_ns: int = STEP_NS, wait_for=None) -> dict[str, np.ndarray]:
        """Publish a message; wait for all answers to it, and return them as uint8 arrays."""
        if isinstance(message, np.ndarray):
            message = as_message(message)
        return self.answer(self.send(message, step_ns).header.stamp, wait_for)

    def answer(self, stamp, wait_for=None) -> dict[str, np.ndarray]:
        """Wait for all answers of this stamp, and return them as uint8 arrays."""
        outputs = self.outputs if wait_for is None else wait_for
        self.wait(lambda: all(output in self.answers and self.answers[output].header.stamp == stamp
                              for output in outputs), f'the answer {outputs} to an image')
        return {output: pixels(self.answers[output]) for output in outputs}

    def call(self, client, request):
        """
        Call a service that may be called twice, and return its response.

        It is called again where a response is lost, as it is before the server has discovered the
        client.
        """
        calls = []

        def answered():
            if not calls or time.monotonic() - calls[-1][0] > RESPONSE_TIMEOUT_S:
                calls.append((time.monotonic(), client.call_async(request)))
            return next((future for _, future in calls if future.done()), None)

        return self.wait(answered, f'the response of {client.srv_name}').result()

    def reset(self) -> None:
        """Bring the segmenter to rest."""
        assert self.call(self.reset_client, Trigger.Request()).success

    @contextmanager
    def connected(self):
        """Wait for the segmenter; leave the graph at the end of the context."""
        self.wait_for_segmenter()
        try:
            yield self
        finally:
            self.close()

    def close(self) -> None:
        """Leave the graph."""
        self.executor.shutdown()
        self.node.destroy_node()


def pixels(message: Image) -> np.ndarray:
    """Return the bytes of an unpadded Image as [H, step]."""
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)


def as_message(rgb: np.ndarray) -> Image:
    """Return an Image of uint8 [H, W, 3]; its stamp is given to it when it is sent."""
    return image_message(rgb, 'rgb8', Image().header)


def coarse_image(seed: int, width: int = 48, height: int = 32) -> np.ndarray:
    """Return a coarse random image, uint8 [H, W, 3] RGB."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 6 // width
    return coarse[rows][:, columns]


def same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    """Return whether two answers are the same in mask and confidence."""
    return all(np.array_equal(left[name], right[name]) for name in ('mask', 'confidence'))
