# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plot of a recording: the events of its busiest time on the sensor, and the rate over time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mfs_seg_core.events.info.rate import Rate
from mfs_seg_core.events.recordings.recording import Recording
from mfs_seg_core.events.types import Events, concatenate
from mfs_seg_core.util.charts import pyplot, save

# RGB; red and blue, because colour-blind people can distinguish them.
BACKGROUND, ON, OFF = (190, 190, 190), (215, 40, 40), (20, 70, 200)
BARS, SHOWN = '#5a7896', '#f08c00'
# Longest slice of a recording on the sensor, and most events per pixel, beyond which the shapes
# of objects vanish.
SLICE_US, MAX_DENSITY = 33_000, 0.15
# Largest axes of the sensor, smallest width that the titles fit into, and height of the chart, all
# in inches; largest width and height of a sensor that such axes enlarge.
MAX_WIDTH, MAX_HEIGHT, MIN_WIDTH, CHART_HEIGHT = 12.2, 8.0, 8.0, 1.8
ENLARGED = 1280, 800


def write_plot(path: Path, recording: Recording, summary: dict, rate: Rate) -> None:
    """
    Plot a summarised recording into a file.

    :param path: the file, whose suffix is the format: .png, .jpg, .svg or .pdf.
    :param recording: the recording, read again from its start.
    :param summary: its summary.
    :param rate: its event rate over time.
    :raises ValueError: if the recording has no events or can no longer be read, the file cannot be
        written, or matplotlib is not installed.
    """
    figure = draw(recording, summary, rate)
    try:
        save(figure, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or 'unknown format'
        raise ValueError(f"'{path}' cannot be written ({reason}): give a file .png, .jpg, .svg or "
                         '.pdf in a folder that can be written to') from None


def draw(recording: Recording, summary: dict, rate: Rate):
    """
    Draw a summarised recording.

    :param recording: the recording, read again from its start.
    :param summary: its summary.
    :param rate: its event rate over time.
    :returns: the figure.
    :raises ValueError: if the recording has no events or can no longer be read, or matplotlib is
        not installed.
    """
    if not summary['n']:
        raise ValueError(f'{recording.path} has no events to draw: leave --picture out')
    width, height = recording.size
    start_us = rate.start_us + int(rate.counts.argmax()) * rate.bin_us
    events = _slice(recording, start_us, int(MAX_DENSITY * width * height) + 1)
    end_us = int(events.t.max()) + 1
    scale = min(MAX_WIDTH / width, MAX_HEIGHT / height)
    rows = max(height * scale, 1)
    figure, (sensor, chart) = pyplot().subplots(
        2, 1, figsize=(max(width * scale, MIN_WIDTH) + 0.9, rows + CHART_HEIGHT + 1.8),
        height_ratios=(rows, CHART_HEIGHT), layout='constrained')
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    figure.suptitle(f'{recording.path.name}: {summary["encoding"]}, {width}x{height}, '
                    f'{summary["n"]:,} events in {_time(summary["duration_us"])}')
    _draw_sensor(sensor, events, (width, height))
    since = _time(start_us - rate.start_us)
    sensor.set_title(f'{events.count:,} events in {_time(end_us - start_us)}, starting {since} '
                     'after the first one', loc='left', fontsize=10)
    _draw_rate(chart, rate, start_us, end_us)
    return figure


def _slice(recording: Recording, start_us: int, most: int) -> Events:
    """Read the events from ``start_us`` on, at most ``most`` and for at most SLICE_US."""
    parts, count = [], 0
    for events in recording:
        part = events.where((events.t >= start_us) & (events.t < start_us + SLICE_US))
        if part.count:
            parts.append(part)
            count += part.count
        if count >= most:
            break
    return concatenate(parts).where(slice(most))


def _draw_sensor(axes, events: Events, size: tuple[int, int]) -> None:
    """Colour each pixel of the sensor by the polarity of its last event."""
    image = np.full((size[1], size[0], 3), BACKGROUND, np.uint8)
    image[events.y, events.x] = np.where(events.p[:, None], ON, OFF)
    # Enlarged pixels stay sharp; reduced ones are averaged, so that no event vanishes.
    enlarged = size[0] <= ENLARGED[0] and size[1] <= ENLARGED[1]
    axes.imshow(image, interpolation='nearest' if enlarged else 'antialiased')
    axes.set_xlabel('column in pixels')
    axes.set_ylabel('row in pixels')
    for name, colour in (('ON (brighter)', ON), ('OFF (darker)', OFF)):
        axes.plot([], [], 's', color=np.divide(colour, 255), label=name)
    axes.legend(loc='lower right', bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderpad=0,
                handletextpad=0.1)


def _draw_rate(axes, rate: Rate, start_us: int, end_us: int) -> None:
    """Draw the rate since the first event, and highlight the slice on the sensor."""
    values = rate.per_second()
    unit, unit_name = next(((unit, name) for unit, name in ((1e6, 'Mev/s'), (1e3, 'kev/s'))
                            if values.max() >= unit), (1, 'ev/s'))
    span_us = rate.end_us - rate.start_us
    scale, name = next(((scale, name) for scale, name in ((1e6, 's'), (1e3, 'ms'))
                        if span_us >= scale), (1, 'us'))
    starts = rate.bin_us * np.arange(len(values))
    ends = np.minimum(starts + rate.bin_us, span_us)
    shown = (starts < end_us - rate.start_us) & (ends > start_us - rate.start_us)
    for part, colour, label in ((~shown, BARS, None), (shown, SHOWN, 'shown above')):
        axes.bar(starts[part] / scale, values[part] / unit, (ends - starts)[part] / scale,
                 align='edge', color=colour, edgecolor='white', linewidth=0.5, label=label)
    axes.set_xlim(0, span_us / scale)
    axes.set_xlabel(f'time since the first event in {name}')
    axes.set_ylabel(f'rate in {unit_name}')
    axes.grid(axis='y', color='0.88')
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(loc='lower right', bbox_to_anchor=(1, 1), frameon=False, borderpad=0)


def _time(us: float) -> str:
    """Return a duration in microseconds as text."""
    return f'{us / 1e6:.3f} s' if us >= 1e6 else f'{us / 1e3:.3f} ms'
