# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
``mfs-seg benchmark node-events``: measure the node under events of a camera, on one core.

A process publishes EventPackets (EVT3, 1280x720) to a segmenter that is pinned to one core. The
counts come from /diagnostics, the processor time from the kernel.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mfs_seg_ros.benchmark.listener import MASK, Listener, wait, wait_for_report
from mfs_seg_ros.benchmark.session import measure, parser, pinned, ros
from mfs_seg_ros.diagnostics.process_info import cpu_s
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.tools.argument_types import positive
from mfs_seg_ros.tools.camera_diagnostics import PACKET_CAUSES
from mfs_seg_ros.tools.processes import ChildFailed, Children

TIMES = ('model_time_ms', 'decode_time_ms')
# For the last masks; the last events become a step after a second without more of them.
DRAIN_S = 2.0


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 0, or 1 after an error message."""
    options = parser('mfs-seg benchmark node-events', __doc__)
    options.add_argument('--rate', type=positive, default=20.0, help='million events a second')
    return measure(run, text, options.parse_args(arguments))


def run(children: Children, folder: Path, options: argparse.Namespace, stop: Stop
        ) -> dict[str, str | int | float]:
    """
    Measure a segmenter under a load of events.

    :param children: where the processes are started.
    :param folder: folder for the counts of the load.
    :param options: the command line.
    :param stop: set when the program is to stop.
    :returns: the figures by name.
    :raises ChildFailed: when a process fails, or no mask arrives while the load runs.
    """
    counts_file = folder / 'sent.json'
    with pinned(options.core):
        children.start('segmenter', 'mfs_seg_ros.segmenter', {
            'weights': options.weights, 'backend': options.backend, 'sensors': 'events',
            'threads': 1}, {'~/events': 'event_camera/events'})
    with ros():
        listener = Listener(stop, TIMES)
        wait(listener, children, lambda: listener.count_publishers(MASK), 'segmenter')
        children.start('load', 'mfs_seg_ros.tools.event_generator', {
            'rate': options.rate, 'seconds': options.seconds, 'counts_file': str(counts_file)})
        wait(listener, children, lambda: listener.latencies_ms, 'segmenter')
        begin, used_s = time.monotonic(), cpu_s(children.pid('segmenter'))
        masks, passed_s = len(listener.latencies_ms), 0.0
        while not children.ended('load'):
            children.check_running('segmenter')
            listener.listen(0.2)
            passed_s = time.monotonic() - begin
            cpu_share = (cpu_s(children.pid('segmenter')) - used_s) / passed_s
            masks_per_s = (len(listener.latencies_ms) - masks) / passed_s
        if not passed_s:
            raise ChildFailed('the load ended before the first mask: give more --seconds, or a '
                              'lower --rate')
        # Masks after the end of the load do not count for the rate.
        listener.listen(DRAIN_S)
        wait_for_report(listener, children)
        children.stop('segmenter')
        listener.destroy_node()
    sent = json.loads(counts_file.read_text())
    events, packets, seconds = sent['events_sent'], sent['packets_sent'], sent['seconds']
    without_mask = listener.without_mask(PACKET_CAUSES)
    return {
        'weights': options.weights,
        'backend': listener.node_value('backend'),
        'events_sent': events,
        'sent_mev_s': events / seconds / 1e6,
        'packets_sent': packets,
        'packets_lost': without_mask,
        'events_decoded': round(events * (packets - without_mask) / packets),
        'masks_per_s': masks_per_s,
        'node_cpu_s_per_s': cpu_share,
        'decode_ms_p50': float(np.median(listener.times_ms['decode_time_ms'])),
        'model_ms_p50': float(np.median(listener.times_ms['model_time_ms'])),
        'latency_ms_p50': float(np.median(listener.latencies_ms)),
        'latency_ms_p99': float(np.percentile(listener.latencies_ms, 99)),
        'load_1min': os.getloadavg()[0],
    }


def text(figures: Mapping[str, str | int | float]) -> str:
    """Return the figures as lines of name and value."""
    return '\n'.join(f'{name:<24} {value:>16.3f}' if isinstance(value, float) else
                     f'{name:<24} {value:>16}' for name, value in figures.items())


if __name__ == '__main__':
    sys.exit(main())
