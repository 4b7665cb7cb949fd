# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read the counts of a segmenter from /diagnostics."""

from __future__ import annotations

import time
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from mfs_seg_ros.diagnostics.drops import ADVICE

DIAGNOSTICS_DEPTH = 10


class DiagnosticCounts:
    """
    Keeps the latest values of one camera's status.

    :param node: node that subscribes.
    :param status: name of the status, '<node>: <camera>'.
    """

    def __init__(self, node: Node, status: str = 'mfs_seg: camera') -> None:
        self._status = status
        self._reports = 0
        self.values: dict[str, str] = {}
        node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, DIAGNOSTICS_DEPTH)

    def clear(self) -> None:
        """Forget the values: another segmenter starts."""
        self.values = {}

    def wait_for_report(self, spin: Callable[[float], None], timeout_s: float) -> bool:
        """
        Wait for the next report.

        :param spin: serves the node for at most this many seconds.
        :param timeout_s: longest time to wait.
        :returns: whether there was one.
        """
        target, end_s = self._reports + 1, time.monotonic() + timeout_s
        while self._reports < target and (left_s := end_s - time.monotonic()) > 0:
            spin(min(0.1, left_s))
        return self._reports >= target

    def lost(self, *reasons: str) -> int:
        r"""
        Return how many messages got no mask.

        :param \*reasons: names in :mod:`mfs_seg_ros.diagnostics.drops`; none: all.
        :returns: their count.
        """
        return sum(int(self.values.get(f'lost: {reason}', 0)) for reason in reasons or ADVICE)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == self._status:
                self._reports += 1
                self.values = {item.key: item.value for item in status.values}
