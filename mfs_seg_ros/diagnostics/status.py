# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build the message for /diagnostics: one status for each camera, and one for the node."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from mfs_seg_ros.diagnostics.health import Level, Report
from mfs_seg_ros.diagnostics.process_info import process_state
from mfs_seg_ros.diagnostics.qos_check import TopicStatus

# Name in the status of a camera without a name.
UNNAMED = 'camera'


class Fault(NamedTuple):
    """Fault of the node itself: a level, and a sentence."""

    level: Level
    sentence: str


def diagnostic_array(
    stamp: Time, node: str, device: str, reports: Mapping[str, Report],
    facts: Mapping[str, object], topics: Iterable[TopicStatus], fault: Fault | None = None,
    state: str = 'active',
) -> DiagnosticArray:
    """
    Return the message that is published once a second.

    Names are 'node: camera' and 'node: node', as in diagnostic_updater.

    :param stamp: ROS time.
    :param node: name of the node, with its namespace.
    :param device: device of the network, the hardware of the statuses.
    :param reports: report of each camera by name; an empty name is the only camera.
    :param facts: values of the node by name.
    :param topics: status of the node's topics.
    :param fault: a fault of the node itself.
    :param state: state of the lifecycle, the message of the node while no topics are checked.
    :returns: the message.
    """
    statuses = [status(f'{node}: {camera or UNNAMED}', device, report.level, report.message,
                       report.values)
                for camera, report in reports.items()]
    statuses.append(_node_status(node, device, facts, tuple(topics), fault, state))
    return DiagnosticArray(header=Header(stamp=stamp), status=statuses)


def status(
    name: str, hardware_id: str, level: int, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return one status; its values are converted to text."""
    return DiagnosticStatus(
        name=name, hardware_id=hardware_id, level=bytes([level]), message=message,
        values=[KeyValue(key=key, value=value_text(value)) for key, value in values.items()])


def value_text(value: object) -> str:
    """Return a value as text, a float with 3 decimals; None is 'unknown'."""
    if value is None:
        return 'unknown'
    if isinstance(value, float):
        return f'{value:.3f}'
    return str(value)


def process_facts(started_s: float) -> dict[str, object]:
    """
    Return memory, threads and open files of this process, where the system is Linux, and its age.

    :param started_s: start of the node, by ``time.monotonic``.
    :returns: values by name.
    """
    facts: dict[str, object] = {'uptime (s)': round(time.monotonic() - started_s)}
    # Other systems have no /proc.
    with suppress(OSError):
        state = process_state(os.getpid())
        facts |= {'memory (MB)': round(state.resident_kb / 1000, 1), 'threads': state.threads,
                  # The listing itself is open too.
                  'open files': state.handles - 1}
    return facts


def _node_status(
    node: str, device: str, facts: Mapping[str, object], topics: tuple[TopicStatus, ...],
    fault: Fault | None, state: str,
) -> DiagnosticStatus:
    faults = [fault] if fault else []
    faults += [Fault(Level.WARN, topic.fault) for topic in topics if topic.fault]
    fine = ('all publishers and subscriptions match' if topics else
            'active' if state == 'active' else f'not active: {state}')
    values = {**facts, **{f'QoS on {topic.topic}': '; '.join(topic.found) or 'no endpoint'
                          for topic in topics}}
    return status(
        f'{node}: node', device, max((each.level for each in faults), default=Level.OK),
        '; '.join(each.sentence for each in faults) or fine, values)
