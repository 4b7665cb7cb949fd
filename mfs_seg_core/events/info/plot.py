# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of a recording: events on the sensor where there are most, and the rate over time."""

from __future__ import annotations

import math

import cv2
import numpy as np

from mfs_seg_core.events.info.rate import Rate
from mfs_seg_core.events.recordings.recording import Recording
from mfs_seg_core.events.types import Events, concatenate

# Blue, green, red, as OpenCV has them.
GROUND, BRIGHTER, DARKER = (190, 190, 190), (40, 40, 215), (200, 70, 20)
PAPER, INK, GRID = (255, 255, 255), (40, 40, 40), (225, 225, 225)
BARS, SHOWN = (150, 120, 90), (0, 140, 240)
SLICE_US = 33_000
# With more events a pixel, shapes vanish among them.
FULLEST = 0.15
WIDTH = 960
TITLE, CHART, LEFT, RIGHT, BOTTOM = 62, 220, 78, 24, 44
FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw(recording: Recording, summary: dict, rate: Rate) -> np.ndarray:
    """
    Draw a recording that was summarised.

    :returns: uint8 ``[H, W, 3]``, BGR.
    :raises ValueError: it has no events, or can no longer be read.
    """
    if not summary['n']:
        raise ValueError(f'{recording.path} has no events to draw: leave --picture out')
    start_us = rate.start_us + int(rate.counts.argmax()) * rate.bin_us
    width, height = recording.size
    events = _slice(recording, start_us, int(FULLEST * width * height) + 1)
    end_us = int(events.t.max()) + 1
    sensor = _sensor(events, width, height)
    chart = _chart(rate, start_us, end_us, sensor.shape[1])
    title = np.full((TITLE, sensor.shape[1], 3), PAPER, np.uint8)
    duration = summary['duration_us']
    _text(title, f'{recording.path.name}: {summary["encoding"]}, {width}x{height}, '
                 f'{summary["n"]:,} events in {_time(duration)}', (10, 24), 0.6)
    since = start_us - rate.start_us
    place = 10
    for words, colour in ((f'{events.count:,} events of {_time(end_us - start_us)},', INK),
                          (f'from {_time(since)} on:', SHOWN), ('brighter', BRIGHTER),
                          ('darker', DARKER)):
        place += _text(title, words, (place, 49), 0.5, colour) + 8
    return np.concatenate([title, sensor, chart])


def _slice(recording: Recording, start_us: int, most: int) -> Events:
    """Read the events from a moment on: not too long, and not too many."""
    parts, count = [], 0
    for events in recording:
        part = events.where((events.t >= start_us) & (events.t < start_us + SLICE_US))
        if part.count:
            parts.append(part)
            count += part.count
        if count >= most:
            break
    return concatenate(parts).where(slice(most))


def _sensor(events: Events, width: int, height: int) -> np.ndarray:
    """Colour each pixel by its last event; pixels are enlarged to be seen."""
    image = np.full((height, width, 3), GROUND, np.uint8)
    image[events.y, events.x] = np.where(events.p[:, None], BRIGHTER, DARKER)
    scale = max(1, round(WIDTH / width))
    if width > 2 * WIDTH:
        return cv2.resize(image, (WIDTH, round(height * WIDTH / width)),
                          interpolation=cv2.INTER_AREA)
    image = image.repeat(scale, 0).repeat(scale, 1)
    # A very narrow sensor leaves room for the text beside it.
    room = max(WIDTH - image.shape[1], 0)
    return np.pad(image, ((0, 0), (room // 2, room - room // 2), (0, 0)), constant_values=255)


def _chart(rate: Rate, start_us: int, end_us: int, width: int) -> np.ndarray:
    """Draw events a second over time since the first event; the slice has another colour."""
    chart = np.full((CHART, width, 3), PAPER, np.uint8)
    top, base, right = 34, CHART - BOTTOM, width - RIGHT
    span_us = rate.end_us - rate.start_us
    values = rate.per_second()
    unit, unit_name = next(((unit, name) for unit, name in ((1e6, 'Mev/s'), (1e3, 'kev/s'))
                            if values.max() >= unit), (1, 'ev/s'))
    highest = values.max() * 1.05

    def column(since_us: float) -> int:
        return LEFT + round((right - LEFT) * min(since_us / span_us, 1))

    def row(value: float) -> int:
        return base - round((base - top) * value / highest)

    for value in _ticks(highest / unit, 4):
        cv2.line(chart, (LEFT - 5, row(value * unit)), (right, row(value * unit)), GRID)
        _text(chart, f'{value:g}', (LEFT - 10, row(value * unit) + 4), 0.42, align='right')
    for index, value in enumerate(values):
        since, until = index * rate.bin_us, (index + 1) * rate.bin_us
        shown = since < end_us - rate.start_us and until > start_us - rate.start_us
        if value:
            # Neighbours share no pixel, except where there are more bins than pixels.
            last = max(column(until) - 2, column(since))
            cv2.rectangle(chart, (column(since), row(value)), (last, base),
                          SHOWN if shown else BARS, cv2.FILLED)
    scale, name = next(((scale, name) for scale, name in ((1e6, 's'), (1e3, 'ms'))
                        if span_us >= scale), (1, 'us'))
    for value in _ticks(span_us / scale, 10):
        cv2.line(chart, (column(value * scale), base), (column(value * scale), base + 5), INK)
        _text(chart, f'{value:g}', (column(value * scale), base + 18), 0.42, align='centre')
    _text(chart, f'rate in {unit_name}', (10, 22), 0.45)
    _text(chart, f'time since the first event in {name}', ((LEFT + right) // 2, CHART - 8), 0.45,
          align='centre')
    return chart


def _ticks(highest: float, most: int) -> list[float]:
    """Return round numbers from 0 on, at most so many above it."""
    power = 10 ** math.floor(math.log10(highest / most))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power)
                if highest / step <= most)
    return [step * index for index in range(math.floor(highest / step) + 1)]


def _time(us: float) -> str:
    return f'{us / 1e6:.3f} s' if us >= 1e6 else f'{us / 1e3:.3f} ms'


def _text(image: np.ndarray, text: str, place: tuple[int, int], size: float, colour=INK,
          align: str = 'left') -> int:
    """Write in a line, and return how wide it is."""
    width = cv2.getTextSize(text, FONT, size, 1)[0][0]
    left = place[0] - {'left': 0, 'centre': width // 2, 'right': width}[align]
    cv2.putText(image, text, (left, place[1]), FONT, size, colour, 1, cv2.LINE_AA)
    return width
