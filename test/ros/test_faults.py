# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Faults on a vehicle: camera and segmenter recover, or log the reason."""

import itertools
import os
import resource
import signal
import time

import numpy as np
import pytest
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from support.camera import MODULE, QUICK, TIMEOUT_S, Camera, coarse_image, same
from support.manager import SHUTDOWN, WAYS, Manager

from mfs_seg_ros.messages.images import header_of, image_message
from mfs_seg_ros.tools.processes import ChildFailed

SETTINGS = {**QUICK, 'sensors': 'camera', 'report_period': 0.2}
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
DAY_NS = 86_400_000_000_000
probes = itertools.count()


class RestartedCamera(Camera):
    """A camera whose driver ends and starts again, as a participant of its own each time."""

    def __init__(self, children, child: str, name: str, **options) -> None:
        super().__init__(name, **options)
        self.children, self.child = children, child
        self.driver: tuple | None = None
        self.usual = self.publishers[Image]

    def restart(self, qos: QoSProfile) -> None:
        """Publish from a new driver; return when the segmenter receives it."""
        self.end_driver()
        context = rclpy.Context()
        context.init()
        node = rclpy.create_node('driver', context=context)
        self.driver = context, node
        self.publishers[Image] = node.create_publisher(Image, f'{self.name}/image', qos)
        asked = f'probe {next(probes)}'

        def received() -> bool:
            # It leaves the stream as it is.
            self.publishers[Image].publish(Image(encoding=asked))
            return self.children.last_match(self.child, f"unknown encoding '{asked}'")

        self.wait(received, 'the new driver to be received')

    def end_driver(self) -> None:
        """End the driver, if there is one, and publish as before."""
        if self.driver:
            context, node = self.driver
            node.destroy_node()
            context.shutdown()
        self.driver, self.publishers[Image] = None, self.usual

    def close(self) -> None:
        self.end_driver()
        super().close()


@pytest.fixture(scope='module')
def segmenter(children):
    """Start one segmenter for the tests that do not end it, and yield its camera."""
    children.start('segmenter', MODULE, SETTINGS)
    with RestartedCamera(children, 'segmenter', '/mfs_seg').connected() as camera:
        yield camera


@pytest.fixture
def camera(segmenter):
    """Reset the segmenter, and yield its camera."""
    segmenter.reset()
    yield segmenter
    segmenter.end_driver()


def in_stream(camera) -> list[dict[str, np.ndarray]]:
    """Return the answers to three equal images, from rest, and reset the segmenter."""
    answers = [camera.ask(coarse_image(5)) for _ in range(3)]
    camera.reset()
    return answers


def test_a_camera_that_restarts_continues_its_stream(camera):
    expected = in_stream(camera)
    for answer in expected:
        camera.restart(BEST_EFFORT)
        assert same(camera.ask(coarse_image(5)), answer)


def test_a_camera_that_restarts_with_an_older_clock_begins_a_stream(camera, children):
    first = in_stream(camera)[0]
    camera.ask(coarse_image(5))
    camera.restart(BEST_EFFORT)
    assert same(camera.ask(coarse_image(5), step_ns=-2 * DAY_NS), first)
    camera.wait(lambda: children.last_match(
        'segmenter', r'returns to rest: the stamp went back by 172800\.000 s'), 'the reason')


def test_a_camera_that_changes_its_qos_is_heard(camera):
    expected = in_stream(camera)
    for qos, answer in zip((RELIABLE, BEST_EFFORT, LATCHED), expected):
        camera.restart(qos)
        assert same(camera.ask(coarse_image(5)), answer)


def test_resolution_and_encoding_change_in_mid_stream(camera):
    grey = coarse_image(3, 64, 40)[..., 0]
    for message, size in (
        (image_message(coarse_image(3), 'rgb8', Image().header), (48, 32)),
        (image_message(coarse_image(3, 96, 64), 'bgr8', Image().header), (96, 64)),
        (image_message(grey, 'mono8', Image().header), (64, 40)),
        (image_message(coarse_image(3), 'rgb8', Image().header), (48, 32)),
    ):
        answer = camera.ask(message)
        assert {output: pixels.shape[::-1] for output, pixels in answer.items()} == {
            'mask': size, 'confidence': size}


def test_stamps_that_jump_both_ways(camera, children):
    first, second, _ = in_stream(camera)
    for jump_ns in (DAY_NS, -2 * DAY_NS, 365 * DAY_NS, -camera.stamp_ns):
        # The stream starts there, and continues from there.
        assert same(camera.ask(coarse_image(5), step_ns=jump_ns), first)
        assert same(camera.ask(coarse_image(5)), second)
    camera.stamp_ns = 1_700_000_000_000_000_000
    assert same(camera.ask(coarse_image(5)), first)
    children.check_running('segmenter')


def test_two_nodes_of_one_name_both_answer(children):
    for twin in ('twin 1', 'twin 2'):
        children.start(twin, MODULE, SETTINGS, {'__ns': '/twins'})
    camera = RestartedCamera(children, 'twin 2', '/twins/mfs_seg', outputs=('mask',))
    camera.wait(lambda: camera.node.count_publishers('/twins/mfs_seg/mask') == 2
                and camera.publishers[Image].get_subscription_count() == 2, 'both twins')

    def answered_by(count: int) -> bool:
        camera.masks = 0
        camera.ask(coarse_image(1), wait_for=())
        for _ in range(20):
            camera.executor.spin_once(timeout_sec=0.02)
        return camera.masks == count

    camera.wait(lambda: answered_by(2), 'two masks of one image')
    camera.wait(lambda: children.last_match('twin 1', '1 more node of the name /twins/mfs_seg')
                or children.last_match('twin 2', '1 more node of the name /twins/mfs_seg'),
                'a warning')
    children.stop('twin 1')
    camera.wait(lambda: answered_by(1), 'one mask of one image')
    children.check_running('twin 2')
    camera.close()
    children.stop('twin 2')


def test_killed_and_started_again_nothing_is_stale(children):
    camera = RestartedCamera(children, 'killed', '/killed/mfs_seg')
    answers = []
    for _ in range(2):
        children.start('killed', MODULE, SETTINGS, {'__ns': '/killed'})
        camera.answers.clear()
        camera.wait_for_segmenter()
        answers.append(in_stream(camera))
        # In mid-stream.
        camera.ask(coarse_image(6))
        os.kill(children.pid('killed'), signal.SIGKILL)

        def gone() -> bool:
            try:
                return children.ended('killed')
            except ChildFailed:
                return True

        camera.wait(gone, 'its end')
    before, after = answers
    assert all(same(left, right) for left, right in zip(before, after))
    camera.close()


def test_a_disk_that_is_full_ends_the_recorder_with_one_sentence(children, tmp_path):
    children.start('recorder', 'mfs_seg_ros.recorder', {'output': str(tmp_path / 'kept')})
    # As the node would: the recorder waits for its masks.
    driver = rclpy.create_node('driver')
    publishers = [driver.create_publisher(Image, topic, 50)
                  for topic in ('camera/image_raw', 'mfs_seg/mask')]
    end = time.monotonic() + TIMEOUT_S
    while not all(publisher.get_subscription_count() for publisher in publishers):
        assert time.monotonic() < end, 'the recorder does not subscribe'
        time.sleep(0.05)
    # Less than one frame of noise.
    most = 10_000
    resource.prlimit(children.pid('recorder'), resource.RLIMIT_FSIZE, (most, most))
    noise = np.random.default_rng(0)
    # Until the limit is reached: discovery in the direction of the recorder may take longer.
    while not any(path.stat().st_size >= most for path in (tmp_path / 'kept').glob('*')):
        assert time.monotonic() < end, 'the recorder does not write'
        shown = noise.integers(0, 256, (120, 160, 3), np.uint8)
        stamp = header_of(time.time_ns(), '')
        publishers[0].publish(image_message(shown, 'rgb8', stamp))
        publishers[1].publish(image_message(shown[..., 0], 'mono8', stamp))
        time.sleep(0.02)
    with pytest.raises(ChildFailed, match=r"'.*/kept/overlay\.mp4' cannot be written: make room"):
        children.stop('recorder')
    driver.destroy_node()
    assert not list((tmp_path / 'kept').iterdir())
    assert not children.last_match('recorder', 'Traceback')


@pytest.mark.parametrize('state', ['unconfigured', 'inactive', 'active', 'finalized'])
def test_sigint_ends_it_in_each_state(children, state):
    children.start(state, MODULE, {**SETTINGS, 'autostart': False}, {'__ns': f'/{state}'})
    manager = Manager(f'/{state}/mfs_seg')
    way = (SHUTDOWN['unconfigured'],) if state == 'finalized' else WAYS[state]
    for transition in way:
        assert manager.change(transition)
    assert manager.state == state
    os.killpg(children.pid(state), signal.SIGINT)
    manager.wait(lambda: children.ended(state), 'its end')
    assert not children.last_match(state, 'Traceback|ERROR|FATAL')
    manager.close()
