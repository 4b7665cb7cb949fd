# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Base classes of decoders: state between calls, split words, triggers, fault counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mfs_seg_core.events.types import Events, Triggers

# Causes of faults, and their indices in a decoder's counts.
FAULTS = ('before the start', 'outside the sensor', 'time went back', 'unknown word', 'cut word',
          'marked invalid')
BEFORE, OUTSIDE, BACK, UNKNOWN, CUT, INVALID = range(len(FAULTS))
# Index after the faults: the number of triggers in the last call.
TRIGGERS = len(FAULTS)
# Index of the time of the last event in the state, the same in all decoders.
LATEST = 1
# A trigger is packed into one number: time << TRIGGER_BITS | id << 1 | edge.
TRIGGER_BITS = 9
# The sum of a time base and any time within a message must fit into 63 bits.
MAX_TIME_BASE_NS = 1 << 62


class Decoder:
    """
    Decoder of one event stream; a subclass defines the encoding.

    The kernel of a subclass, ``(data, width, height, state, counts, triggers) -> t, x, y, p``,
    decodes whole words, uint8 ``[B]``, to the arrays of
    :class:`~mfs_seg_core.events.types.Events`. It keeps the values that later words depend on in
    ``state``, adds faults to ``counts`` and writes triggers to ``triggers``, all int64.

    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :raises ValueError: if the width or the height is out of range.
    """

    KERNEL: Callable
    # Bytes per word.
    WORD: int
    # The state before the first word.
    START: tuple[int, ...]
    # Nanoseconds per unit of the kernel's time.
    UNIT_NS = 1000

    def __init__(self, width: int, height: int):
        if not (0 < width <= 0xffff and 0 < height <= 0xffff):
            raise ValueError(f'a sensor of {width}x{height} pixels: give a width and a height of '
                             '1 to 65535')
        self.width, self.height = width, height
        self._state = np.array(self.START, np.int64)
        self._counts = np.zeros(len(FAULTS) + 1, np.int64)
        self._triggers = np.empty(0, np.int64)
        self._rest = b''
        self._time_base_ns: int | None = None
        #: Times of the last call's events, int64 [N], in the encoding's own unit, UNIT_NS.
        self.stamps = np.empty(0, np.int64)

    def decode(self, data: bytes, time_base_ns: int = 0) -> Events:
        """
        Decode the next bytes of the stream, which may end within a word.

        :param data: bytes, or an object with a contiguous buffer.
        :param time_base_ns: time base of the EventPacket in nanoseconds. In encodings that count
            time within a message (libcaer, libcaer_cmp, mono), a new time base starts a new
            message.
        :returns: the events on the sensor, in the order of the stream.
        :raises ValueError: if the encoding uses the time base and it is out of range.
        """
        if time_base_ns != self._time_base_ns:
            self._begin_message(time_base_ns)
        octets = np.frombuffer(data, np.uint8)
        if self._rest or octets.size % self.WORD:
            octets = self._whole_words(octets)
        if self._triggers.size * self.WORD < octets.size:
            # Room for a trigger in every word.
            self._triggers = np.empty(octets.size // self.WORD, np.int64)
        # Calling Events would take as long as decoding a hundred events.
        events = tuple.__new__(Events, self.KERNEL(octets, self.width, self.height, self._state,
                                                   self._counts, self._triggers))
        self.stamps = events.t
        return events if self.UNIT_NS == 1000 else events._replace(
            t=events.t * self.UNIT_NS // 1000)

    def decode_packet(self, data: bytes, time_base_ns: int = 0) -> Events:
        """
        Decode one message, which begins with a whole word; a word cut at its end is a fault.

        The state continues from message to message as the encoding defines it. If messages are
        missing before this one, call :meth:`report_gap` first.

        :param data: bytes, or an object with a contiguous buffer.
        :param time_base_ns: time base of the EventPacket in nanoseconds.
        :returns: the events on the sensor, in the order of the message.
        :raises ValueError: if the encoding uses the time base and it is out of range.
        """
        if self._rest:
            self._drop_rest()
        self._begin_message(time_base_ns)
        events = self.decode(data, time_base_ns)
        if self._rest:
            self._drop_rest()
        return events

    def report_gap(self) -> None:
        """Report a gap; resynchronise before emitting events."""
        self._drop_rest()
        self._mark_gap(self._state)

    @property
    def triggers(self) -> Triggers:
        """Return the external triggers of the last call."""
        packed = self._triggers[:self._counts[TRIGGERS]]
        return Triggers(packed >> TRIGGER_BITS, (packed >> 1 & 0xff).astype(np.uint8),
                        packed & 1 > 0)

    @property
    def faults(self) -> dict[str, int]:
        """Return the number of faults since the start, by cause."""
        return dict(zip(FAULTS, self._counts.tolist()))

    def _begin_message(self, time_base_ns: int) -> None:
        """Start a message; encodings that count time within a message reset it here."""
        self._time_base_ns = time_base_ns

    def _mark_gap(self, state: np.ndarray) -> None:
        """Mark in the state that data are missing."""
        raise NotImplementedError

    def _whole_words(self, octets: np.ndarray) -> np.ndarray:
        """Prepend the rest of the last call, and keep an incomplete last word for the next one."""
        joined = np.concatenate([np.frombuffer(self._rest, np.uint8), octets])
        end = joined.size - joined.size % self.WORD
        self._rest = joined[end:].tobytes()
        return joined[:end]

    def _drop_rest(self) -> None:
        """Discard an incomplete word, and count it."""
        self._counts[CUT] += len(self._rest) > 0
        self._rest = b''


# Index of the time base in the state of a MessageDecoder.
TIME_BASE = 0


class MessageDecoder(Decoder):
    """
    Decoder of an encoding whose messages count time from their own time base.

    The first number of the state is the time base in nanoseconds.
    """

    UNIT_NS = 1

    def _begin_message(self, time_base_ns: int) -> None:
        if not 0 <= time_base_ns < MAX_TIME_BASE_NS:
            raise ValueError(f'a time base of {time_base_ns} ns is out of range: expected '
                             'nanoseconds since 1970')
        super()._begin_message(time_base_ns)
        self._drop_rest()
        latest = self._state[LATEST]
        self._state[:] = self.START
        self._state[[TIME_BASE, LATEST]] = time_base_ns, latest

    def _mark_gap(self, state: np.ndarray) -> None:
        # The next message carries everything that its decoding depends on.
        self._time_base_ns = None
