# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all decoders share: state between calls, words cut in two, triggers, faults."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mfs_seg_core.events.types import Events, Triggers

# Causes of faults, and their places among the counts of a decoder.
FAULTS = ('before the start', 'outside the sensor', 'time went back', 'unknown word', 'cut word',
          'marked invalid')
BEFORE, OUTSIDE, BACK, UNKNOWN, CUT, INVALID = range(len(FAULTS))
# Behind the faults: how many triggers the last call found.
TRIGGERS = len(FAULTS)
# A trigger as one number: time << TRIGGER_BITS | id << 1 | edge.
TRIGGER_BITS = 9
# With any time of a message added to it, it still fits into 63 bits.
MAX_TIME_BASE_NS = 1 << 62


class Decoder:
    """
    Decodes one stream of events; a subclass says how its encoding works.

    A kernel ``(data, width, height, state, counts, triggers) -> t, x, y, p`` decodes whole words:
    uint8 ``[B]`` to arrays as in `Events`. It keeps in ``state``, int64, what later words need,
    adds faults to ``counts``, int64, and puts triggers into ``triggers``, int64.

    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :raises ValueError: the size is none of a sensor.
    """

    KERNEL: Callable
    # Bytes of a word.
    WORD: int
    # State before the first word.
    START: tuple[int, ...]
    # Nanoseconds of a unit of the kernel's time.
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
        #: int64 [N], the times of the last call's events in the encoding's own unit, `UNIT_NS`.
        self.stamps = np.empty(0, np.int64)

    def decode(self, data: bytes, time_base_ns: int = 0) -> Events:
        """
        Decode the next bytes of the stream, wherever it was cut.

        :param data: bytes, or what gives them through the buffer protocol without gaps.
        :param time_base_ns: nanoseconds, of the EventPacket. Where the encoding counts time within
            a message (libcaer, libcaer_cmp, mono), another time base begins another message.
        """
        if time_base_ns != self._time_base_ns:
            self._begin_message(time_base_ns)
        octets = np.frombuffer(data, np.uint8)
        if self._rest or octets.size % self.WORD:
            octets = self._whole_words(octets)
        if self._triggers.size * self.WORD < octets.size:
            # Every word may be a trigger.
            self._triggers = np.empty(octets.size // self.WORD, np.int64)
        # Events(...) would take as long as a hundred events.
        events = tuple.__new__(Events, self.KERNEL(octets, self.width, self.height, self._state,
                                                   self._counts, self._triggers))
        self.stamps = events.t
        return events if self.UNIT_NS == 1000 else events._replace(
            t=events.t * self.UNIT_NS // 1000)

    def decode_packet(self, data: bytes, time_base_ns: int = 0) -> Events:
        """
        Decode a whole message: it begins and ends with a whole word, or lost the end of one.

        State goes on from message to message as the encoding wants it; after messages that did not
        arrive, call `lost` first. Arguments are those of `decode`.
        """
        if self._rest:
            self._drop_rest()
        self._begin_message(time_base_ns)
        events = self.decode(data, time_base_ns)
        if self._rest:
            self._drop_rest()
        return events

    def lost(self) -> None:
        """Tell that data were lost here: what they may have changed is waited for anew."""
        self._drop_rest()
        self._forget(self._state)

    @property
    def triggers(self) -> Triggers:
        """External triggers of the last call."""
        packed = self._triggers[:self._counts[TRIGGERS]]
        return Triggers(packed >> TRIGGER_BITS, (packed >> 1 & 0xff).astype(np.uint8),
                        packed & 1 > 0)

    @property
    def faults(self) -> dict[str, int]:
        """Faults since the start, counted by cause: events that were left out, words, steps."""
        return dict(zip(FAULTS, self._counts.tolist()))

    def _begin_message(self, time_base_ns: int) -> None:
        """Begin to count time from a base, where the encoding does so."""
        self._time_base_ns = time_base_ns

    def _forget(self, state: np.ndarray) -> None:
        """Put into the state that data were lost."""
        raise NotImplementedError

    def _whole_words(self, octets: np.ndarray) -> np.ndarray:
        """Join what is left of the last call to these bytes; keep the start of a word for later."""
        joined = np.concatenate([np.frombuffer(self._rest, np.uint8), octets])
        end = joined.size - joined.size % self.WORD
        self._rest = joined[end:].tobytes()
        return joined[:end]

    def _drop_rest(self) -> None:
        """Count the part of a word that is left, if there is one, and forget it."""
        self._counts[CUT] += len(self._rest) > 0
        self._rest = b''


class MessageDecoder(Decoder):
    """
    A decoder of messages that count time from their own base.

    The state begins with that base in nanoseconds and the time of the last event.
    """

    UNIT_NS = 1

    def _begin_message(self, time_base_ns: int) -> None:
        if not 0 <= time_base_ns < MAX_TIME_BASE_NS:
            raise ValueError(f'a time base of {time_base_ns} ns is out of range: expected '
                             'nanoseconds since 1970')
        super()._begin_message(time_base_ns)
        self._drop_rest()
        latest = self._state[1]
        self._state[:] = self.START
        self._state[:2] = time_base_ns, latest

    def _forget(self, state: np.ndarray) -> None:
        # The next message brings all that it needs.
        self._time_base_ns = None
