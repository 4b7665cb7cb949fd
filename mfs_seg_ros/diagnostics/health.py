# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Health of one camera's segmentation: counts, rates, latencies and faults, without ROS."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from mfs_seg_ros.diagnostics.drops import ADVICE, IMAGES, MASKS, PACKETS
from mfs_seg_ros.diagnostics.presence import NAMES, Presence

# Causes of a reset of the state.
RESETS = ('activated', 'enabled', 'requested', 'time went back', 'clock jumped', 'gap',
          'size changed', 'encoding changed', 'sensor restarted')


class Level(IntEnum):
    """As in diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Limits:
    """
    Limits beyond which something is wrong.

    :param max_latency_s: longest time from stamp to mask, for 99 of 100 masks.
    :param late_s: time beyond ``max_latency_s`` after which the warning is an error.
    :param silent_s: longest time without input or mask.
    :param ahead_s: how far stamps may be ahead of the node's clock.
    :param min_rate: lowest firing rate, in spikes of a neuron in a step.
    :param max_share: highest firing rate, as a share of the highest possible one.
    :param min_contrast: lowest contrast of an image in grey levels; see
        :mod:`mfs_seg_core.streaming.image_quality`.
    :param alarm_steps: measurements in a row beyond a limit that are an error.
    """

    max_latency_s: float = 0.2
    late_s: float = 3.0
    silent_s: float = 2.0
    ahead_s: float = 0.05
    min_rate: float = 1e-3
    max_share: float = 0.95
    min_contrast: float = 2.0
    alarm_steps: int = 3


class Report(NamedTuple):
    """A level, a sentence about the worst fault, and values by name; None: not known."""

    level: Level
    message: str
    values: dict[str, float | int | str | None]


class Health:
    """
    Counts and measurements of one camera; any thread may call any method.

    Times are in seconds of ``time.monotonic``.

    :param kinds: expected messages: 'image', 'events' or both.
    :param levels: largest value of a spike.
    :param limits: limits beyond which something is wrong.
    :param now_s: time of the start.
    :param completing: messages that complete a step, and so get a mask; None: all expected ones.
    """

    def __init__(self, kinds: Sequence[str], levels: int, limits: Limits, now_s: float,
                 completing: Sequence[str] | None = None) -> None:
        self._kinds = tuple(kinds)
        self._levels = levels
        self.limits = limits
        self._lock = threading.Lock()
        # Totals, and totals at the last report.
        self._arrived: Counter[str] = Counter()
        self._losses = Counter(dict.fromkeys(ADVICE, 0))
        self._resets = Counter(dict.fromkeys(RESETS, 0))
        self._masks = 0
        self._reported = (self._arrived.copy(), self._losses.copy(), 0)
        self._last_reset = 'none'
        self._period_start_s = now_s
        self._latencies_s: list[float] = []
        self._processing_s: list[float] = []
        self._models_ms: list[float] = []
        self._rate: float | None = None
        self._energy_mj: float | None = None
        self._exposure: tuple[float, float] | None = None
        # Encoding of the images, and a sentence on what is wrong with them.
        self._images: str | None = None
        self._image_fault = ''
        # Measurements in a row.
        self._row: Counter[str] = Counter()
        self._presence = Presence(kinds, kinds if completing is None else completing, now_s)
        self._start(now_s)

    @property
    def totals(self) -> Counter[str]:
        """Counts of messages, masks and lost messages since the start, by the names in drops.py."""
        with self._lock:
            return self._losses + Counter({
                IMAGES: self._arrived['image'], PACKETS: self._arrived['events'],
                MASKS: self._masks})

    def start(self, now_s: float) -> None:
        """Expect messages and masks from now on."""
        with self._lock:
            self._start(now_s)

    def arrived(self, kind: str, now_s: float) -> None:
        """Count a message; ``kind`` is 'image' or 'events'."""
        with self._lock:
            self._arrived[kind] += 1
            self._presence.arrived(kind, now_s, self.limits.silent_s)

    def answered(
        self, now_s: float, latency_s: float | None, processing_s: float, model_ms: float
    ) -> None:
        """
        Count a mask.

        :param now_s: time of its publication.
        :param latency_s: time since its stamp; None where stamps are of another clock.
        :param processing_s: time since the message that completed its step was received.
        :param model_ms: time in the network in milliseconds.
        """
        with self._lock:
            self._masks += 1
            self._presence.answered()
            if latency_s is not None:
                self._latencies_s.append(latency_s)
            self._processing_s.append(processing_s)
            self._models_ms.append(model_ms)

    def lost(self, cause: str, count: int = 1) -> None:
        """Count messages that get no mask; ``cause`` is a key of ADVICE, or any other."""
        with self._lock:
            self._losses[cause] += count

    def reset(self, cause: str, reason: str) -> None:
        """Count a reset; ``cause`` is one of RESETS, or any other, ``reason`` a sentence."""
        with self._lock:
            self._resets[cause] += 1
            self._last_reset = reason

    def clock_jumped(self) -> None:
        """Forget the latencies of this period, which are differences of two clocks."""
        with self._lock:
            self._latencies_s.clear()
            self._late_since_s = None

    def rejected(self, clause: str) -> None:
        """Keep a clause about rejected events; empty: there are few."""
        with self._lock:
            self._rejection = clause

    def fired(self, rate: float) -> None:
        """Take a measurement of the firing rate, in mean spikes of a neuron in a step."""
        with self._lock:
            self._rate = rate
            self._count_row('silent', rate < self.limits.min_rate)
            self._count_row('saturated', rate > self.limits.max_share * self._levels)

    def spent(self, energy_mj: float) -> None:
        """Take a measurement of the energy of a step, in mJ."""
        with self._lock:
            self._energy_mj = energy_mj

    def exposed(self, brightness: float, contrast: float) -> None:
        """Take a measurement of an image, in grey levels 0..255."""
        with self._lock:
            self._exposure = brightness, contrast
            self._count_row('blind', contrast < self.limits.min_contrast)

    def described(self, images: str, fault: str) -> None:
        """Keep the encoding of the images, and a sentence on a fault of theirs; empty: none."""
        with self._lock:
            self._images, self._image_fault = images, fault

    def report(self, now_s: float, idle: str | None = None) -> Report:
        """
        End a report period.

        :param now_s: time of the report.
        :param idle: why no mask is expected now (not active, no subscriber): then nothing is wrong,
            and the time without input counts from the end of it. None: masks are expected.
        :returns: the report on the period.
        """
        with self._lock:
            if idle:
                self._start(now_s)
                found = [(Level.OK, idle)]
            else:
                found = [*self._input_faults(now_s), *self._network_faults(),
                         *self._latency_faults(now_s), *self._loss_faults(),
                         (Level.OK, self._presence.state)]
            level = max(level for level, _ in found)
            message = next(sentence for its_level, sentence in found if its_level == level)
            values = self._values(now_s)
            self._reported = self._arrived.copy(), self._losses.copy(), self._masks
            self._period_start_s = now_s
            for period in (self._latencies_s, self._processing_s, self._models_ms):
                period.clear()
            return Report(level, message, values)

    def _start(self, now_s: float) -> None:
        self._presence.start(now_s)
        self._late_since_s: float | None = None
        self._row.clear()
        self._rejection = ''

    def _count_row(self, name: str, wrong: bool) -> None:
        self._row[name] = self._row[name] + 1 if wrong else 0

    def _input_faults(self, now_s: float) -> list[tuple[Level, str]]:
        silent_s = self._presence.silent_s(now_s, self.limits.silent_s)
        faults = []
        for kind, time_s in silent_s.items():
            # The mask of a camera that stopped is old; one without messages so far may yet start.
            stale = self._arrived[kind] and len(silent_s) == len(self._kinds)
            faults.append((
                Level.STALE if stale else Level.WARN,
                f'no {NAMES[kind]} for {time_s:.1f} s: is the driver running, and the topic right?'
                if self._arrived[kind] else
                f'no {NAMES[kind]} received yet: start the driver, or remap the topic'))
        due_s = self._presence.due_s(now_s, self.limits.silent_s)
        if due_s >= self.limits.silent_s:
            faults.append((
                Level.ERROR, f'input arrives, but no mask for {due_s:.1f} s: see the '
                             'counts below, the log, and the load of this machine'))
        return faults

    def _network_faults(self) -> list[tuple[Level, str]]:
        enough = self.limits.alarm_steps
        faults = [(Level.WARN, self._image_fault)] if self._image_fault else []
        if self._row['blind'] >= enough:
            brightness, contrast = self._exposure
            looks = 'black' if brightness < 32 else 'white' if brightness > 223 else 'one grey'
            faults.append((Level.ERROR, f'the image is {looks} (contrast {contrast:.1f} of 255): '
                                        'camera covered, or exposure wrong?'))
        for name in ('silent', 'saturated'):
            if self._row[name] >= enough:
                faults.append((
                    Level.ERROR, f'the network is {name} ({self._rate:.4f} spikes a neuron): '
                                 'camera covered, or exposure wrong? Else try other weights'))
        return faults

    def _latency_faults(self, now_s: float) -> list[tuple[Level, str]]:
        if not self._latencies_s:
            self._late_since_s = None
            return []
        p50_s, p99_s = _percentiles(self._latencies_s)
        faults = []
        if p50_s < -self.limits.ahead_s:
            faults.append((Level.WARN, f"stamps are {-p50_s:.2f} s ahead of this node's clock: "
                                       'synchronise the clocks (chrony, PTP)'))
        if p99_s <= self.limits.max_latency_s:
            self._late_since_s = None
            return faults
        if self._late_since_s is None:
            self._late_since_s = self._period_start_s
        late_s = now_s - self._late_since_s
        faults.append((
            Level.ERROR if late_s >= self.limits.late_s else Level.WARN,
            f'masks are late for {late_s:.0f} s: latency p99 {1e3 * p99_s:.0f} ms, max_latency '
            f'{1e3 * self.limits.max_latency_s:.0f} ms: lower the input size or the load of this '
            'machine, or look for a slow link'))
        return faults

    def _loss_faults(self) -> list[tuple[Level, str]]:
        faults = [(Level.WARN, self._rejection)] if self._rejection else []
        new = self._losses - self._reported[1]
        if not new:
            return faults
        counts = ', '.join(f'{count} {cause}' for cause, count in new.most_common())
        worst = new.most_common(1)[0][0]
        advice = f': {ADVICE[worst]}' if worst in ADVICE else ''
        return [*faults, (Level.WARN, f'lost since the last report: {counts}{advice}')]

    def _values(self, now_s: float) -> dict[str, float | int | str | None]:
        arrived, losses, masks = self._reported
        period_s = now_s - self._period_start_s
        latency = _percentiles(self._latencies_s)
        values: dict[str, float | int | str | None] = {}
        for kind in self._kinds:
            values[f'{NAMES[kind]} rate (Hz)'] = _hz(self._arrived[kind] - arrived[kind], period_s)
        values['mask rate (Hz)'] = _hz(self._masks - masks, period_s)
        for name, value_s in zip(('p50', 'p99'), latency):
            values[f'latency {name} (ms)'] = None if value_s is None else 1e3 * value_s
        values['max_latency (ms)'] = 1e3 * self.limits.max_latency_s
        processing_s = _percentiles(self._processing_s)[0]
        values['processing time p50 (ms)'] = None if processing_s is None else 1e3 * processing_s
        values['model time p50 (ms)'] = _percentiles(self._models_ms)[0]
        for kind in self._kinds:
            values[f'{NAMES[kind]}s received'] = self._arrived[kind]
        values['masks published'] = self._masks
        for cause, count in self._losses.items():
            values[f'lost: {cause}'] = count
            values[f'lost since the last report: {cause}'] = count - losses[cause]
        for cause, count in self._resets.items():
            values[f'resets: {cause}'] = count
        values['last reset'] = self._last_reset
        values['firing rate (spikes a neuron)'] = self._rate
        values['energy a frame (mJ)'] = self._energy_mj
        if 'image' in self._kinds:
            values['image encoding'] = self._images
        values['brightness (0..255)'], values['contrast (0..255)'] = self._exposure or (None, None)
        return values


def _percentiles(values: list[float]) -> tuple[float, float] | tuple[None, None]:
    """Return the median and the 99th percentile; None of each where there are no values."""
    if not values:
        return None, None
    p50, p99 = np.percentile(values, (50, 99))
    return float(p50), float(p99)


def _hz(count: int, period_s: float) -> float | None:
    return count / period_s if period_s > 0 else None
