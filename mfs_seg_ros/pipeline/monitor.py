# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publish /diagnostics at 1 Hz, and log what changes in them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from mfs_seg_core.weights.header import file_hash
from mfs_seg_ros.diagnostics.health import Level, Report
from mfs_seg_ros.diagnostics.qos_check import QosCheck, TopicStatus
from mfs_seg_ros.diagnostics.status import Fault, diagnostic_array, process_facts
from mfs_seg_ros.pipeline.camera import Camera
from mfs_seg_ros.pipeline.configure import Plan

PERIOD_S = 1.0
# Other nodes' endpoints may take this long to be discovered.
DISCOVERY_S = 2.0
DIAGNOSTICS_DEPTH = 10
CLOCK = '/clock'
# Of a SHA-256: enough to tell files apart, and short enough to read out.
DIGITS = 12


class Monitor:
    """
    Reports on the node in all its states.

    :param node: node that publishes.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._started_s = time.monotonic()
        self._state = 'unconfigured'
        self._facts: dict[str, object] = {}
        self._device = ''
        self._cameras: Sequence[Camera] = ()
        # While the node is active.
        self._qos: QosCheck | None = None
        self._qos_from_s = 0.0
        # Faults that were logged, by camera; the last transition that failed; a clock without time.
        self._logged: dict[str, Level] = {}
        self._failure: str | None = None
        self._clock_fault: str | None = None
        self._namesakes = 0
        self._publisher = node.create_publisher(
            DiagnosticArray, '/diagnostics', DIAGNOSTICS_DEPTH)
        # In real time: reports are due while a simulation is paused, too.
        node.create_timer(PERIOD_S, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def configured(self, plan: Plan, cameras: Sequence[Camera]) -> None:
        """Record weights and cameras of the configured node."""
        width, height = plan.segmenter.input_size
        self._facts = {
            'weights': plan.segmenter.name,
            'weights SHA-256': file_hash(plan.weights_file)[:DIGITS],
            'backend': plan.segmenter.backend_description,
            'class groups': plan.groups.classes.name if plan.groups else 'none',
            'input size (pixels)': f'{width}x{height}', 'trigger': plan.trigger}
        self._device = plan.segmenter.device
        self._cameras, self._state = cameras, 'inactive'

    def activated(self) -> None:
        """Record that the node is active."""
        self._qos = QosCheck()
        self._qos_from_s = time.monotonic() + DISCOVERY_S
        self._state = 'active'

    def deactivated(self) -> None:
        """Record that the node is inactive."""
        self._qos, self._state = None, 'inactive'
        self._logged.clear()

    def released(self, state: str) -> None:
        """Record that there is no network; ``state`` is the name of the lifecycle's state."""
        self._cameras, self._facts, self._state = (), {}, state

    def transition(self, failure: str | None) -> None:
        """Record a transition: why it failed, or None where it did not."""
        self._failure = failure
        if failure:
            # The process may end before the next report.
            self._report()

    def _report(self) -> None:
        now_s = time.monotonic()
        topics = []
        if self._qos and now_s >= self._qos_from_s:
            topics = self._qos.check([topic for camera in self._cameras
                                      for topic in camera.watched])
        for topic in topics:
            self._log_topic(topic)
        self._check_clock(now_s)
        self._log_namesakes()
        reports = {camera.name: camera.report(now_s) for camera in self._cameras}
        for name, report in reports.items():
            self._log_level(name, report)
        fault = (Fault(Level.ERROR, self._failure) if self._failure else
                 Fault(Level.WARN, self._clock_fault) if self._clock_fault else None)
        self._publisher.publish(diagnostic_array(
            self._node.get_clock().now().to_msg(),
            # With its namespace: several nodes may have the same name.
            self._node.get_fully_qualified_name().lstrip('/'), self._device, reports,
            {'lifecycle state': self._state, **self._facts, **process_facts(self._started_s)},
            topics, fault, self._state))

    def _check_clock(self, now_s: float) -> None:
        """Check that a node with simulated time receives it, and log a change."""
        before, self._clock_fault = self._clock_fault, None
        if (self._node.get_parameter('use_sim_time').value
                and now_s - self._started_s >= DISCOVERY_S):
            if not self._node.count_publishers(CLOCK):
                self._clock_fault = (
                    f'use_sim_time is set, but nothing publishes {CLOCK}: start the simulation, '
                    'play the bag with --clock, or set use_sim_time to false')
            elif not self._node.get_clock().now().nanoseconds:
                self._clock_fault = (f'use_sim_time is set, but no time has arrived on {CLOCK}: '
                                     'start the simulation or the bag')
        if self._clock_fault and self._clock_fault != before:
            self._node.get_logger().warn(self._clock_fault)
        elif before and not self._clock_fault:
            self._node.get_logger().info(f'time arrives on {CLOCK} now')

    def _log_topic(self, topic: TopicStatus) -> None:
        if topic.changed and topic.fault:
            self._node.get_logger().warn(topic.fault)
        elif topic.changed:
            self._node.get_logger().info(f'{topic.topic}: all endpoints match now')

    def _log_namesakes(self) -> None:
        """Log further nodes of the same name: they publish and are configured alike."""
        own = self._node.get_name(), self._node.get_namespace()
        namesakes = self._node.get_node_names_and_namespaces().count(own) - 1
        if namesakes > self._namesakes:
            self._node.get_logger().warn(
                f'{namesakes} more node of the name {self._node.get_fully_qualified_name()}: both '
                'publish the same topics; give each a namespace of its own')
        self._namesakes = namesakes

    def _log_level(self, name: str, report: Report) -> None:
        """Log an error, a warning that remains, and the end of both."""
        before = self._logged.get(name, Level.OK)
        title = f'{name}: ' if name else ''
        if report.level >= Level.ERROR and report.level != before:
            self._node.get_logger().error(title + report.message)
        elif report.level == Level.WARN and before >= Level.ERROR:
            self._node.get_logger().warn(title + report.message)
        elif report.level == Level.OK and before > Level.OK:
            self._node.get_logger().info(f'{title}no error any more: {report.message}')
        if report.level != Level.WARN or before > Level.OK:
            self._logged[name] = report.level
