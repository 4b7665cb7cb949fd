# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Subscriber to the masks, times and diagnostics of a segmenter under measurement."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from sensor_msgs.msg import Image
from std_msgs.msg import Float32

from mfs_seg_ros.messages.images import stamp_ns
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.tools.camera_diagnostics import CameraDiagnostics
from mfs_seg_ros.tools.processes import ChildFailed, Children

MASK = 'mfs_seg/mask'
START_S = 120.0
POLL_S = 0.1


class Listener(CameraDiagnostics):
    """
    Subscribes to the masks and times of a segmenter, too.

    :ivar latencies_ms: time from the stamp of each mask to its receipt.
    :ivar masks_ns: the same in nanoseconds, by stamp.
    :ivar times_ms: values of the debug topics, by name.
    :param stop: set when the program is to stop.
    :param times: names of the debug topics.
    """

    def __init__(self, stop: Stop, times: Sequence[str] = ()) -> None:
        super().__init__('benchmark')
        self._stop = stop
        self.latencies_ms: list[float] = []
        self.masks_ns: dict[int, int] = {}
        self.times_ms: dict[str, list[float]] = {name: [] for name in times}
        self.create_subscription(Image, MASK, self._on_mask, 10)
        for name in times:
            self.create_subscription(
                Float32, f'mfs_seg/debug/{name}', partial(self._on_time, name), 50)

    def listen(self, seconds: float) -> None:
        """
        Receive messages for this time.

        :param seconds: duration in seconds.
        :raises KeyboardInterrupt: the program is to stop.
        """
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0.0:
            super().listen(min(left_s, POLL_S))
            # Not raised by the handler of the signal: callbacks from C would ignore it.
            if self._stop.is_set():
                raise KeyboardInterrupt

    def _on_mask(self, mask: Image) -> None:
        stamp = stamp_ns(mask)
        self.masks_ns[stamp] = self.get_clock().now().nanoseconds - stamp
        self.latencies_ms.append(self.masks_ns[stamp] / 1e6)

    def _on_time(self, name: str, message: Float32) -> None:
        self.times_ms[name].append(message.data)


def wait(listener: Listener, children: Children, ready: Callable[[], object], *running: str
         ) -> None:
    """Wait until something is ready; raises ChildFailed when a process ends or it takes long."""
    end = time.monotonic() + START_S
    while not ready():
        children.check_running(*running)
        if time.monotonic() > end:
            raise ChildFailed(f'the segmenter published nothing within {START_S:.0f} s.')
        listener.listen(POLL_S)


def wait_for_report(listener: Listener, children: Children) -> None:
    """Wait for the next report of the segmenter, which counts all messages before it."""
    reports = listener.reports
    wait(listener, children, lambda: listener.reports > reports, 'segmenter')
