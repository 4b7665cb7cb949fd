# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
``python -m mfs_seg_ros.benchmark``: measure the node under events of a camera, on one core.

A process publishes EventPackets (EVT3, 1280x720) to a segmenter that is pinned to one core. The
counts come from /diagnostics, the processor time from the kernel.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import rclpy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from std_msgs.msg import Float32

from mfs_seg_core.util.files import write_json
from mfs_seg_ros.diagnostics.process_info import cpu_s
from mfs_seg_ros.messages.images import stamp_ns
from mfs_seg_ros.node.fastdds_environment import local_environment
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.tools.argument_types import positive
from mfs_seg_ros.tools.camera_diagnostics import PACKET_CAUSES, CameraDiagnostics
from mfs_seg_ros.tools.processes import ChildFailed, Children

MASK = 'mfs_seg/mask'
TIMES = ('model_time_ms', 'decode_time_ms')
START_S = 120.0
POLL_S = 0.1
# For the last masks; the last events become a step after a second without more of them.
DRAIN_S = 2.0


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 0, or 1 after an error message."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_ros.benchmark', description=__doc__)
    parser.add_argument('--weights', default='street', help='name of shipped weights or a file')
    parser.add_argument('--rate', type=positive, default=20.0, help='million events a second')
    parser.add_argument('--seconds', type=positive, default=10.0)
    parser.add_argument('--core', type=int, default=max(os.sched_getaffinity(0)),
                        help='of the node (default: the last)')
    parser.add_argument('--json', type=Path, default=None, metavar='FILE')
    options = parser.parse_args(arguments)
    stop = Stop()
    stop.catch_signals()
    environment = local_environment()
    os.environ.update(environment)
    try:
        with (tempfile.TemporaryDirectory() as folder,
              Children(Path(folder), environment) as children):
            figures = run(children, Path(folder) / 'sent.json', options, stop)
    except (ChildFailed, OSError) as error:
        print(f'The benchmark ended early: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for name, value in figures.items():
        print(f'{name:<24} {value:>16}' if isinstance(value, (str, int)) else
              f'{name:<24} {value:>16.3f}')
    if options.json:
        write_json(options.json, figures)
    return 0


class Listener(CameraDiagnostics):
    """
    Subscribes to the masks and times of a segmenter, too.

    :param stop: set when the program is to stop.
    """

    def __init__(self, stop: Stop) -> None:
        super().__init__('benchmark')
        self._stop = stop
        self.latencies_ms: list[float] = []
        self.times_ms: dict[str, list[float]] = {name: [] for name in TIMES}
        self.create_subscription(Image, MASK, self._on_mask, 10)
        for name in TIMES:
            self.create_subscription(
                Float32, f'mfs_seg/debug/{name}', partial(self._on_time, name), 50)

    def listen(self, seconds: float) -> None:
        """
        Receive messages for this time.

        :param seconds: duration in seconds.
        :raises KeyboardInterrupt: the program is to stop.
        """
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0.0:
            super().listen(min(left_s, POLL_S))
            # Not raised by the handler of the signal: callbacks from C would ignore it.
            if self._stop.is_set():
                raise KeyboardInterrupt

    def _on_mask(self, mask: Image) -> None:
        self.latencies_ms.append((self.get_clock().now().nanoseconds - stamp_ns(mask)) / 1e6)

    def _on_time(self, name: str, message: Float32) -> None:
        self.times_ms[name].append(message.data)


def run(
    children: Children, counts_file: Path, options: argparse.Namespace, stop: Stop
) -> dict[str, str | int | float]:
    """
    Measure a segmenter under a load of events.

    :param children: where the processes are started.
    :param counts_file: file of the load's counts.
    :param options: the command line.
    :param stop: set when the program is to stop.
    :returns: the figures by name.
    :raises ChildFailed: when a process fails.
    """
    cores = os.sched_getaffinity(0)
    if options.core not in cores:
        raise ChildFailed(f'there is no core {options.core}: give one of {sorted(cores)}.')
    # A child has the cores of its parent, in all its threads.
    os.sched_setaffinity(0, {options.core})
    children.start('segmenter', 'mfs_seg_ros.segmenter', {
        'weights': options.weights, 'sensors': 'events', 'threads': 1},
        {'~/events': 'event_camera/events'})
    others = cores - {options.core} or cores
    os.sched_setaffinity(0, others)
    # Its handlers would stop this process before its children.
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        listener = Listener(stop)
        wait(listener, children, lambda: listener.count_publishers(MASK), 'segmenter')
        children.start('load', 'mfs_seg_ros.tools.event_generator', {
            'rate': options.rate, 'seconds': options.seconds, 'counts_file': str(counts_file)})
        wait(listener, children, lambda: listener.latencies_ms, 'segmenter')
        begin, used_s = time.monotonic(), cpu_s(children.pid('segmenter'))
        masks = len(listener.latencies_ms)
        while not children.ended('load'):
            children.check_running('segmenter')
            listener.listen(0.2)
            passed_s = time.monotonic() - begin
            cpu_share = (cpu_s(children.pid('segmenter')) - used_s) / passed_s
            masks_per_s = (len(listener.latencies_ms) - masks) / passed_s
        # Masks after the end of the load do not count for the rate.
        listener.listen(DRAIN_S)
        wait_for_report(listener, children)
        children.stop('segmenter')
        listener.destroy_node()
    finally:
        rclpy.shutdown()
    sent = json.loads(counts_file.read_text())
    events, packets, seconds = sent['events_sent'], sent['packets_sent'], sent['seconds']
    without_mask = listener.without_mask(PACKET_CAUSES)
    return {
        'weights': options.weights,
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


def wait(listener: Listener, children: Children, ready, *running: str) -> None:
    """Wait until something is ready; raises ChildFailed when a process ends or it takes long."""
    end = time.monotonic() + START_S
    while not ready():
        children.check_running(*running)
        if time.monotonic() > end:
            raise ChildFailed(f'the segmenter published nothing within {START_S:.0f} s.')
        listener.listen(0.1)


def wait_for_report(listener: Listener, children: Children) -> None:
    """Wait for the next report of the segmenter, which counts all messages before it."""
    reports = listener.reports
    wait(listener, children, lambda: listener.reports > reports, 'segmenter')


if __name__ == '__main__':
    sys.exit(main())
