# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Presence of the inputs of a camera, and the time for which a mask is due."""

from __future__ import annotations

from collections.abc import Sequence

NAMES = {'image': 'image', 'events': 'event packet'}


class Presence:
    """
    Follows the arrival of messages and the publication of masks.

    Times are in seconds of ``time.monotonic``.

    :param kinds: expected messages: 'image', 'events' or both.
    :param completing: messages that complete a step, and so get a mask.
    :param now_s: time of the start.
    """

    def __init__(self, kinds: Sequence[str], completing: Sequence[str], now_s: float) -> None:
        self._kinds, self._completing = tuple(kinds), frozenset(completing)
        self.start(now_s)

    def start(self, now_s: float) -> None:
        """Expect messages and masks from now on."""
        self._silent_since_s = dict.fromkeys(self._kinds, now_s)
        # Messages that arrived since, whether there was a mask, and since when one is due.
        self._arrived: set[str] = set()
        self._answered = False
        self._due_since_s: float | None = None

    def arrived(self, kind: str, now_s: float, pause_s: float) -> None:
        """Record a message; after ``pause_s`` without one, its stream starts again."""
        silent_s = now_s - self._silent_since_s.get(kind, now_s)
        self._silent_since_s[kind] = now_s
        self._arrived.add(kind)
        # After a pause, a mask is due from the first message on, not since the last mask.
        if kind in self._completing and (self._due_since_s is None or silent_s >= pause_s):
            self._due_since_s = now_s

    def answered(self) -> None:
        """Record a mask."""
        self._answered, self._due_since_s = True, None

    def silent_s(self, now_s: float, pause_s: float) -> dict[str, float]:
        """Return for how long messages are missing, by kind, where it is ``pause_s`` or more."""
        return {kind: now_s - since_s for kind, since_s in self._silent_since_s.items()
                if now_s - since_s >= pause_s}

    def due_s(self, now_s: float, pause_s: float) -> float:
        """Return for how long a mask is due; 0 while no messages arrive that complete a step."""
        if self._due_since_s is None or self._completing <= {*self.silent_s(now_s, pause_s)}:
            return 0.0
        return now_s - self._due_since_s

    @property
    def state(self) -> str:
        """Sentence for people where nothing is wrong."""
        missing = [NAMES[kind] for kind in self._kinds if kind not in self._arrived]
        if missing:
            return f'waiting for the first {" and the first ".join(missing)}'
        return 'masks follow the input' if self._answered else 'waiting for the first mask'
