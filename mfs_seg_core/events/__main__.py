# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Describe a recording of an event camera, and plot it.

``mfs-seg events FILE [--json FILE] [--picture FILE]``

``mfs-seg events --formats`` prints the formats of FILE. The exit status is 1 if FILE cannot be
read, or if more than 1 % of its events are rejected: outside the sensor, out of the order of time,
or before the first time. ``python -m mfs_seg_core.events`` is the same command.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mfs_seg_core.events.info.plot import write_plot
from mfs_seg_core.events.info.rate import Rate
from mfs_seg_core.events.info.summary import summarise
from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.recordings.formats import describe
from mfs_seg_core.events.recordings.recording import Recording
from mfs_seg_core.events.rejection import rejection
from mfs_seg_core.util.files import write_json

# Lines of the rate over time, and characters of the longest bar.
LINES, LONGEST = 20, 40


def report(recording: Recording, summary: dict, rate: Rate) -> str:
    """Return a summary as text."""
    topic = f', topic {recording.topic}' if recording.topic else ''
    origin = f' ({recording.size_origin})' if recording.size_origin else ''
    lines = [f'{recording.path}: {summary["encoding"]}, {summary["width"]}x{summary["height"]}'
             f'{origin}{topic}']
    if not summary['n']:
        lines.append('no events')
    else:
        duration = summary['duration_us']
        lines += [f'{summary["n"]:,} events: {summary["n_on"]:,} brighter, '
                  f'{summary["n_off"]:,} darker',
                  f'{duration / 1e6:.6f} s, from {summary["t_first"]:,} to '
                  f'{summary["t_last"]:,} {summary["t_unit"]}',
                  f'{_rate(summary["n"] * 1e6 / (duration or 1))} on average; over time:']
        lines += _lines(rate)
    found = summary['triggers']
    ids = ', '.join(map(str, found['ids']))
    lines.append(f'triggers: {found["n"]:,} ({found["n_edge1"]:,} rising, {found["n_edge0"]:,} '
                 f'falling) of input {ids}' if found['n'] else 'triggers: none')
    faults = ', '.join(f'{cause} {count:,}' for cause, count in summary['faults'].items())
    lines.append(f'faults: {faults or "none"}')
    lines += [f'note: {note}' for note in summary['notes']]
    return '\n'.join(lines)


def _lines(rate: Rate) -> list[str]:
    """Draw the rate over time as one bar of text per line."""
    rate = rate.grouped(-(-len(rate.counts) // LINES))
    values = rate.per_second()
    return [f'{index * rate.bin_us / 1e6:14.6f} s {_rate(value):>12} '
            + '#' * round(LONGEST * value / values.max()) for index, value in enumerate(values)]


def _rate(value: float) -> str:
    return f'{value / 1e6:.2f} Mev/s' if value >= 0.995e6 else f'{value / 1e3:.2f} kev/s'


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg events``; return its exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg events', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('file', nargs='?', help='the recording: a file, or the folder of a bag')
    parser.add_argument('--formats', action='store_true', help='print the formats of recordings')
    parser.add_argument('--topic', default='', help='topic of events in a bag, or name of the '
                        'events in an HDF5 file (default: the first by name)')
    parser.add_argument('--size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
                        help='size of the sensor, for recordings that do not contain it')
    parser.add_argument('--columns', default='', metavar='NAMES', help='order of the columns of a '
                        'text file or an array, for example x,y,p,t (default: from names and '
                        'values)')
    parser.add_argument('--unit', default='', choices=('s', 'ms', 'us', 'ns'), help='unit of the '
                        'times in a text file, an array or HDF5 (default: from names and values)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the summary to this file')
    parser.add_argument('--picture', type=Path, metavar='FILE',
                        help='plot the recording into this file (.png, .jpg, .svg, .pdf)')
    options = parser.parse_args(arguments)
    if options.formats:
        print(describe())
        return 0
    if not options.file:
        parser.error('give a FILE, or --formats')
    try:
        recording = open_recording(options.file, options.topic,
                                   options.size and tuple(options.size),
                                   columns=options.columns, unit=options.unit)
        summary, rate = summarise(recording)
        print(report(recording, summary, rate))
        if options.json:
            write_json(options.json, summary)
        if options.picture:
            write_plot(options.picture, recording, summary, rate)
        if reason := rejection(summary['faults'], summary['n']):
            raise ValueError(f'{recording.path}: {reason}')
    except (ValueError, OSError) as error:
        print(f'events: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
