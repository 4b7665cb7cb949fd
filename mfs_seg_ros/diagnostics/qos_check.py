# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whether a node's endpoints match those of other nodes on the same topics.

Endpoints of different types, or of which one requests more than the other offers, exchange no
messages. The middleware reports incompatible QoS by an event; the graph tells the rest: which
endpoints there are, and of which type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_policy_name_from_kind
from rclpy.topic_endpoint_info import TopicEndpointInfo

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:
    # Humble.
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

# Name of a node of which only an endpoint was discovered so far.
UNKNOWN = '_NODE_NAME_UNKNOWN_'
# What a subscription has to request instead, by the policy that is incompatible.
REMEDIES = {'RELIABILITY': 'set the subscription to best_effort',
            'DURABILITY': 'set the subscription to volatile'}
OTHER_REMEDY = 'set both to the same deadline and liveliness'


class CheckedSubscription:
    """
    A subscription that records incompatible publishers, and counts lost messages.

    :param node: node that subscribes.
    :param kind: type of the messages.
    :param topic: name of the topic, before it is resolved.
    :param callback: called with each message.
    :param qos: requested QoS.
    :param raw: whether ``callback`` takes the serialised bytes.
    :param on_lost: called with the number of messages that the middleware lost, by its own count;
        None: they are not counted.
    """

    other = 'publisher'

    def __init__(self, node: Node, kind: type, topic: str, callback: Callable[[Any], None],
                 qos: QoSProfile, raw: bool = False,
                 on_lost: Callable[[int], None] | None = None) -> None:
        self._node, self.kind, self.qos = node, kind, qos
        self.incompatible_policy: str | None = None
        self._subscription = node.create_subscription(
            kind, topic, callback, qos, raw=raw,
            event_callbacks=SubscriptionEventCallbacks(
                incompatible_qos=self._on_incompatible,
                message_lost=on_lost and (lambda event: on_lost(event.total_count_change))))
        self.topic = self._subscription.topic_name

    def others(self) -> list[TopicEndpointInfo]:
        """Return the publishers of the topic."""
        return self._node.get_publishers_info_by_topic(self.topic)

    @property
    def matched_count(self) -> int:
        """Number of publishers whose messages arrive."""
        return self._subscription.handle.get_publisher_count()

    def destroy(self) -> None:
        """Destroy the subscription."""
        self._node.destroy_subscription(self._subscription)

    def _on_incompatible(self, event: Any) -> None:
        self.incompatible_policy = qos_policy_name_from_kind(event.last_policy_kind)


class CheckedPublisher:
    """
    A publisher that records incompatible subscriptions.

    :param node: node that publishes.
    :param kind: type of the messages.
    :param topic: name of the topic, before it is resolved.
    :param qos: offered QoS.
    """

    other = 'subscription'

    def __init__(self, node: Node, kind: type, topic: str, qos: QoSProfile) -> None:
        self._node, self.kind, self.qos = node, kind, qos
        self.incompatible_policy: str | None = None
        self._publisher = node.create_publisher(
            kind, topic, qos,
            event_callbacks=PublisherEventCallbacks(incompatible_qos=self._on_incompatible))
        self.topic = self._publisher.topic_name

    def publish(self, message: Any) -> None:
        """Publish a message."""
        self._publisher.publish(message)

    def others(self) -> list[TopicEndpointInfo]:
        """Return the subscriptions of the topic."""
        return self._node.get_subscriptions_info_by_topic(self.topic)

    @property
    def matched_count(self) -> int:
        """Number of subscriptions that get the messages."""
        return self._publisher.get_subscription_count()

    def destroy(self) -> None:
        """Destroy the publisher."""
        self._node.destroy_publisher(self._publisher)

    def _on_incompatible(self, event: Any) -> None:
        self.incompatible_policy = qos_policy_name_from_kind(event.last_policy_kind)


class Topic(NamedTuple):
    """
    Endpoints of a node that are checked together.

    :param endpoints: of subscriptions that are alternatives, one publisher on any is enough.
    :param is_input: whether a missing publisher is a fault.
    """

    endpoints: Sequence[CheckedSubscription | CheckedPublisher]
    is_input: bool = True

    @property
    def name(self) -> str:
        """Resolved name, or names joined by 'or'."""
        return ' or '.join(endpoint.topic for endpoint in self.endpoints)


class TopicStatus(NamedTuple):
    """
    The result of a check.

    :param topic: resolved name, or names joined by 'or'.
    :param fault: one sentence; None: all endpoints match.
    :param changed: whether ``fault`` differs from that of the last check.
    :param found: node and QoS of each endpoint of the right type, as text.
    """

    topic: str
    fault: str | None
    changed: bool
    found: tuple[str, ...]


class QosCheck:
    """Checks topics again and again, and tells what has changed."""

    def __init__(self) -> None:
        self._faults: dict[str, str | None] = {}
        # Topics with an incompatible endpoint at the last check.
        self._incompatible: set[str] = set()

    def check(self, topics: Sequence[Topic]) -> list[TopicStatus]:
        """Return the status of each topic."""
        return [self._check(topic) for topic in topics]

    def _check(self, topic: Topic) -> TopicStatus:
        faults, found, any_other = [], [], False
        for endpoint in topic.endpoints:
            others = endpoint.others()
            any_other |= bool(others)
            ours = type_name(endpoint.kind)
            known = [info for info in others if info.node_name != UNKNOWN]
            same = [info for info in known if info.topic_type == ours]
            faults += [_type_fault(info, endpoint, ours) for info in known if info not in same]
            found += [endpoint_text(info) for info in same]
            if endpoint.incompatible_policy and len(same) > endpoint.matched_count:
                faults.append(_qos_fault(endpoint, same))
                self._incompatible.add(endpoint.topic)
            elif endpoint.topic in self._incompatible:
                # It has left. Not before it was found: the event may precede the graph.
                self._incompatible.remove(endpoint.topic)
                endpoint.incompatible_policy = None
        if topic.is_input and not any_other:
            faults = [f'no publisher on {topic.name}: start the driver, or remap the topic']
        # Sorted: the middleware lists endpoints in no order.
        fault = '; '.join(sorted(faults)) or None
        changed = fault != self._faults.get(topic.name)
        self._faults[topic.name] = fault
        return TopicStatus(topic.name, fault, changed, tuple(sorted(found)))


def type_name(message_type: Any) -> str:
    """Return the name of a message's class as the graph has it, 'sensor_msgs/msg/Image'."""
    return f"{message_type.__module__.split('.')[0]}/msg/{message_type.__name__}"


def qos_text(qos: QoSProfile) -> str:
    """Return reliability and durability, 'best_effort, volatile'."""
    return f'{qos.reliability.name.lower()}, {qos.durability.name.lower()}'


def endpoint_text(info: TopicEndpointInfo) -> str:
    """Return an endpoint's node and QoS, '/driver: best_effort, volatile'."""
    return f'{_node_name(info)}: {qos_text(info.qos_profile)}'


def _node_name(info: TopicEndpointInfo) -> str:
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'


def _type_fault(info: TopicEndpointInfo, endpoint: CheckedSubscription | CheckedPublisher,
                ours: str) -> str:
    return (f'the {endpoint.other} of {endpoint.topic} (node {_node_name(info)}) has the type '
            f'{info.topic_type}, not {ours}: no message arrives; remap the topic to one of that '
            'type')


def _qos_fault(endpoint: CheckedSubscription | CheckedPublisher,
               others: Sequence[TopicEndpointInfo]) -> str:
    policy = endpoint.incompatible_policy
    listed = ', '.join(sorted(map(endpoint_text, others)))
    return (f'a {endpoint.other} of {endpoint.topic} has an incompatible {policy} policy: no '
            f'message arrives; {REMEDIES.get(policy, OTHER_REMEDY)} (this node: '
            f'{qos_text(endpoint.qos)}; {endpoint.other}s: {listed})')
