# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was received and not yet worked on: the newest image, and packets of events."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, NamedTuple


class Arrived(NamedTuple):
    """
    What came since the last time.

    `dropped` packets came before these and made room for them.
    """

    image: Any | None
    packets: list[Any]
    dropped: int


class Inbox:
    """
    Handed from the thread that receives to the thread that works.

    Of images the newest wins. Every packet of events counts, but they take `max_bytes` together at
    most: the oldest make room for the newest. `changed` is notified of what comes; one may serve
    several inboxes, and who works waits on it.
    """

    def __init__(self, max_bytes: int, changed: threading.Condition) -> None:
        self._max_bytes = max_bytes
        self._changed = changed
        self._image: Any | None = None
        self._packets: deque[tuple[Any, int]] = deque()
        self._bytes = 0
        self._dropped = 0

    @property
    def filled(self) -> bool:
        """Whether there is something to take."""
        return self._image is not None or bool(self._packets)

    def put_image(self, image: Any) -> bool:
        """Put an image; return whether it took the place of one that nobody took."""
        with self._changed:
            replaced = self._image is not None
            self._image = image
            self._changed.notify()
        return replaced

    def put_packet(self, packet: Any, size: int) -> int:
        """
        Add a packet of so many bytes; return how many others it drove out.

        The newest stays however large it is.
        """
        dropped = 0
        with self._changed:
            self._packets.append((packet, size))
            self._bytes += size
            while self._bytes > self._max_bytes and len(self._packets) > 1:
                self._bytes -= self._packets.popleft()[1]
                dropped += 1
            self._dropped += dropped
            self._changed.notify()
        return dropped

    def take(self) -> Arrived:
        """Remove what is there; never waits."""
        with self._changed:
            arrived = Arrived(self._image, [packet for packet, _ in self._packets],
                              self._dropped)
            self._image, self._bytes, self._dropped = None, 0, 0
            self._packets.clear()
            return arrived
