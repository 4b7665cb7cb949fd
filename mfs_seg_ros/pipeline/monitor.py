# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Looks at the node once a second: tells /diagnostics how it fares, and the log what changes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from mfs_seg_core.weights.file import file_hash
from mfs_seg_ros.diagnostics.health import Level, Report
from mfs_seg_ros.diagnostics.qos_check import GraphWatch, Seen
from mfs_seg_ros.diagnostics.status import diagnostic_array, process_facts
from mfs_seg_ros.pipeline.camera import Channel
from mfs_seg_ros.pipeline.configure import Plan

PERIOD_S = 1.0
# Those on the other side of a topic may take so long to be discovered.
DISCOVERY_S = 2.0
DIAGNOSTICS_DEPTH = 10
# Of a SHA-256: enough to tell files apart, and to be read out.
DIGITS = 12


class Monitor:
    """Follows the node from its start to its end; `begin` and `end` frame the active time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._started_s = time.monotonic()
        self._state = 'unconfigured'
        self._facts: dict[str, object] = {}
        self._device = ''
        self._channels: Sequence[Channel] = ()
        self._watch: GraphWatch | None = None
        self._watch_from_s = 0.0
        self._levels: dict[str, Level] = {}
        self._twins = 0
        self._publisher = node.create_publisher(
            DiagnosticArray, '/diagnostics', DIAGNOSTICS_DEPTH)
        # In real time also when the simulation stands still.
        node.create_timer(PERIOD_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def configured(self, plan: Plan, channels: Sequence[Channel]) -> None:
        """Take note of what the node has become."""
        width, height = plan.segmenter.input_size
        self._facts = {
            'weights': plan.segmenter.name,
            'weights SHA-256': file_hash(plan.weights_file)[:DIGITS],
            'input size (pixels)': f'{width}x{height}', 'trigger': plan.trigger}
        self._device = str(plan.segmenter.device)
        self._channels, self._state = channels, 'inactive'

    def begin(self) -> None:
        """Take note that the node is active."""
        sensors = [channel.sensors for channel in self._channels]
        self._watch = GraphWatch(
            self._node, [group for each in sensors for group in each.groups],
            [publisher for channel in self._channels for publisher in channel.outputs.images])
        self._watch_from_s = time.monotonic() + DISCOVERY_S
        self._state = 'active'

    def end(self) -> None:
        """Take note that the node is active no more."""
        self._watch, self._state = None, 'inactive'
        self._levels.clear()

    def released(self, state: str) -> None:
        """Take note that there is no network any more; `state` is the lifecycle's name for that."""
        self._channels, self._facts, self._state = (), {}, state

    def _look(self) -> None:
        now_s = time.monotonic()
        seen = self._watch.look() if self._watch and now_s >= self._watch_from_s else []
        for topic in seen:
            self._tell_of_topic(topic)
        self._tell_of_twins()
        reports = {channel.name: channel.report(now_s) for channel in self._channels}
        for name, report in reports.items():
            self._tell_of_level(name, report)
        self._publisher.publish(diagnostic_array(
            self._node.get_clock().now().to_msg(),
            # With its namespace: there may be more of its name.
            self._node.get_fully_qualified_name().lstrip('/'), self._device, reports,
            {'lifecycle state': self._state, **self._facts, **process_facts(self._started_s)},
            seen))

    def _tell_of_topic(self, topic: Seen) -> None:
        if topic.changed and topic.fault:
            self._node.get_logger().warn(topic.fault)
        elif topic.changed:
            self._node.get_logger().info(f'{topic.topic}: all fits now')

    def _tell_of_twins(self) -> None:
        """Log when there is another node of this name: both publish, and both are configured."""
        own = self._node.get_name(), self._node.get_namespace()
        twins = self._node.get_node_names_and_namespaces().count(own) - 1
        if twins > self._twins:
            self._node.get_logger().warn(
                f'{twins} more node of the name {self._node.get_fully_qualified_name()}: both '
                'publish the same topics; give each a namespace of its own')
        self._twins = twins

    def _tell_of_level(self, name: str, report: Report) -> None:
        """Log what is an error, and when it is over."""
        before = self._levels.get(name, Level.OK)
        self._levels[name] = report.level
        title = f'{name}: ' if name else ''
        if report.level >= Level.ERROR and report.level != before:
            self._node.get_logger().error(title + report.message)
        elif before >= Level.ERROR > report.level:
            self._node.get_logger().info(f'{title}well again: {report.message}')
