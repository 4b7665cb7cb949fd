# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node tells on /diagnostics: one status for each camera, and one for the node."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from mfs_seg_ros.diagnostics.health import Level, Report
from mfs_seg_ros.diagnostics.process_info import process_state
from mfs_seg_ros.diagnostics.qos_check import Seen

# The camera that has no name.
UNNAMED = 'camera'


def diagnostic_array(
    stamp: Time, node: str, device: str, reports: Mapping[str, Report],
    facts: Mapping[str, object], seen: Iterable[Seen],
) -> DiagnosticArray:
    """
    Return what is published once a second.

    Names are 'node: camera' and 'node: node', as diagnostic_updater forms them; the hardware is the
    `device` that the network runs on. `reports` has one for each camera by name ('' is the unnamed
    one), `facts` are values of the node, `seen` is what the node's topics meet.
    """
    statuses = [status(f'{node}: {camera or UNNAMED}', device, report.level, report.message,
                       report.values)
                for camera, report in reports.items()]
    statuses.append(_node_status(node, device, facts, tuple(seen)))
    return DiagnosticArray(header=Header(stamp=stamp), status=statuses)


def status(
    name: str, hardware_id: str, level: int, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return one status; values become text, numbers with at most 3 digits after the point."""
    return DiagnosticStatus(
        name=name, hardware_id=hardware_id, level=bytes([level]), message=message,
        values=[KeyValue(key=key, value=value_text(value)) for key, value in values.items()])


def value_text(value: object) -> str:
    """Return a value as people read it; None: not known."""
    if value is None:
        return 'unknown'
    if isinstance(value, float):
        return f'{value:.3f}'
    return str(value)


def process_facts(started_s: float) -> dict[str, object]:
    """
    Return what Linux tells of this process; elsewhere, what can be known.

    `started_s` is when the node began, by time.monotonic.
    """
    facts: dict[str, object] = {'uptime (s)': round(time.monotonic() - started_s)}
    # Not there on other systems.
    with suppress(OSError):
        state = process_state(os.getpid())
        facts |= {'memory (MB)': round(state.resident_kb / 1000, 1), 'threads': state.threads,
                  # One of them is the listing itself.
                  'open files': state.handles - 1}
    return facts


def _node_status(
    node: str, device: str, facts: Mapping[str, object], seen: tuple[Seen, ...]
) -> DiagnosticStatus:
    faults = [topic.fault for topic in seen if topic.fault]
    values = {**facts, **{f'QoS on {topic.topic}': '; '.join(topic.matched) or 'nobody there'
                          for topic in seen}}
    return status(
        f'{node}: node', device, Level.WARN if faults else Level.OK,
        '; '.join(faults) or 'all topics meet publishers and subscribers that fit', values)
