# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of the counts that a segmenter publishes on /diagnostics."""

from __future__ import annotations

import time
from collections.abc import Iterable

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from mfs_seg_ros.diagnostics.drops import (
    IMAGES_DROPPED,
    IMAGES_LATE,
    IMAGES_LOST,
    IMAGES_MISSING,
    IMAGES_TOO_OLD,
    IMAGES_UNUSABLE,
    PACKETS_DROPPED,
    PACKETS_LATE,
    PACKETS_MISSING,
    PACKETS_UNUSABLE,
)

STATUS, NODE_STATUS = 'mfs_seg: camera', 'mfs_seg: node'
IMAGE_CAUSES = (IMAGES_DROPPED, IMAGES_UNUSABLE, IMAGES_TOO_OLD, IMAGES_LATE, IMAGES_LOST,
                IMAGES_MISSING)
PACKET_CAUSES = (PACKETS_DROPPED, PACKETS_UNUSABLE, PACKETS_LATE, PACKETS_MISSING)


class CameraDiagnostics(Node):
    """
    Keeps the last statuses of the segmenter's unnamed camera and of its node.

    ``reports`` is the number of statuses of the camera received. The segmenter publishes one a
    second: to read final counts, wait until ``reports`` has grown after the last input.

    :param name: name of this node.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.reports = 0
        self._values: dict[str, str] = {}
        self._node_values: dict[str, str] = {}
        self.create_subscription(DiagnosticArray, '/diagnostics', self.on_report, 10)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def listen(self, seconds: float) -> None:
        """Receive messages for this time."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left_s)

    def destroy_node(self) -> None:
        """Destroy the node, and its executor before the context ends."""
        self._executor.shutdown()
        super().destroy_node()

    def on_report(self, array: DiagnosticArray) -> None:
        """Keep the values of both statuses, where the message has them."""
        for status in array.status:
            values = {pair.key: pair.value for pair in status.values}
            if status.name == STATUS:
                self._values = values
                self.reports += 1
            elif status.name == NODE_STATUS:
                self._node_values = values

    def count(self, key: str) -> int:
        """Return the count of this key; 0 before the first status and where there is none."""
        return int(self._values.get(key, 0))

    def node_value(self, key: str) -> str | None:
        """Return the value of this key in the node's status; None: there is none so far."""
        return self._node_values.get(key)

    def without_mask(self, causes: Iterable[str]) -> int:
        """Return the number of messages that got no mask for one of these causes."""
        return sum(self.count(f'lost: {cause}') for cause in causes)
