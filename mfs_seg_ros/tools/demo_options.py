# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of the demo."""

from __future__ import annotations

import argparse
from pathlib import Path

from mfs_seg_core.sources.street import STREET
from mfs_seg_core.streaming.backend import BACKENDS
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.view.program import PLACES
from mfs_seg_ros.tools.argument_types import positive

DEFAULT_SECONDS = 20.0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog='demo',
        description='Run a spiking network on a camera, an event camera or both, over ROS 2.')
    parser.add_argument(
        '--input', default=STREET, metavar='PATH',
        help='folder of images, CamVid folder, video, recording of an event camera, or bag '
             '(default: street, procedural)')
    parser.add_argument(
        '--sensors', choices=list(SENSORS), default='camera',
        help='sensors to play and to segment; fusion: both (default: camera)')
    parser.add_argument(
        '--seconds', type=positive, default=None,
        help='length (default: 20 for street, else to the end of the input)')
    parser.add_argument(
        '--weights', default=None,
        help='name of shipped weights or a file (default: street_lite for street and with '
             'events, else camvid_lite)')
    parser.add_argument(
        '--backend', choices=BACKENDS, default='auto',
        help='backend of the network; auto: native where it can run, else torch (default: auto)')
    parser.add_argument(
        '--output', type=Path, default=Path('out/demo'), metavar='DIR', help='default: out/demo')
    parser.add_argument(
        '--rate', type=positive, default=0.0,
        help="frames per second (default: the input's own; street 20)")
    parser.add_argument('--seed', type=int, default=0, help='seed of street (default: 0)')
    parser.add_argument(
        '--size', type=int, nargs=2, default=(0, 0), metavar=('WIDTH', 'HEIGHT'),
        help='input size of the network; smaller is quicker (default: that of the weights)')
    view = parser.add_argument_group("live view, of the extra 'view'")
    view.add_argument(
        '--live', nargs='?', choices=PLACES, const=PLACES[0], default='', metavar='PLACE',
        help="show sensors, masks, firing rates and latency while the demo runs: 'web', a page "
             "for browsers, until Ctrl-C where this is a terminal; or 'window' (default: web)")
    view.add_argument(
        '--record', type=Path, metavar='FILE',
        help='record the live view to a file of the kind .rrd')
    recordings = parser.add_argument_group('what to read of a recording')
    recordings.add_argument(
        '--image-topic', default='', metavar='TOPIC',
        help='images of a bag (default: chosen by type and name)')
    recordings.add_argument(
        '--events-topic', default='', metavar='TOPIC',
        help='events of a bag, or their name in an HDF5 file (default: the first by name)')
    recordings.add_argument(
        '--sensor-size', type=int, nargs=2, default=(0, 0), metavar=('WIDTH', 'HEIGHT'),
        help='size of the event sensor, for recordings that do not state it')
    recordings.add_argument(
        '--columns', default='', metavar='NAMES',
        help="order of the columns of events as text or arrays, for example 'x,y,p,t' (default: "
             'found in the recording)')
    recordings.add_argument(
        '--unit', choices=('s', 'ms', 'us', 'ns'), default='',
        help='unit of their times (default: found in the recording)')
    options = parser.parse_args(arguments)
    if options.seconds is None:
        options.seconds = DEFAULT_SECONDS if options.input == STREET else 0.0
    if options.weights is None:
        options.weights = (
            'camvid_lite' if options.input != STREET and options.sensors == 'camera'
            else 'street_lite')
    return options
