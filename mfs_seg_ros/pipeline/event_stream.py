# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The packets of one event camera, decoded: one decoder and one clock a stream."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mfs_seg_core.events.decoders import ENCODINGS, open_decoder
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.events.types import Events
from mfs_seg_ros.messages.events import ARRAY_ENCODING, EventArrayDecoder
from mfs_seg_ros.messages.image_encoding import MAX_PIXELS, MessageError
from mfs_seg_ros.pipeline.continuity import Break
from mfs_seg_ros.pipeline.event_map import EventMap
from mfs_seg_ros.pipeline.sensor_clock import SensorClock
from mfs_seg_ros.pipeline.synchronizer import Step

# Their drivers give the events ROS time; the clock of others starts anywhere.
ROS_TIME_ENCODINGS = ('libcaer', 'libcaer_cmp', 'mono', ARRAY_ENCODING)
# Hours of packets: who counts on beyond a gap as long has begun to count anew.
MOST_MISSING = 10_000_000


class EventStream:
    """
    Decodes packets in the order of their coming, and follows how they hang together.

    `size` is the width and height of the sensor, None before the first packet. `lost` counts
    packets that are missing in the publisher's count and were not skipped here. `event_map` says
    where the events lie in the camera's image.
    """

    def __init__(self, event_map: EventMap) -> None:
        self._map = event_map
        self.clock = SensorClock()
        self.size: tuple[int, int] | None = None
        self.lost = 0
        self._encoding = ''
        self._decoder: Any = None
        self._seq = 0
        self._skipped = 0
        self._past_faults: Counter[str] = Counter()

    @property
    def faults(self) -> dict[str, int]:
        """What the decoders met, counted by cause."""
        faults = self._past_faults.copy()
        if self._decoder:
            faults.update(self._decoder.faults)
        return {cause: count for cause, count in faults.items() if count}

    def skip(self, count: int) -> None:
        """Take note that so many packets before the next one are not decoded."""
        self._skipped += count
        if self._decoder:
            self._decoder.report_gap()

    def decode(self, packet: EventPacket) -> tuple[Events, Break | None]:
        """
        Return the events of a packet, and why they do not continue those before, if so.

        Raises ValueError with one sentence when the packet cannot be decoded.
        """
        width, height = packet.width, packet.height
        if not 0 < width * height <= MAX_PIXELS:
            raise MessageError(f'the events are of a sensor of {width}x{height} pixels: '
                               'send the size that it has')
        self._map.check((width, height))
        broken = self._break_before(packet)
        if broken or not self._decoder:
            self._begin(packet)
        self._seq, self._skipped = packet.seq, 0
        events = self._decoder.decode_packet(packet.payload, packet.time_base_ns)
        if events.count:
            first, last = int(events.t[0]), int(events.t[-1])
            if went_back := self.clock.update(first, last, packet.stamp_ns):
                broken = Break('time went back', went_back)
        return events, broken

    def window(self, step: Step, image_size: tuple[int, int] | None) -> EventWindow | None:
        """
        Return the events of a step for the segmenter; None when it has none.

        `image_size` is the width and height of the camera's images, None when there are none.
        Raises ValueError with one sentence when the event camera sees nothing of the image.
        """
        if step.events is None:
            return None
        return EventWindow(step.events, step.start_us, step.end_us, self.size,
                           self._map.pixel_map(self.size, image_size))

    def _break_before(self, packet: EventPacket) -> Break | None:
        if not self._decoder:
            return None
        size = packet.width, packet.height
        if (packet.encoding, size) != (self._encoding, self.size):
            return Break('encoding changed',
                         f'the events changed from {self._encoding} of '
                         f'{self.size[0]}x{self.size[1]} '
                         f'to {packet.encoding} of {size[0]}x{size[1]}')
        # Some publishers do not count.
        if packet.seq == self._seq == 0:
            return None
        missing = packet.seq - self._seq - 1
        if not 0 <= missing < MOST_MISSING:
            return Break('sensor restarted', 'the event camera began anew '
                         f'(seq {packet.seq} came after {self._seq})')
        if missing:
            self.lost += max(0, missing - self._skipped)
            self._decoder.report_gap()
        return None

    def _begin(self, packet: EventPacket) -> None:
        """Forget what was before this packet; raises ValueError for an unknown encoding."""
        decoder = (EventArrayDecoder() if packet.encoding == ARRAY_ENCODING else
                   open_decoder(packet.encoding, packet.width, packet.height))
        self._past_faults = Counter(self.faults)
        self._decoder, self._encoding = decoder, packet.encoding
        self.size = packet.width, packet.height
        self.clock = SensorClock(packet.encoding in ROS_TIME_ENCODINGS)


def prepare() -> None:
    """
    Load what decodes and counts events: compiled at its first use, it would keep events waiting.

    Raises ValueError with one sentence when something is not installed.
    """
    for encoding in ENCODINGS:
        open_decoder(encoding, 1, 1)
    event_tensor(EventWindow(Events.empty(), 0, 1, (1, 1)), 1, 1, 1)
