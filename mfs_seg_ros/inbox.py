# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was received and not yet worked on: the newest image, and packets of events."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, NamedTuple


class Arrived(NamedTuple):
    """
    What came since the last time; with none of either, the time to wait is over.

    `dropped` packets came before these and made room for them.
    """

    image: Any | None
    packets: list[Any]
    dropped: int


class Inbox:
    """
    Handed from the thread that receives to the thread that works.

    Of images the newest wins: one that is replaced before it was taken is counted in
    `images_dropped`. Every packet of events counts, but they take `max_bytes` together at most: the
    oldest make room for the newest and are counted in `packets_dropped`.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._image: Any | None = None
        self._packets: deque[tuple[Any, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._closed = False
        self.images_dropped = 0
        self.packets_dropped = 0

    def put_image(self, image: Any) -> None:
        """Replace the image; never blocks for long."""
        with self._changed:
            self.images_dropped += self._image is not None
            self._image = image
            self._changed.notify()

    def put_packet(self, packet: Any, size: int) -> None:
        """Add a packet of so many bytes; the newest stays however large it is."""
        with self._changed:
            self._packets.append((packet, size))
            self._bytes += size
            while self._bytes > self._max_bytes and len(self._packets) > 1:
                self._bytes -= self._packets.popleft()[1]
                self.packets_dropped += 1
                self._dropped += 1
            self._changed.notify()

    def take(self, timeout_s: float | None = None) -> Arrived | None:
        """Wait until something is there or the time is over, and remove it; None once closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._image is not None or self._packets, timeout_s)
            if self._closed:
                return None
            arrived = Arrived(self._image, [packet for packet, _ in self._packets],
                              self._dropped)
            self._image, self._bytes, self._dropped = None, 0, 0
            self._packets.clear()
            return arrived

    def close(self) -> None:
        """End the waiting of `take`, for good."""
        with self._changed:
            self._closed = True
            self._changed.notify()
