# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Count the events of a run, and draw those of each mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfs_seg_core.events.event_image import draw_events
from mfs_seg_core.events.packet import read_packet
from mfs_seg_core.events.rejection import rejection
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.events.types import Events, concatenate
from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_core.streaming.event_stream import EventStream, warm_up_decoders
from mfs_seg_core.streaming.synchronizer import DecodedPacket

# More events are not visible at the height of a video.
MAX_DRAWN = 200_000
# The newest events, kept until their mask is received.
MAX_KEPT = 4_000_000
NO_MAP = [0.0] * 9


class EventRecord:
    """
    Decodes the packets of an event camera.

    ``windows`` counts the steps of a segmenter of events that is never late.

    :param window_s: duration of a step in seconds.
    :param height: maximum number of rows of an image.
    """

    def __init__(self, window_s: float, height: int) -> None:
        warm_up_decoders()
        self._window_us = round(window_s * 1e6)
        self._height = height
        # Times that go back restart the stream; gaps do not matter.
        self._stream = EventStream(Continuity(float('inf')))
        self._latest: DecodedPacket | None = None
        self.windows = 0
        self._count = 0
        self._duration_us = 0
        # End of the last complete window, and time of the newest event.
        self._end_us = self._newest_us = 0
        self._started = False
        self._pending: list[Events] = []
        self._kept = 0

    def add(self, message: bytes) -> None:
        """Add a serialised EventPacket; one that cannot be decoded is left out."""
        try:
            packet = self._stream.decode(read_packet(message))
        except ValueError:
            self._stream.skip(1)
            return
        if packet.restarts:
            self._started = False
            self._pending, self._kept, self._latest = [], 0, None
        events = packet.events
        if not events.count:
            return
        self._latest = packet
        self._follow(int(events.t[0]), int(events.t[-1]))
        self._count += events.count
        self._pending.append(events)
        self._kept += events.count
        while self._kept > MAX_KEPT and len(self._pending) > 1:
            self._kept -= self._pending.pop(0).count

    def _follow(self, first_us: int, last_us: int) -> None:
        if not self._started:
            self._started, self._end_us, self._newest_us = True, first_us, first_us
        newest_us = max(self._newest_us, last_us)
        self._duration_us += newest_us - self._newest_us
        self._newest_us = newest_us
        passed = (newest_us - self._end_us) // self._window_us
        # Like a segmenter: one step for all windows that are complete.
        self.windows += passed > 0
        self._end_us += passed * self._window_us

    def draw(self, stamp_ns: int) -> np.ndarray | None:
        """
        Draw the events of the last window before a stamp.

        :param stamp_ns: stamp in nanoseconds; not before the last one by more than a window.
        :returns: uint8 ``[H, W, 3]`` RGB; None before the first event.
        """
        if self._latest is None:
            return None
        end_us = self._latest.clock.to_sensor_us(stamp_ns)
        start_us = end_us - self._window_us
        while self._pending and self._pending[0].t[-1] < start_us:
            self._kept -= self._pending.pop(0).count
        shown = concatenate([events.where((events.t >= start_us) & (events.t < end_us))
                             for events in self._pending if events.t[0] < end_us])
        width, height = self._latest.size
        rows = min(height, self._height)
        window = EventWindow(
            shown.where(slice(-MAX_DRAWN, None)), start_us, end_us, self._latest.size)
        return draw_events(window, max(1, round(width * rows / height)), rows)

    def figures(self) -> dict[str, Any]:
        """Return the number of events, their rate, the number of windows, and rejected events."""
        rate = self._count / self._duration_us if self._duration_us else None
        return {'events_received': self._count,
                'event_rate_mev_s': None if rate is None else round(rate, 3),
                'event_windows': self.windows,
                'events_rejected': rejection(self._stream.faults, self._count)}
