# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reports of a real process on itself: /diagnostics and the log."""

import hashlib
import time
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Float32
from support.camera import MODULE, QUICK, STEP_NS, as_message, coarse_image
from support.manager import ACTIVATE, CONFIGURE, Manager
from vision_msgs.msg import LabelInfo

from mfs_seg_core.weights.header import find_weights
from mfs_seg_ros.diagnostics.drops import IMAGES_LATE, IMAGES_MISSING, IMAGES_TOO_OLD
from mfs_seg_ros.diagnostics.missing_frames import BLOCK, LOOKAHEAD, RELEARN
from mfs_seg_ros.messages.run_length import decode_runs
from mfs_seg_ros.pipeline.monitor import Monitor

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Watcher(Manager):
    """A manager that subscribes to /diagnostics, by the name of the status."""

    def __init__(self, name: str):
        super().__init__(name)
        self.statuses: dict[str, DiagnosticStatus] = {}
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._keep, 10)

    def _keep(self, message: DiagnosticArray) -> None:
        self.statuses |= {status.name: status for status in message.status}

    def status(self, of: str) -> DiagnosticStatus | None:
        """Return the last status of the 'camera' or the 'node'."""
        return self.statuses.get(f'{self.name.lstrip("/")}: {of}')

    def values(self, of: str = 'camera') -> dict[str, str]:
        """Return the values of the next status."""
        self.statuses.clear()
        return values_of(self.wait(lambda: self.status(of), f'the status of the {of}'))

    def sees(self, shown: np.ndarray, level: bytes, message: str) -> dict[str, str]:
        """Send an image until the camera's status has this level and message; return its values."""
        def told():
            self.send(as_message(shown))
            time.sleep(0.03)
            status = self.status('camera')
            matches = status and status.level == level and message in status.message
            return status if matches else None

        return values_of(self.wait(told, f'{message!r}'))


def values_of(status) -> dict[str, str]:
    """Return the values of a DiagnosticStatus by key."""
    return {item.key: item.value for item in status.values}


@pytest.fixture(scope='module')
def watcher(children):
    """Start a node, and yield a watcher of it that has sent nothing yet."""
    children.start('watched', MODULE, {**QUICK, 'sensors': 'camera', 'report_period': 0.5},
                   {'__ns': '/watched'})
    watcher = Watcher('/watched/mfs_seg')
    yield watcher
    watcher.close()


def test_a_failed_transition_is_reported_at_once(environment, monkeypatch):
    """The process may end before the next report is due."""
    node = rclpy.create_node('failing')
    sent = []
    monkeypatch.setattr(
        node, 'create_publisher', lambda *_: SimpleNamespace(publish=sent.append))
    monitor = Monitor(node)
    monitor.transition('cannot configure: no weights')
    node.destroy_node()
    assert [(status.level, status.message) for array in sent for status in array.status] == [
        (ERROR, 'cannot configure: no weights')]


def test_a_missing_publisher_is_told(children):
    children.start('alone', MODULE, {**QUICK, 'sensors': 'camera'}, {'__node': 'alone'})
    wait_for = 'no publisher on /alone/image or /alone/image/compressed: start the driver'
    end = time.monotonic() + 60.0
    while not children.last_match('alone', rf'\[WARN\].*{wait_for}'):
        assert time.monotonic() < end
        time.sleep(0.1)
    children.stop('alone')


def test_a_camera_that_is_well(watcher):
    watcher.wait_for_segmenter()
    watcher.sees(coarse_image(1), OK, 'masks follow the input')
    values = watcher.values()
    assert float(values['image rate (Hz)']) > 0
    assert int(values['masks published']) <= int(values['images received'])
    # The camera's stamps are of the year 2023.
    assert values['latency p99 (ms)'] == 'unknown'
    assert float(values['firing rate (spikes a neuron)']) > 0
    assert float(values['energy a frame (mJ)']) > 0
    node = watcher.values('node')
    assert node['lifecycle state'] == 'active'
    assert node['weights'] == 'street_lite'
    assert node['weights SHA-256'] == hashlib.sha256(
        find_weights('street_lite').read_bytes()).hexdigest()[:12]
    assert float(node['memory (MB)']) > 50
    assert 'camera' in node[f'QoS on {watcher.name}/image or {watcher.name}/image/compressed']


def test_a_covered_camera_is_told(watcher, children):
    watcher.sees(np.zeros((32, 48, 3), np.uint8), ERROR, 'the image is black')
    assert children.last_match('watched', r'\[ERROR\].*the image is black')
    watcher.sees(coarse_image(1), OK, 'masks follow the input')
    watcher.wait(lambda: children.last_match('watched', 'no error any more'), 'the log')


def test_resets_are_counted_by_cause(watcher):
    watcher.ask(coarse_image(1))
    before = watcher.values()
    watcher.reset()
    watcher.ask(coarse_image(1))
    watcher.ask(coarse_image(1), step_ns=-10**9)
    message = as_message(coarse_image(1))
    message.encoding = 'bgr8'
    watcher.ask(message)
    after = watcher.values()
    assert {key: int(after[key]) - int(before[key]) for key in after if 'resets: ' in key} == {
        **{key: 0 for key in after if 'resets: ' in key}, 'resets: requested': 1,
        'resets: time went back': 1, 'resets: encoding changed': 1}
    assert after['last reset'] == "the encoding changed from 'rgb8' to 'bgr8'"
    watcher.ask(coarse_image(1))


def test_images_that_never_came_are_counted(watcher):
    def stream() -> None:
        for _ in range(RELEARN + LOOKAHEAD + BLOCK):
            watcher.ask(coarse_image(1))

    stream()
    before = int(watcher.values()[f'lost: {IMAGES_MISSING}'])
    watcher.ask(coarse_image(1), step_ns=4 * 50_000_000)
    stream()
    # No frame is missing where a clock was set.
    watcher.ask(coarse_image(1), step_ns=3600 * 10**9)
    stream()
    assert int(watcher.values()[f'lost: {IMAGES_MISSING}']) == before + 3


def test_pairs_the_wrong_way_round_reset_nothing(watcher):
    watcher.ask(coarse_image(1))
    before, masks = watcher.values(), watcher.masks
    for _ in range(20):
        newer = watcher.ask(as_message(coarse_image(1)), step_ns=2 * STEP_NS)
        assert newer['mask'].size
        watcher.send(as_message(coarse_image(1)), step_ns=-STEP_NS)
        watcher.stamp_ns += STEP_NS
    watcher.ask(coarse_image(1))
    after = watcher.values()
    assert {key for key in after if 'resets: ' in key and after[key] != before[key]} == set()
    assert int(after[f'lost: {IMAGES_LATE}']) - int(before[f'lost: {IMAGES_LATE}']) == 20
    assert watcher.masks == masks + 21


def test_what_is_too_old_is_let_go(watcher):
    assert watcher.set(max_age=60.0).successful
    masks = watcher.masks
    watcher.send(as_message(coarse_image(1)))
    values = watcher.values()
    assert int(values[f'lost: {IMAGES_TOO_OLD}']) == 1
    assert watcher.masks == masks
    assert watcher.set(max_age=0.0).successful
    watcher.ask(coarse_image(1))


def test_latency_is_told_where_stamps_are_of_this_time(watcher):
    times = []
    listener = watcher.node.create_subscription(
        Float32, f'{watcher.name}/debug/pipeline_latency_ms', times.append, 10)
    watcher.stamp_ns = time.time_ns()
    watcher.wait(lambda: watcher.ask(coarse_image(1), wait_for=('mask',)) and times, 'the latency')
    watcher.node.destroy_subscription(listener)
    assert watcher.set(max_latency=1e-6).successful
    watcher.stamp_ns = time.time_ns() - 10**9
    # The latency in the same status: there is none in a period without a mask.
    values = watcher.sees(coarse_image(1), WARN, 'masks are late')
    assert float(values['latency p99 (ms)']) > 0
    assert watcher.set(max_latency=0.2).successful


def test_who_cannot_be_met_is_told(watcher, children):
    name = watcher.name
    late = watcher.node.create_subscription(Image, f'{name}/mask', print, LATCHED)
    watcher.wait(lambda: children.last_match(
        'watched', f'a subscription of {name}/mask has an incompatible DURABILITY'), 'the log')
    # One warning: rclpy's default one is replaced.
    assert not children.last_match('watched', 'ncompatible QoS')
    assert len(children.matches('watched', r'\[WARN\].*has an incompatible')) == 1
    assert watcher.values('node')
    assert watcher.status('node').level == WARN
    watcher.node.destroy_subscription(late)
    watcher.wait(lambda: children.last_match(
        'watched', f'{name}/mask: all endpoints match now'), 'the log')


def test_unsure_pixels_can_be_left_out(watcher):
    received = []
    watcher.node.create_subscription(
        LabelInfo, f'{watcher.name}/label_info', received.append, LATCHED)
    assert watcher.set(min_confidence=0.9).successful
    watcher.wait(lambda: received and abs(received[-1].threshold - 0.9) < 1e-6, 'the label info')
    answer = watcher.ask(coarse_image(1))
    unsure = answer['confidence'] < 255 * 0.9
    assert unsure.any()
    np.testing.assert_array_equal(answer['mask'] == 255, unsure)
    assert watcher.set(min_confidence=0.0).successful
    assert (watcher.ask(coarse_image(1))['mask'] != 255).all()


def test_lazy_it_works_for_listeners_only(watcher):
    watcher.ask(coarse_image(1))
    assert watcher.set(lazy=True).successful
    # Someone listens.
    watcher.ask(coarse_image(1))
    watcher.unsubscribe()
    watcher.wait(lambda: not watcher.node.count_subscribers(f'{watcher.name}/mask'), 'silence')
    watcher.sees(coarse_image(1), OK, 'nobody subscribes to an output')
    before = watcher.values()
    for _ in range(5):
        watcher.send(as_message(coarse_image(1)))
    watcher.wait(lambda: int(watcher.values()['images received']) > int(before['images received']),
                 'the images')
    assert watcher.values()['masks published'] == before['masks published']
    assert watcher.set(lazy=False).successful
    for output in ('mask', 'confidence'):
        watcher.subscribe_to(output)
    watcher.wait_for_segmenter()
    assert int(watcher.values()['masks published']) > int(before['masks published'])


def test_outputs_come_and_go_with_their_parameters(watcher):
    topic = f'{watcher.name}/mask_run_length'
    assert watcher.node.count_publishers(topic) == 0
    assert watcher.set(publish_mask_run_length=True).successful
    received = []
    watcher.node.create_subscription(Image, topic, received.append, 10)
    watcher.wait(lambda: watcher.ask(coarse_image(1)) and received, 'the runs')
    watcher.wait(lambda: received[-1].header == watcher.answers['mask'].header, 'the last runs')
    np.testing.assert_array_equal(
        decode_runs(bytes(received[-1].data), 32, 48),
        np.frombuffer(watcher.answers['mask'].data, np.uint8).reshape(32, 48))
    assert watcher.set(publish_mask_run_length=False).successful
    watcher.wait(lambda: watcher.node.count_publishers(topic) == 0, 'the end of the topic')


def test_a_clock_that_jumps_back_brings_rest(children):
    children.start('simulated', MODULE, {**QUICK, 'sensors': 'camera', 'use_sim_time': True},
                   {'__ns': '/simulated'})
    watcher = Watcher('/simulated/mfs_seg')
    clock = watcher.node.create_publisher(Clock, '/clock', 10)

    def tick(second: float) -> None:
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(round(second * 1e9), 10**9)
        clock.publish(message)

    watcher.wait(lambda: watcher.node.count_subscribers('/clock'), 'the subscription of the clock')
    watcher.wait_for_segmenter()
    reason = r'the state returns to rest: ROS time jumped by ([+-]\d+)\.'
    for step in range(20):
        tick(100.0 + step / 10)
        watcher.ask(coarse_image(1))

    def rests() -> bool:
        # A bag that starts again; a tick may get lost, before and now.
        tick(50.0)
        watcher.ask(coarse_image(1))
        said = children.last_match('simulated', reason)
        return said and -52 <= int(said[1]) <= -40

    watcher.wait(rests, 'the reset')
    assert int(watcher.values()['resets: clock jumped']) > 0
    watcher.close()
    children.stop('simulated')


def test_what_is_wrong_and_when(children):
    """A failed transition, a clock that is missing, and a driver that starts later."""
    children.start('late', MODULE, {**QUICK, 'weights': 'nosuch', 'autostart': False,
                                    'use_sim_time': True}, {'__ns': '/late'})
    watcher = Watcher('/late/mfs_seg')

    def told(of: str, level: bytes, text: str) -> None:
        def found() -> bool:
            status = watcher.status(of)
            return status and status.level == level and text in status.message

        watcher.statuses.clear()
        watcher.wait(found, f'{text!r} of the {of}')

    assert not watcher.change(CONFIGURE)
    told('node', ERROR, "cannot configure: no weights 'nosuch'")
    assert watcher.set(weights='street_lite').successful
    assert watcher.change(CONFIGURE, ACTIVATE)
    no_clock = 'use_sim_time is set, but nothing publishes /clock'
    told('node', WARN, no_clock)
    assert len(children.matches('late', rf'\[WARN\].*{no_clock}')) == 1
    told('camera', WARN, 'no image received yet')
    clock = watcher.node.create_publisher(Clock, '/clock', 10)
    timer = watcher.node.create_timer(0.1, lambda: clock.publish(Clock(clock=Time(sec=5))))
    told('node', OK, 'all publishers and subscriptions match')
    assert children.last_match('late', 'time arrives on /clock now')
    # Every status from the first image on.
    messages = []
    watcher.node.create_subscription(DiagnosticArray, '/diagnostics', lambda array: messages.extend(
        status.message for status in array.status if status.name == 'late/mfs_seg: camera'), 10)
    watcher.wait_for_segmenter()
    watcher.sees(coarse_image(1), OK, 'masks follow the input')
    assert not [message for message in messages if 'no mask' in message]
    watcher.node.destroy_timer(timer)
    watcher.close()
    children.stop('late')
    assert not children.last_match('late', 'Traceback')
