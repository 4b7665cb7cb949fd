# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Tell what a recording of an event camera holds.

``python -m mfs_seg_core.events FILE [--json FILE] [--picture FILE]``: RAW, DAT, AEDAT4, HDF5 as of
DSEC, text (t x y p), or a rosbag2 with EventPackets.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mfs_seg_core.events.info.rate import Rate
from mfs_seg_core.events.info.summary import summarise
from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.recordings.recording import Recording

# Lines of the rate over time, and signs in the longest of them.
LINES, LONGEST = 20, 40


def report(recording: Recording, summary: dict, rate: Rate) -> str:
    """Put a summary into words."""
    topic = f', topic {recording.topic}' if hasattr(recording, 'topic') else ''
    lines = [f'{recording.path}: {summary["encoding"]}, {summary["width"]}x{summary["height"]}'
             f'{topic}']
    if not summary['n']:
        lines.append('no events')
    else:
        duration = summary['duration_us']
        lines += [f'{summary["n"]:,} events: {summary["n_on"]:,} brighter, '
                  f'{summary["n_off"]:,} darker',
                  f'{duration / 1e6:.6f} s, from {summary["t_first"]:,} to '
                  f'{summary["t_last"]:,} {summary["t_unit"]}',
                  f'{_rate(summary["n"] * 1e6 / (duration or 1))} in the mean; over time:']
        lines += _lines(rate)
    found = summary['triggers']
    ids = ', '.join(map(str, found['ids']))
    lines.append(f'triggers: {found["n"]:,} ({found["n_edge1"]:,} rising, {found["n_edge0"]:,} '
                 f'falling) of input {ids}' if found['n'] else 'triggers: none')
    faults = ', '.join(f'{cause} {count:,}' for cause, count in summary['faults'].items())
    lines.append(f'faults: {faults or "none"}')
    return '\n'.join(lines)


def _lines(rate: Rate) -> list[str]:
    """Draw the rate over time, some bins a line."""
    rate = rate.grouped(-(-len(rate.counts) // LINES))
    values = rate.per_second()
    return [f'{index * rate.bin_us / 1e6:14.6f} s {_rate(value):>12} '
            + '#' * round(LONGEST * value / values.max()) for index, value in enumerate(values)]


def _rate(value: float) -> str:
    return f'{value / 1e6:.2f} Mev/s' if value >= 0.995e6 else f'{value / 1e3:.2f} kev/s'


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='mfs-seg events', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('file', help='the recording: a file, or the folder of a rosbag2')
    parser.add_argument('--topic', default='', help='of event packets in a bag (default: the '
                        'first by name)')
    parser.add_argument('--size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
                        help='of the sensor, where the recording does not tell it')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write what was found there too')
    parser.add_argument('--picture', type=Path, metavar='FILE', help='draw it there (PNG, JPEG)')
    options = parser.parse_args(arguments)
    try:
        recording = open_recording(options.file, options.topic,
                                   options.size and tuple(options.size))
        summary, rate = summarise(recording)
        print(report(recording, summary, rate))
        if options.json:
            options.json.write_text(json.dumps(summary, indent=1) + '\n')
        if options.picture:
            write_picture(options.picture, recording, summary, rate)
    except (ValueError, OSError) as error:
        print(f'events: {error}', file=sys.stderr)
        return 1
    return 0


def write_picture(path: Path, recording: Recording, summary: dict, rate: Rate) -> None:
    """
    Draw a recording into a file.

    :raises ValueError: the file cannot be written, or OpenCV is not installed.
    """
    try:
        import cv2

        from mfs_seg_core.events.info.plot import draw
    except ModuleNotFoundError:
        raise ValueError('--picture needs OpenCV: pip install "mfs_seg_ros[events]"') from None
    picture = draw(recording, summary, rate)
    try:
        written = cv2.imwrite(str(path), picture)
    except cv2.error:
        written = False
    if not written:
        raise ValueError(f'{path} cannot be written: give a file .png or .jpg in a folder that '
                         'exists')


if __name__ == '__main__':
    sys.exit(main())
