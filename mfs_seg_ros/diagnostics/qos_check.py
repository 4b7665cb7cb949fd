# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whether those on the other side of a node's topics can be heard, and can hear it.

A publisher and a subscription of one topic that differ in type, or of which one asks for more than
the other offers, do not meet, and the middleware says so to neither by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

# The middlewares' infinite durations are a little less than 2 ** 63.
INFINITE_NS = 2 ** 62
# The name of a node of which only an endpoint was discovered so far: its turn comes later.
UNKNOWN = '_NODE_NAME_UNKNOWN_'


class Seen(NamedTuple):
    """
    What is on the other side of `topic`, or of 'topic or topic' where either will do.

    `fault` is a sentence, or None when all is well; `changed` says whether it is another than the
    last time. `matched` has a text for each endpoint that can be reached: its node and its QoS.
    """

    topic: str
    fault: str | None
    changed: bool
    matched: tuple[str, ...]


class GraphWatch:
    """
    Looks at what a node's subscriptions and publishers meet.

    `inputs` are groups of subscriptions: of each group one publisher is enough. Of `outputs`, no
    subscriber is no fault.
    """

    def __init__(
        self, node: Node, inputs: Sequence[Sequence[Subscription]], outputs: Sequence[Publisher]
    ) -> None:
        self._node = node
        self._inputs = inputs
        self._outputs = outputs
        self._faults: dict[str, str | None] = {}

    def look(self) -> list[Seen]:
        """Return what is there now, inputs first."""
        return [*map(self._look_at_input, self._inputs), *map(self._look_at_output, self._outputs)]

    def _look_at_input(self, group: Sequence[Subscription]) -> Seen:
        topic = ' or '.join(subscription.topic_name for subscription in group)
        faults, matched, found = [], [], False
        for subscription in group:
            for info in self._node.get_publishers_info_by_topic(subscription.topic_name):
                found = True
                if info.node_name == UNKNOWN:
                    continue
                fault = publisher_fault(
                    info, subscription.topic_name, type_name(subscription.msg_type),
                    subscription.qos_profile)
                if fault:
                    faults.append(fault)
                else:
                    matched.append(endpoint_text(info))
        if not found:
            faults = [f'no publisher on {topic}: start the driver, or remap the topic']
        return self._seen(topic, faults, matched)

    def _look_at_output(self, publisher: Publisher) -> Seen:
        topic = publisher.topic_name
        faults, matched = [], []
        for info in self._node.get_subscriptions_info_by_topic(topic):
            if info.node_name == UNKNOWN:
                continue
            fault = subscriber_fault(
                info, topic, type_name(publisher.msg_type), publisher.qos_profile)
            if fault:
                faults.append(fault)
            else:
                matched.append(endpoint_text(info))
        return self._seen(topic, faults, matched)

    def _seen(self, topic: str, faults: list[str], matched: list[str]) -> Seen:
        # Sorted: the middleware tells them in no order.
        fault = '; '.join(sorted(faults)) or None
        changed = fault != self._faults.get(topic)
        self._faults[topic] = fault
        return Seen(topic, fault, changed, tuple(sorted(matched)))


def publisher_fault(
    info: TopicEndpointInfo, topic: str, our_type: str, our_qos: QoSProfile
) -> str | None:
    """Return why a publisher's messages never reach our subscription, or None when they do."""
    who = f'the publisher of {topic} (node {node_name(info)})'
    if info.topic_type != our_type:
        return (f'{who} sends {info.topic_type}, not {our_type}: its messages never arrive; remap '
                'the topic to one of that type')
    compatibility, reason = qos_check_compatible(_finite(info.qos_profile), _finite(our_qos))
    if compatibility != QoSCompatibility.ERROR:
        return None
    return (f'{who} offers {qos_text(info.qos_profile)}, and this node asks for '
            f'{qos_text(our_qos)}: its messages never arrive; {_remedy(info.qos_profile, our_qos)} '
            f'({reason.strip(" ;")})')


def subscriber_fault(
    info: TopicEndpointInfo, topic: str, our_type: str, our_qos: QoSProfile
) -> str | None:
    """Return why a subscriber never gets our messages, or None when it does."""
    who = f'the subscriber of {topic} (node {node_name(info)})'
    if info.topic_type != our_type:
        return (f'{who} asks for {info.topic_type}, not {our_type}: it never gets a message; '
                'subscribe with that type')
    compatibility, reason = qos_check_compatible(_finite(our_qos), _finite(info.qos_profile))
    if compatibility != QoSCompatibility.ERROR:
        return None
    return (f'{who} asks for {qos_text(info.qos_profile)}, and this node offers '
            f'{qos_text(our_qos)}: it never gets a message; {_remedy(our_qos, info.qos_profile)} '
            f'({reason.strip(" ;")})')


def type_name(message_type: Any) -> str:
    """Return the name of a message's class as the graph gives it, 'sensor_msgs/msg/Image'."""
    return f"{message_type.__module__.split('.')[0]}/msg/{message_type.__name__}"


def node_name(info: TopicEndpointInfo) -> str:
    """Return the full name of an endpoint's node."""
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'


def qos_text(qos: QoSProfile) -> str:
    """Return the policies that decide whether two endpoints meet, 'best_effort, volatile'."""
    return f'{qos.reliability.name.lower()}, {qos.durability.name.lower()}'


def endpoint_text(info: TopicEndpointInfo) -> str:
    """Return an endpoint's node and QoS, '/driver: best_effort, volatile'."""
    return f'{node_name(info)}: {qos_text(info.qos_profile)}'


def _finite(qos: QoSProfile) -> QoSProfile:
    """
    Return a profile with durations of 0, not given, where they are infinite.

    A profile that was written has 0, the same one in the graph is infinite, and the check takes
    these for different.
    """
    deadline, lease = (
        Duration() if duration.nanoseconds >= INFINITE_NS else duration
        for duration in (qos.deadline, qos.liveliness_lease_duration))
    return QoSProfile(
        depth=1, reliability=qos.reliability, durability=qos.durability,
        liveliness=qos.liveliness, deadline=deadline, liveliness_lease_duration=lease)


def _remedy(offered: QoSProfile, asked: QoSProfile) -> str:
    """Return what the subscriber should ask for so that it and the publisher meet."""
    weaker = []
    if (offered.reliability == ReliabilityPolicy.BEST_EFFORT
            and asked.reliability == ReliabilityPolicy.RELIABLE):
        weaker.append('best_effort')
    if (offered.durability == DurabilityPolicy.VOLATILE
            and asked.durability == DurabilityPolicy.TRANSIENT_LOCAL):
        weaker.append('volatile')
    if not weaker:
        return 'give both the same deadline and liveliness'
    return f'set the subscription to {" and ".join(weaker)}'
