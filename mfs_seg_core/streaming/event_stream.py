# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode the packets of one event camera: one decoder and one clock for each stream of packets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from mfs_seg_core.events.decoders import ENCODINGS, open_decoder
from mfs_seg_core.events.dvs_messages import ARRAY_ENCODING, EventArrayDecoder
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.events.types import Events
from mfs_seg_core.images.encoding import MAX_PIXELS, MessageError
from mfs_seg_core.streaming.arrival_order import Arrival
from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_core.streaming.sensor_clock import ROS_TIME_ENCODINGS, SensorClock
from mfs_seg_core.streaming.synchronizer import DecodedPacket


class EventStream:
    """
    Decodes packets in the order of their arrival.

    :param continuity: decides whether a packet continues those before it.
    :param check_size: raises ValueError for packets of a sensor of a width and height that cannot
        be used; None: all can.
    """

    def __init__(self, continuity: Continuity,
                 check_size: Callable[[tuple[int, int]], None] | None = None) -> None:
        self._continuity, self._check_size = continuity, check_size
        self._clock = SensorClock()
        self._decoder: Any = None
        # Packets dropped before the next one: not missing on the way.
        self._dropped = 0
        self._past_faults: Counter[str] = Counter()
        #: Number of events decoded so far.
        self.accepted = 0

    @property
    def faults(self) -> dict[str, int]:
        """Faults that the decoders found in the payloads, counted by cause."""
        faults = self._past_faults.copy()
        if self._decoder:
            faults.update(self._decoder.faults)
        return {cause: count for cause, count in faults.items() if count}

    def skip(self, count: int) -> None:
        """Record that ``count`` packets before the next one are not decoded."""
        self._dropped += count
        if self._decoder:
            self._decoder.report_gap()

    def decode(self, packet: EventPacket, received_s: float = 0.0, header: Any = None
               ) -> DecodedPacket:
        """
        Decode a packet.

        :param packet: the packet.
        :param received_s: when it was received, by ``time.monotonic``.
        :param header: header of its message, for whom it matters.
        :returns: its events.
        :raises ValueError: it cannot be decoded; one sentence.
        """
        begin_s = time.perf_counter()
        size = packet.width, packet.height
        if not 0 < packet.width * packet.height <= MAX_PIXELS:
            raise MessageError(f'the events are of a sensor of {size[0]}x{size[1]} pixels: '
                               'send the size that it has')
        if self._check_size:
            self._check_size(size)
        check = self._continuity.check_packet(packet)
        if check.starts:
            self._start(packet)
        elif check.missing > 0:
            self._decoder.report_gap()
        self._continuity.accept_packet(packet, check)
        if check.late:
            # Its bytes continue those of a packet long decoded.
            return DecodedPacket(Events.empty(), header, size, self._clock, received_s,
                                 missing=check.missing, late=True)
        dropped, self._dropped = self._dropped, 0
        events = self._decoder.decode_packet(packet.payload, packet.time_base_ns)
        self.accepted += events.count
        arrival = self._follow(events, packet)
        return DecodedPacket(
            events, header, size, self._clock, received_s, time.perf_counter() - begin_s,
            restarts=check.starts or arrival is Arrival.BACK,
            missing=max(0, check.missing - dropped), late=arrival is Arrival.LATE)

    def _follow(self, events: Events, packet: EventPacket) -> Arrival:
        """Update the clock by a packet; return its place among those before."""
        if not events.count:
            return Arrival.IN_ORDER
        first_us, last_us = int(events.t[0]), int(events.t[-1])
        arrival = self._continuity.accept_event_times(first_us, last_us, packet.stamp_ns)
        if arrival is Arrival.LATE:
            return arrival
        if arrival is Arrival.BACK:
            self._clock = _clock_of(packet)
        self._clock.update(first_us, packet.stamp_ns)
        return arrival

    def _start(self, packet: EventPacket) -> None:
        """Replace decoder and clock; raises ValueError for an unknown encoding."""
        decoder = (EventArrayDecoder() if packet.encoding == ARRAY_ENCODING else
                   open_decoder(packet.encoding, packet.width, packet.height))
        self._past_faults = Counter(self.faults)
        self._decoder, self._clock = decoder, _clock_of(packet)


def _clock_of(packet: EventPacket) -> SensorClock:
    return SensorClock(packet.encoding in (*ROS_TIME_ENCODINGS, ARRAY_ENCODING))


def warm_up_decoders() -> None:
    """
    Load and compile what decodes events: at its first use, events would wait for it.

    :raises ValueError: a package is not installed; one sentence.
    """
    for encoding in ENCODINGS:
        open_decoder(encoding, 1, 1)
    event_tensor(EventWindow(Events.empty(), 0, 1, (1, 1)), 1, 1, 1)
