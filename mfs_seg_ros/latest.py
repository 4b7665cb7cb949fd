# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A slot between two threads that holds only the newest item."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar('Item')


class LatestSlot(Generic[Item]):
    """
    Handed from the thread that receives to the thread that works; the newest item wins.

    An item that is replaced before it was taken is counted in `dropped`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._closed = False
        self.dropped = 0

    def put(self, item: Item) -> None:
        """Replace the item; never blocks for long."""
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def take(self) -> Item | None:
        """Wait for an item and remove it; None once the slot is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not None)
            item, self._item = self._item, None
            return None if self._closed else item

    def close(self) -> None:
        """End the waiting of `take`, for good."""
        with self._changed:
            self._closed = True
            self._changed.notify()
