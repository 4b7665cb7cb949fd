# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Label recordings: masks, videos, bags and figures of each input.

``mfs-seg segment drive.mp4 --weights street --output out/labelled``
``mfs-seg segment bags/* --weights street --output out/labelled --bag --jobs 2``

An INPUT is an image, a folder of images, a video, a bag of ROS 1 or ROS 2, a recording of an event
camera, a folder of these, a camera device (/dev/video0, or 0; Ctrl-C ends it), or 'street'. Its
results are in a folder of its name in DIR. The same command again continues after an interruption,
and leaves out inputs whose results are there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.segment.inputs import expanded, result_names
from mfs_seg_core.segment.jobs import in_processes, in_turn, parse_shard
from mfs_seg_core.segment.run import Outcome
from mfs_seg_core.segment.settings import OUTPUTS, Job, SegmentSettings
from mfs_seg_core.segment.shown import live_view
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.view.program import PLACES
from mfs_seg_core.weights.header import find_weights, read_header

ONE_SHARD = '1/1'
DEFAULT_OUTPUTS = ('masks', 'overlay')


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg segment``; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        jobs = _jobs(options)
        if options.ray is not None:
            from mfs_seg_core.segment.ray_jobs import on_ray
            outcomes = on_ray(jobs, options.ray, options.jobs)
        elif options.jobs > 1 and len(jobs) > 1:
            outcomes = in_processes(jobs, min(options.jobs, len(jobs)))
        else:
            with live_view(options.live or '', options.record, jobs) as observer:
                return _report(in_turn(jobs, observer), options.output)
        return _report(outcomes, options.output)
    except (ValueError, OSError) as error:
        print(f'segment: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('segment: interrupted: the same command continues', file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='mfs-seg segment', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('inputs', nargs='+', metavar='INPUT')
    parser.add_argument('--weights', required=True, help='name or path')
    parser.add_argument('--output', type=Path, required=True, metavar='DIR',
                        help="folder of the results, one folder for each input's")
    wanted = parser.add_argument_group('outputs (default: --masks --overlay)')
    wanted.add_argument('--masks', action='store_true',
                        help='PNG of class ids, with the palette, for each mask')
    wanted.add_argument('--confidence', action='store_true', help='grey PNG for each mask')
    wanted.add_argument('--overlay', action='store_true', help='video of masks over the images')
    wanted.add_argument('--bag', action='store_true',
                        help='rosbag2 (MCAP) of the input with masks, confidences and class names')
    wanted.add_argument('--figures', action='store_true',
                        help='summary.json and shares.csv alone, which are always written')
    reading = parser.add_argument_group('reading')
    reading.add_argument('--sensors', choices=SENSORS,
                         help='default: camera, or events where there are no images')
    reading.add_argument('--rate', type=float, default=0.0, metavar='HZ',
                         help='images per second of a folder (default: 15)')
    reading.add_argument('--frames', type=int, default=0, metavar='N',
                         help='most masks of an input (default: all)')
    reading.add_argument('--seed', type=int, default=0, help='seed of street')
    for name in ('image', 'label', 'event'):
        reading.add_argument(f'--{name}-topic', default='', metavar='TOPIC',
                             help=f"topic of a bag's {name}s (default: chosen by type and name)")
    reading.add_argument('--sensor-size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
                         help='size of the event sensor, where the recording lacks it')
    network = parser.add_argument_group('network')
    network.add_argument('--backend', choices=('auto', 'native', 'torch'), default='auto')
    network.add_argument('--window', type=float, default=0.05, metavar='SECONDS',
                         help='duration of a step of events alone (default: %(default)s)')
    network.add_argument('--max-gap', type=float, default=1.0, metavar='SECONDS',
                         help='a longer gap between two steps resets the state '
                              '(default: %(default)s)')
    network.add_argument('--class-groups', default='', metavar='GROUPS',
                         help='masks of groups of classes: shipped name or YAML file')
    view = parser.add_argument_group('live view (extra view)')
    view.add_argument('--live', nargs='?', const='web', choices=PLACES,
                      help="show sensors, masks, firing rates and times meanwhile: 'web' (the "
                           "default), a page for browsers, or 'window'")
    view.add_argument('--record', type=Path, metavar='FILE', help='record them to FILE.rrd')
    many = parser.add_argument_group('many inputs')
    many.add_argument('--jobs', type=int, default=1, metavar='N',
                      help='processes on this machine (default: %(default)s)')
    many.add_argument('--ray', nargs='?', const='', metavar='ADDRESS',
                      help='run a task of Ray for each input on the cluster of ADDRESS or '
                           'RAY_ADDRESS, else on this machine with --jobs workers')
    many.add_argument('--shard', metavar='I/N', default=ONE_SHARD,
                      help='only part I of N parts of the inputs, for job arrays')
    return parser


def _jobs(options: argparse.Namespace) -> list[Job]:
    """Return the inputs of this call; raise ValueError for options that cannot be used."""
    for name, value, least in (('frames', options.frames, 0), ('jobs', options.jobs, 1)):
        if value < least:
            raise ValueError(f'--{name} is {value}: give {least} or more')
    for name, value in (('window', options.window), ('max-gap', options.max_gap)):
        if not 0.001 <= value < 1e6:
            raise ValueError(f'--{name} is {value}: give seconds, 0.001 or more')
    if not 0 <= options.rate < 1e6:
        raise ValueError(f'--rate is {options.rate}: give images per second')
    several = options.jobs > 1 or options.ray is not None or options.shard != ONE_SHARD
    if several and (options.live or options.record):
        raise ValueError('--live and --record show the inputs of one process: leave out --jobs, '
                         '--ray and --shard')
    # Wrong weights or groups are said once, not for each input.
    classes = read_header(find_weights(options.weights)).metadata.classes
    if options.class_groups:
        load_groups(options.class_groups, classes)
    chosen = tuple(name for name in OUTPUTS if getattr(options, name))
    settings = SegmentSettings(
        options.weights, chosen or (() if options.figures else DEFAULT_OUTPUTS),
        options.sensors or '', options.backend, options.window, options.max_gap, options.rate,
        options.frames, options.seed, options.image_topic, options.label_topic,
        options.event_topic, tuple(options.sensor_size) if options.sensor_size else None,
        options.class_groups)
    inputs = expanded(options.inputs)
    jobs = [Job(given, options.output / name, settings)
            for given, name in zip(inputs, result_names(inputs))]
    number, count = parse_shard(options.shard)
    return jobs[number - 1::count]


def _report(outcomes: Iterable[Outcome], output: Path) -> int:
    """Print a line for each input, and its remarks; return the exit code."""
    code = 0
    for outcome in outcomes:
        for remark in outcome.remarks:
            print(f'segment: {remark}', file=sys.stderr)
        if outcome.masks:
            truth = '' if outcome.miou is None else f', mIoU {outcome.miou:.3f}'
            masks = f'{outcome.masks} mask' + 's' * (outcome.masks > 1)
            print(f"'{outcome.input}': {masks}{truth}")
        code = code if outcome.complete else 1
    print(f"Results in '{output}'")
    return code


if __name__ == '__main__':
    sys.exit(main())
