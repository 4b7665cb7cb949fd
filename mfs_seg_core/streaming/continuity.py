# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whether a step continues the stream that the state belongs to, or the state resets before it.

Each decision has two parts: a check, which changes nothing, and the record of what was checked
once it was really used. A step that the network refused leaves no trace, so that the leak of the
next one counts from the last step that ran.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.streaming.arrival_order import Arrival, ArrivalOrder
from mfs_seg_core.streaming.step import Step

# Sensors mix up the order of single events by less than this.
EVENT_JITTER_US = 10_000
# An image, or packet of events, that arrives this late is dropped; a later one is another stream.
LATE_S = 0.5
# So many packets before the last one may still arrive.
LATE_PACKETS = 64
# Hours of packets: a larger gap in the sequence numbers is a publisher that counts from elsewhere.
MAX_MISSING_PACKETS = 10_000_000


class Reset(NamedTuple):
    """Why the state resets: one of a few causes, and a sentence for people."""

    cause: str
    reason: str


class StepCheck(NamedTuple):
    """
    The decision about a step.

    :param reset: why the state resets before it; None: it continues the stream.
    :param elapsed_s: seconds since the last step that ran; None: unknown, or the state resets.
    """

    reset: Reset | None
    elapsed_s: float | None


class PacketCheck(NamedTuple):
    """
    The decision about an event packet.

    :param starts: whether it starts a stream of packets, with a decoder and clock of its own.
    :param missing: packets missing between the one before and this one; -1 for a late one that was
        counted as missing.
    :param reset: why the state resets; None: it does not, as before the first packet.
    :param late: whether it arrives after a later one, and is to be dropped.
    """

    starts: bool
    missing: int = 0
    reset: Reset | None = None
    late: bool = False


class Continuity:
    """
    Follow the images, event packets and steps of one camera, and requests for a reset.

    All methods are called by the worker's thread, but :meth:`is_late` by the thread that receives
    the images, and :meth:`request_reset` by any.

    :param max_gap_s: longest time in seconds between two steps that keeps the state.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._lock = threading.Lock()
        # Resets that the next step has to make: on request, and because of the event camera.
        self._requested: Reset | None = None
        self._by_events: Reset | None = None
        self._images = ArrivalOrder(round(1e9 * LATE_S))
        self._packet: EventPacket | None = None
        # Sequence numbers of packets that may still arrive, and whether they are counted missing.
        self._open: dict[int, bool] = {}
        self._events = ArrivalOrder(round(1e6 * LATE_S), EVENT_JITTER_US)
        self._events_stamp_ns = 0
        # The last step that ran, and the last stamp by the cause of the step.
        self._stamp_ns: int | None = None
        self._stamps_ns: dict[str, int] = {}
        # Those of the last image that was a step.
        self._size: tuple[int, ...] | None = None
        self._encoding = ''

    def request_reset(self, cause: str, reason: str) -> None:
        """Reset the state before the next step."""
        with self._lock:
            self._requested = Reset(cause, reason)

    def is_late(self, stamp_ns: int) -> bool:
        """Follow the stamp of a received image; return whether it is late, and to be dropped."""
        return self._images.follow(stamp_ns) is Arrival.LATE

    def check_packet(self, packet: EventPacket) -> PacketCheck:
        """Decide whether a packet continues those before it."""
        before = self._packet
        if before is None:
            return PacketCheck(starts=True)
        if (packet.encoding, packet.width, packet.height) != (
                before.encoding, before.width, before.height):
            return PacketCheck(True, 0, Reset(
                'encoding changed', f'the events changed from {_format(before)} to '
                                    f'{_format(packet)}'))
        # Some publishers do not count.
        if packet.seq == before.seq == 0:
            return PacketCheck(starts=False)
        # One that is stamped later is of a publisher that counts again.
        if packet.seq in self._open and not 0 < before.stamp_ns < packet.stamp_ns:
            return PacketCheck(False, -1 if self._open[packet.seq] else 0, late=True)
        missing = packet.seq - before.seq - 1
        if not 0 <= missing < MAX_MISSING_PACKETS:
            return PacketCheck(True, 0, Reset(
                'sensor restarted', 'the event camera restarted '
                                    f'(seq {packet.seq} came after {before.seq})'))
        return PacketCheck(False, missing)

    def accept_packet(self, packet: EventPacket, check: PacketCheck) -> None:
        """Record a packet that a decoder takes, or that is dropped because it is late."""
        if check.late:
            del self._open[packet.seq]
            return
        if check.starts:
            self._events.forget()
            self._events_stamp_ns = 0
            # The first two may be the wrong way round.
            self._open = {packet.seq - 1: False}
        else:
            first = packet.seq - min(check.missing, LATE_PACKETS)
            self._open |= dict.fromkeys(range(first, packet.seq), True)
            for seq in [seq for seq in self._open if seq < packet.seq - LATE_PACKETS]:
                del self._open[seq]
        # Without its payload, which may be large.
        self._packet = packet._replace(payload=b'')
        if check.reset:
            self._by_events = check.reset

    def accept_event_times(self, first_us: int, last_us: int, stamp_ns: int = 0) -> Arrival:
        """
        Record the first and the last event time of a packet.

        :param first_us: sensor time in microseconds.
        :param last_us: likewise.
        :param stamp_ns: stamp of the packet in nanoseconds; 0: the driver does not set it.
        :returns: place of the events among those before; where time went back, the state resets.
        """
        newest_us = self._events.newest
        # With a later stamp, the sensor's clock was set.
        arrival = self._events.follow(first_us, last_us, 0 < self._events_stamp_ns < stamp_ns)
        self._events_stamp_ns = max(self._events_stamp_ns, stamp_ns)
        if arrival is Arrival.BACK:
            self._by_events = Reset(
                'time went back', "the event camera's time went back by "
                                  f'{(newest_us - first_us) / 1e6:.3f} s')
        return arrival

    def check(self, step: Step) -> StepCheck:
        """Decide whether a step continues the stream."""
        reset = self._requested or self._step_reset(step) or self._by_events
        if reset or self._stamp_ns is None or step.stamp_ns == self._stamps_ns.get(step.cause):
            # A camera that never sets its stamps tells nothing of time.
            return StepCheck(reset, None)
        # An image may be older than the events of the step before.
        return StepCheck(None, max(0.0, (step.stamp_ns - self._stamp_ns) / 1e9))

    def accept(self, step: Step, check: StepCheck) -> None:
        """Record a step that ran, after the reset that was decided for it."""
        own_ns = self._stamps_ns.get(step.cause)
        if own_ns is not None and step.stamp_ns < own_ns:
            # The other sensor is about to go back too.
            self._stamps_ns.clear()
        self._stamps_ns[step.cause] = step.stamp_ns
        self._stamp_ns = step.stamp_ns
        if step.image is not None:
            self._size, self._encoding = step.image.shape[:2], step.encoding
        self._by_events = None
        with self._lock:
            # Not a request that was made since the check.
            if self._requested is check.reset:
                self._requested = None

    def _step_reset(self, step: Step) -> Reset | None:
        """Return why the stamp, size or encoding of a step does not continue the stream."""
        if self._stamp_ns is None:
            return None
        own_ns = self._stamps_ns.get(step.cause)
        if own_ns is not None and step.stamp_ns < own_ns:
            return Reset('time went back',
                         f'the stamp went back by {(own_ns - step.stamp_ns) / 1e9:.3f} s')
        gap_s = (step.stamp_ns - self._stamp_ns) / 1e9
        if gap_s > self._max_gap_s:
            return Reset('gap', f'no {step.cause} for {gap_s:.3f} s '
                                f'(max_gap is {self._max_gap_s:g} s)')
        if step.image is None or self._size is None:
            return None
        size = step.image.shape[:2]
        if size != self._size:
            return Reset('size changed', f'the size changed from {self._size[1]}x{self._size[0]} '
                                         f'to {size[1]}x{size[0]}')
        if step.encoding != self._encoding:
            return Reset('encoding changed', f"the encoding changed from '{self._encoding}' to "
                                             f"'{step.encoding}'")
        return None


def _format(packet: EventPacket) -> str:
    return f'{packet.encoding} of {packet.width}x{packet.height}'
