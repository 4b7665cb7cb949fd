# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node tells on /diagnostics: one status for each camera, and one for the node."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from mfs_seg_ros.graph_watch import Seen
from mfs_seg_ros.health import Level, Report

# The camera that has no name.
UNNAMED = 'camera'
DIGITS = 12


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
    process = Path('/proc/self')
    if process.is_dir():
        pages = int((process / 'statm').read_text(encoding='ascii').split()[1])
        facts['memory (MB)'] = round(pages * os.sysconf('SC_PAGE_SIZE') / 1e6, 1)
        facts['threads'] = len(os.listdir(process / 'task'))
        # One of them is the listing itself.
        facts['open files'] = len(os.listdir(process / 'fd')) - 1
    return facts


def file_hash(path: str | Path) -> str:
    """Return the first 12 digits of a file's SHA-256, as `sha256sum` prints it."""
    with open(path, 'rb') as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:DIGITS]


def _node_status(
    node: str, device: str, facts: Mapping[str, object], seen: tuple[Seen, ...]
) -> DiagnosticStatus:
    faults = [topic.fault for topic in seen if topic.fault]
    values = {**facts, **{f'QoS on {topic.topic}': '; '.join(topic.matched) or 'nobody there'
                          for topic in seen}}
    return status(
        f'{node}: node', device, Level.WARN if faults else Level.OK,
        '; '.join(faults) or 'all topics meet publishers and subscribers that fit', values)
