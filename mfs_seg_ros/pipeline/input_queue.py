# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that were received and not processed yet: images, event packets, depth and clouds."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, NamedTuple

# Depth images or point clouds that are kept, until there are masks of their stamps.
GEOMETRIES = 8


class Timed(NamedTuple):
    """A message, and when it was received, by ``time.monotonic``."""

    message: Any
    received_s: float


class Received(NamedTuple):
    """
    The messages since the last time.

    :param image: the newest image; None: there is none.
    :param packets: event packets in the order of their arrival.
    :param dropped: packets before these that were dropped to make room.
    :param geometries: depth images or point clouds in the order of their arrival.
    :param camera_info: the newest; None: there is none.
    """

    image: Timed | None
    packets: list[Timed]
    dropped: int
    geometries: list[Any]
    camera_info: Any


class InputQueue:
    """
    Hands messages from the thread that receives to the thread that processes.

    Only the newest image is kept. All packets are kept up to ``max_bytes`` together; beyond, the
    oldest are dropped for the newest. Of depth images or point clouds, the newest are kept.

    :param max_bytes: bytes of packets that may wait.
    :param changed: notified of each message; several queues may share it.
    """

    def __init__(self, max_bytes: int, changed: threading.Condition) -> None:
        self._max_bytes = max_bytes
        self._changed = changed
        self._image: Timed | None = None
        self._packets: deque[tuple[Timed, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._geometries: deque[Any] = deque(maxlen=GEOMETRIES)
        self._camera_info: Any = None

    @property
    def filled(self) -> bool:
        """Whether there is a message."""
        return self._image is not None or bool(self._packets) or bool(self._geometries)

    def put_image(self, message: Any) -> bool:
        """Put an image; return whether it replaced one that nobody has taken."""
        with self._changed:
            replaced = self._image is not None
            self._image = Timed(message, time.monotonic())
            self._changed.notify()
        return replaced

    def put_packet(self, message: Any, size: int) -> int:
        """Add a packet of ``size`` bytes; return how many others were dropped for it."""
        dropped = 0
        with self._changed:
            self._packets.append((Timed(message, time.monotonic()), size))
            self._bytes += size
            # The newest stays however large it is.
            while self._bytes > self._max_bytes and len(self._packets) > 1:
                self._bytes -= self._packets.popleft()[1]
                dropped += 1
            self._dropped += dropped
            self._changed.notify()
        return dropped

    def put_geometry(self, message: Any) -> None:
        """Add a depth image or point cloud."""
        with self._changed:
            self._geometries.append(message)
            self._changed.notify()

    def put_camera_info(self, message: Any) -> None:
        """Replace the camera_info; nothing waits for it alone."""
        with self._changed:
            self._camera_info = message

    def take(self) -> Received:
        """Remove and return all messages, without waiting."""
        with self._changed:
            received = Received(self._image, [packet for packet, _ in self._packets],
                                self._dropped, list(self._geometries), self._camera_info)
            self._image, self._bytes, self._dropped = None, 0, 0
            self._camera_info = None
            self._packets.clear()
            self._geometries.clear()
            return received
