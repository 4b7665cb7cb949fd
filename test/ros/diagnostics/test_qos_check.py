# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishers and subscribers that a node cannot meet, over Fast DDS."""

import time

import pytest
import rclpy
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from mfs_seg_ros.diagnostics.qos_check import GraphWatch, Seen

TIMEOUT_S = 30.0
RELIABLE = QoSProfile(depth=1)
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture
def node(environment):
    """Give a node in a namespace, with nothing on its topics."""
    made = rclpy.create_node('watching', namespace='/car')
    yield made
    made.destroy_node()


@pytest.fixture
def other(environment):
    """Give a node on the other side; the graph is told of it by the middleware."""
    # A context is a participant of its own: discovery is that between processes.
    context = rclpy.Context()
    rclpy.init(context=context)
    made = rclpy.create_node('driver', namespace='/front', context=context)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


def wait_for(watch: GraphWatch, index: int, until) -> Seen:
    """Look until one of the things seen is as it should be."""
    end = time.monotonic() + TIMEOUT_S
    while not until(seen := watch.look()[index]):
        assert time.monotonic() < end, f'waited in vain; seen at last: {seen}'
        time.sleep(0.05)
    return seen


def found(seen: Seen) -> bool:
    """Return whether a publisher was found that cannot be heard."""
    return bool(seen.fault) and not seen.fault.startswith('no publisher')


def subscribe(node, kind, topic: str, qos: QoSProfile):
    return node.create_subscription(kind, topic, lambda _: None, qos)


def test_no_publisher_of_two_alternatives(node, other):
    group = [subscribe(node, Image, '~/image', BEST_EFFORT),
             subscribe(node, CompressedImage, '~/image/compressed', BEST_EFFORT)]
    watch = GraphWatch(node, [group], [])
    topic = '/car/watching/image or /car/watching/image/compressed'
    fault = f'no publisher on {topic}: start the driver, or remap the topic'
    assert watch.look() == [Seen(topic, fault, True, ())]
    assert watch.look() == [Seen(topic, fault, False, ())]
    # One of them is enough, and what it offers is more than is asked for.
    publisher = other.create_publisher(
        CompressedImage, '/car/watching/image/compressed', LATCHED)
    seen = wait_for(watch, 0, lambda seen: seen.matched)
    assert seen == Seen(topic, None, seen.changed, ('/front/driver: reliable, transient_local',))
    other.destroy_publisher(publisher)
    assert wait_for(watch, 0, lambda seen: seen.fault).changed


@pytest.mark.parametrize('asked, offered, what', [
    (RELIABLE, BEST_EFFORT,
     'offers best_effort, volatile, and this node asks for reliable, volatile: its messages never '
     'arrive; set the subscription to best_effort'),
    (LATCHED, RELIABLE,
     'offers reliable, volatile, and this node asks for reliable, transient_local: its messages '
     'never arrive; set the subscription to volatile'),
    (LATCHED, BEST_EFFORT,
     'offers best_effort, volatile, and this node asks for reliable, transient_local: its messages '
     'never arrive; set the subscription to best_effort and volatile'),
])
def test_publisher_that_offers_less_than_is_asked_for(node, other, asked, offered, what):
    subscription = subscribe(node, Image, '~/image', asked)
    watch = GraphWatch(node, [[subscription]], [])
    publisher = other.create_publisher(Image, '/car/watching/image', offered)
    seen = wait_for(watch, 0, found)
    assert seen.fault.startswith(
        f'the publisher of /car/watching/image (node /front/driver) {what} (')
    assert seen.changed and seen.matched == ()
    # What is said is true.
    assert publisher.get_subscription_count() == 0


def test_deadline(node, other):
    qos = QoSProfile(depth=1, deadline=Duration(seconds=1))
    watch = GraphWatch(node, [[subscribe(node, Image, '~/image', qos)]], [])
    other.create_publisher(Image, '/car/watching/image', RELIABLE)
    seen = wait_for(watch, 0, found)
    assert 'give both the same deadline' in seen.fault


def test_publisher_of_another_type(node, other):
    watch = GraphWatch(node, [[subscribe(node, Image, '~/image', BEST_EFFORT)]], [])
    other.create_publisher(CompressedImage, '/car/watching/image', RELIABLE)
    seen = wait_for(watch, 0, found)
    assert seen.fault == (
        'the publisher of /car/watching/image (node /front/driver) sends '
        'sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image: its messages never arrive; '
        'remap the topic to one of that type')


def test_best_effort_subscription_meets_every_publisher(node, other):
    watch = GraphWatch(node, [[subscribe(node, Image, '~/image', BEST_EFFORT)]], [])
    for qos in (RELIABLE, BEST_EFFORT, LATCHED):
        other.create_publisher(Image, '/car/watching/image', qos)
    seen = wait_for(watch, 0, lambda seen: len(seen.matched) == 3)
    assert seen.fault is None
    assert seen.matched == (
        '/front/driver: best_effort, volatile', '/front/driver: reliable, transient_local',
        '/front/driver: reliable, volatile')


def test_subscribers_of_an_output(node, other):
    watch = GraphWatch(node, [], [node.create_publisher(Image, '~/mask', RELIABLE)])
    # Nobody has to subscribe.
    assert watch.look() == [Seen('/car/watching/mask', None, False, ())]
    subscribe(other, Image, '/car/watching/mask', BEST_EFFORT)
    seen = wait_for(watch, 0, lambda seen: seen.matched)
    assert seen.matched == ('/front/driver: best_effort, volatile',) and not seen.fault
    subscribe(other, Image, '/car/watching/mask', LATCHED)
    seen = wait_for(watch, 0, lambda seen: seen.fault)
    assert seen.fault.startswith(
        'the subscriber of /car/watching/mask (node /front/driver) asks for reliable, '
        'transient_local, and this node offers reliable, volatile: it never gets a message; set '
        'the subscription to volatile (')
    assert seen.changed and len(seen.matched) == 1


def test_subscriber_of_another_type(node, other):
    watch = GraphWatch(node, [], [node.create_publisher(Image, '~/mask', RELIABLE)])
    subscribe(other, CompressedImage, '/car/watching/mask', RELIABLE)
    seen = wait_for(watch, 0, lambda seen: seen.fault)
    assert seen.fault.startswith(
        'the subscriber of /car/watching/mask (node /front/driver) asks for '
        'sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image: it never gets a message')


def test_remapped_topics_are_watched_under_their_names(environment, other):
    node = rclpy.create_node('remapped', cli_args=['--ros-args', '-r', '~/image:=/camera/image'])
    watch = GraphWatch(node, [[subscribe(node, Image, '~/image', BEST_EFFORT)]], [])
    assert watch.look()[0].fault.startswith('no publisher on /camera/image: ')
    other.create_publisher(Image, '/camera/image', BEST_EFFORT)
    assert wait_for(watch, 0, lambda seen: seen.matched).topic == '/camera/image'
    node.destroy_node()


def test_driver_in_a_process_of_its_own(node, children):
    topic = '/camera/image_raw'
    watch = GraphWatch(node, [[subscribe(node, Image, topic, LATCHED)]], [])
    children.start('player', 'mfs_seg_ros.player', {'input': 'street', 'loop': True})
    seen = wait_for(watch, 0, found)
    assert seen.fault.startswith(f'the publisher of {topic} (node /player) offers ')
    assert 'set the subscription to volatile' in seen.fault
    children.stop('player')
    assert wait_for(watch, 0, lambda seen: not found(seen)).fault.startswith('no publisher on')
