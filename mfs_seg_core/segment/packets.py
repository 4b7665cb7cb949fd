# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode the batches of events of a recording."""

from __future__ import annotations

from typing import Any

from mfs_seg_core.events.decoders import open_decoder
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.sources.items import EventBatch, due_s
from mfs_seg_core.streaming.arrival_order import Arrival
from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_core.streaming.sensor_clock import ROS_TIME_ENCODINGS, SensorClock
from mfs_seg_core.streaming.synchronizer import DecodedPacket


class PacketReader:
    """Decodes batches in the order of their publication, and maps their times to stamps."""

    def __init__(self):
        # Times that go back restart the stream; gaps are those of the steps.
        self._continuity = Continuity(float('inf'))
        self._clock: SensorClock | None = None
        self._decoder = None
        self._seq = 0

    def decode(self, batch: EventBatch, header: Any, stamp_ns: int) -> DecodedPacket | None:
        """
        Decode a batch.

        :param batch: the batch.
        :param header: header of the decoded packet.
        :param stamp_ns: stamp of the batch in nanoseconds.
        :returns: its events; None: it arrives after later ones, and is left out.
        """
        self._seq = self._seq + 1 if batch.seq is None else batch.seq
        packet = EventPacket(stamp_ns, batch.width, batch.height, self._seq,
                             batch.time_base, batch.encoding, memoryview(batch.data))
        check = self._continuity.check_packet(packet)
        if check.starts:
            self._decoder = open_decoder(batch.encoding, batch.width, batch.height)
            self._clock = SensorClock(batch.encoding in ROS_TIME_ENCODINGS)
        elif check.missing > 0:
            self._decoder.report_gap()
        self._continuity.accept_packet(packet, check)
        if check.late:
            return None
        events = self._decoder.decode_packet(packet.payload, packet.time_base_ns)
        arrival = Arrival.IN_ORDER
        if events.count:
            first_us, last_us = int(events.t[0]), int(events.t[-1])
            arrival = self._continuity.accept_event_times(first_us, last_us, packet.stamp_ns)
            if arrival is Arrival.LATE:
                return None
            if arrival is Arrival.BACK:
                self._clock = SensorClock(batch.encoding in ROS_TIME_ENCODINGS)
            self._clock.update(first_us, packet.stamp_ns)
        return DecodedPacket(events, header, (batch.width, batch.height), self._clock,
                             due_s(batch), restarts=check.starts or arrival is Arrival.BACK)
