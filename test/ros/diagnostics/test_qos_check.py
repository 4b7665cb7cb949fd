# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Endpoints of other nodes that do not match those of a node, over Fast DDS."""

import time

import pytest
import rclpy
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from mfs_seg_ros.diagnostics.qos_check import (
    CheckedPublisher,
    CheckedSubscription,
    QosCheck,
    Topic,
    TopicStatus,
)

TIMEOUT_S = 30.0
RELIABLE = QoSProfile(depth=1)
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture
def node(environment):
    """Return a node in a namespace, without endpoints."""
    made = rclpy.create_node('watching', namespace='/car')
    yield made
    made.destroy_node()


@pytest.fixture
def other(environment):
    """Return a node of another participant: discovery is that between processes."""
    context = rclpy.Context()
    rclpy.init(context=context)
    made = rclpy.create_node('driver', namespace='/front', context=context)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


class Checker:
    """Checks one topic of a node, and serves its events."""

    def __init__(self, node, *endpoints, is_input: bool = True):
        self.topics = [Topic(endpoints, is_input)]
        self.check = QosCheck()
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(node)

    def look(self) -> TopicStatus:
        self.executor.spin_once(timeout_sec=0.02)
        return self.check.check(self.topics)[0]

    def wait_for(self, until) -> TopicStatus:
        """Check until the status is as it should be."""
        end = time.monotonic() + TIMEOUT_S
        while not until(status := self.look()):
            assert time.monotonic() < end, f'waited in vain; last status: {status}'
        return status


def incompatible(status: TopicStatus) -> bool:
    return bool(status.fault) and not status.fault.startswith('no publisher')


def subscribe(node, kind, topic: str, qos: QoSProfile) -> CheckedSubscription:
    return CheckedSubscription(node, kind, topic, lambda _: None, qos)


def test_no_publisher_of_two_alternatives(node, other):
    checker = Checker(node, subscribe(node, Image, '~/image', BEST_EFFORT),
                      subscribe(node, CompressedImage, '~/image/compressed', BEST_EFFORT))
    topic = '/car/watching/image or /car/watching/image/compressed'
    fault = f'no publisher on {topic}: start the driver, or remap the topic'
    assert checker.look() == TopicStatus(topic, fault, True, ())
    assert checker.look() == TopicStatus(topic, fault, False, ())
    # One of them is enough, and it may offer more than is requested.
    publisher = other.create_publisher(
        CompressedImage, '/car/watching/image/compressed', LATCHED)
    status = checker.wait_for(lambda status: status.found)
    assert status == TopicStatus(
        topic, None, status.changed, ('/front/driver: reliable, transient_local',))
    other.destroy_publisher(publisher)
    assert checker.wait_for(lambda status: status.fault).changed


@pytest.mark.parametrize('requested, offered, policy, remedy', [
    (RELIABLE, BEST_EFFORT, 'RELIABILITY', 'set the subscription to best_effort'),
    (LATCHED, RELIABLE, 'DURABILITY', 'set the subscription to volatile'),
    (QoSProfile(depth=1, deadline=Duration(seconds=1)), RELIABLE, 'DEADLINE',
     'set both to the same deadline and liveliness'),
])
def test_a_publisher_that_offers_less_than_is_requested(
        node, other, requested, offered, policy, remedy):
    checker = Checker(node, subscribe(node, Image, '~/image', requested))
    publisher = other.create_publisher(Image, '/car/watching/image', offered)
    status = checker.wait_for(incompatible)
    assert status.fault.startswith(
        f'a publisher of /car/watching/image has an incompatible {policy} policy: no message '
        f'arrives; {remedy} (this node: ')
    assert '/front/driver: ' in status.fault and status.changed
    assert publisher.get_subscription_count() == 0
    # The fault ends with the publisher.
    other.destroy_publisher(publisher)
    assert not checker.wait_for(lambda status: not incompatible(status)).found


def test_a_publisher_of_another_type(node, other):
    checker = Checker(node, subscribe(node, Image, '~/image', BEST_EFFORT))
    other.create_publisher(CompressedImage, '/car/watching/image', RELIABLE)
    status = checker.wait_for(incompatible)
    assert status.fault == (
        'the publisher of /car/watching/image (node /front/driver) has the type '
        'sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image: no message arrives; remap '
        'the topic to one of that type')


def test_a_best_effort_subscription_matches_every_publisher(node, other):
    checker = Checker(node, subscribe(node, Image, '~/image', BEST_EFFORT))
    for qos in (RELIABLE, BEST_EFFORT, LATCHED):
        other.create_publisher(Image, '/car/watching/image', qos)
    status = checker.wait_for(lambda status: len(status.found) == 3)
    assert status.fault is None
    assert status.found == (
        '/front/driver: best_effort, volatile', '/front/driver: reliable, transient_local',
        '/front/driver: reliable, volatile')


def test_subscriptions_of_an_output(node, other):
    checker = Checker(node, CheckedPublisher(node, Image, '~/mask', RELIABLE), is_input=False)
    # An output without a subscription is no fault.
    assert checker.look() == TopicStatus('/car/watching/mask', None, False, ())
    other.create_subscription(Image, '/car/watching/mask', print, BEST_EFFORT)
    status = checker.wait_for(lambda status: status.found)
    assert status.found == ('/front/driver: best_effort, volatile',) and not status.fault
    late = other.create_subscription(Image, '/car/watching/mask', print, LATCHED)
    status = checker.wait_for(lambda status: status.fault)
    assert status.fault.startswith(
        'a subscription of /car/watching/mask has an incompatible DURABILITY policy: no message '
        'arrives; set the subscription to volatile (this node: reliable, volatile; '
        'subscriptions: /front/driver: best_effort, volatile, ')
    assert status.changed and len(status.found) == 2
    other.destroy_subscription(late)
    assert checker.wait_for(lambda status: not status.fault).changed


def test_a_subscription_of_another_type(node, other):
    checker = Checker(node, CheckedPublisher(node, Image, '~/mask', RELIABLE), is_input=False)
    other.create_subscription(CompressedImage, '/car/watching/mask', print, RELIABLE)
    status = checker.wait_for(lambda status: status.fault)
    assert status.fault.startswith(
        'the subscription of /car/watching/mask (node /front/driver) has the type '
        'sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image: no message arrives')


def test_remapped_topics_have_their_resolved_names(environment, other):
    node = rclpy.create_node('remapped', cli_args=['--ros-args', '-r', '~/image:=/camera/image'])
    checker = Checker(node, subscribe(node, Image, '~/image', BEST_EFFORT))
    assert checker.look().fault.startswith('no publisher on /camera/image: ')
    other.create_publisher(Image, '/camera/image', BEST_EFFORT)
    assert checker.wait_for(lambda status: status.found).topic == '/camera/image'
    node.destroy_node()


def test_a_driver_in_a_process_of_its_own(node, children):
    topic = '/camera/image_raw'
    checker = Checker(node, subscribe(node, Image, topic, LATCHED))
    children.start('player', 'mfs_seg_ros.player', {'input': 'street', 'loop': True})
    status = checker.wait_for(incompatible)
    assert 'set the subscription to volatile' in status.fault
    assert '/player: ' in status.fault
    children.stop('player')
    assert checker.wait_for(lambda status: not incompatible(status)).fault.startswith(
        'no publisher on')
