# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that were received and not processed yet: the newest image, and event packets."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, NamedTuple


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
    """

    image: Timed | None
    packets: list[Timed]
    dropped: int


class InputQueue:
    """
    Hands messages from the thread that receives to the thread that processes.

    Only the newest image is kept. All packets are kept up to ``max_bytes`` together; beyond, the
    oldest are dropped for the newest.

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

    @property
    def filled(self) -> bool:
        """Whether there is a message."""
        return self._image is not None or bool(self._packets)

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

    def take(self) -> Received:
        """Remove and return all messages, without waiting."""
        with self._changed:
            received = Received(self._image, [packet for packet, _ in self._packets],
                                self._dropped)
            self._image, self._bytes, self._dropped = None, 0, 0
            self._packets.clear()
            return received
