# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
``mfs-seg benchmark node``: measure the stages of a frame in the node, on one core.

Images of a camera (rgb8) are published to a segmenter in its own process, which is pinned to one
core; this process publishes and receives on the others. Times of the stages are processor times;
'receive' is that of the middleware and the executor, with the node's reports. The latency is from
the stamp of an image, before it is published, to the receipt of its mask.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from mfs_seg_core.data.street import Street
from mfs_seg_core.util.table import text_table
from mfs_seg_ros.benchmark.listener import MASK, Listener, wait
from mfs_seg_ros.benchmark.session import measure, parser, pinned, ros
from mfs_seg_ros.benchmark.timed_segmenter import (
    BACKEND,
    CONVERT,
    FILE,
    NETWORK,
    OTHER,
    PUBLISH,
    RECEIVE,
    RESIZE,
)
from mfs_seg_ros.benchmark.timed_segmenter import MASK as MASK_STAGE
from mfs_seg_ros.messages.images import image_message
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.tools.argument_types import positive
from mfs_seg_ros.tools.processes import ChildFailed, Children

STAGES = RECEIVE, CONVERT, RESIZE, NETWORK, MASK_STAGE, PUBLISH, OTHER
BUT_NETWORK = 'all but the network'
IMAGE = 'camera/image_raw'
FRAMES, PERIOD_S = 20, 0.05
# Frames before the measurement.
WARM_UP = 20
DRAIN_S = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 0, or 1 after an error message."""
    options = parser('mfs-seg benchmark node', __doc__)
    options.add_argument('--size', type=int, nargs=2, default=(640, 480),
                         metavar=('WIDTH', 'HEIGHT'), help='of the images (default: 640 480)')
    options.add_argument('--rate', type=positive, default=20.0, help='images a second')
    return measure(run, text, options.parse_args(arguments))


def run(children: Children, folder: Path, options: argparse.Namespace, stop: Stop
        ) -> dict[str, Any]:
    """
    Measure a segmenter of images.

    :param children: where the processes are started.
    :param folder: folder for the times of the segmenter.
    :param options: the command line.
    :param stop: set when the program is to stop.
    :returns: the figures by name.
    :raises ChildFailed: when a process fails or no mask arrives.
    """
    file = folder / 'times.json'
    with pinned(options.core):
        children.start('segmenter', 'mfs_seg_ros.benchmark.timed_segmenter', {
            'weights': options.weights, 'backend': options.backend, 'sensors': 'camera',
            'threads': 1}, {'~/image': IMAGE}, {FILE: str(file), BACKEND: options.backend})
    with ros():
        listener = Listener(stop)
        wait(listener, children, lambda: listener.count_publishers(MASK)
             and listener.count_subscribers(IMAGE), 'segmenter')
        sent = publish(listener, children, options)
        listener.listen(DRAIN_S)
        children.stop('segmenter')
        listener.destroy_node()
    frames = [frame for frame in json.loads(file.read_text())[WARM_UP:]
              if frame['stamp_ns'] in listener.masks_ns]
    if not frames:
        raise ChildFailed('too few masks were received: give more --seconds.')
    latency_ms = np.array([listener.masks_ns[frame['stamp_ns']] / 1e6 for frame in frames])
    stages_ms = {stage: [frame['stages_ms'].get(stage, 0.0) for frame in frames]
                 for stage in STAGES}
    stages_ms[BUT_NETWORK] = np.sum(
        [times for stage, times in stages_ms.items() if stage != NETWORK], 0)
    return {
        'weights': options.weights, 'backend': listener.node_value('backend'),
        'image_size': list(options.size), 'rate_hz': options.rate,
        'frames_sent': sent, 'masks_received': len(listener.masks_ns),
        'frames_measured': len(frames),
        'stages_ms': {stage: quantiles(times) for stage, times in stages_ms.items()},
        'latency_ms': quantiles(latency_ms),
        'latency_minus_network_ms': quantiles(
            latency_ms - [frame['network_ms'] for frame in frames]),
        'load_1min': os.getloadavg()[0],
    }


def publish(listener: Listener, children: Children, options: argparse.Namespace) -> int:
    """Publish images at the rate of the options, and receive masks; return the number of images."""
    street = Street(0, *options.size)
    messages = [image_message(street.frame(index * PERIOD_S).image, 'rgb8', Header())
                for index in range(FRAMES)]
    publisher = listener.create_publisher(Image, IMAGE, 10)
    wait(listener, children, publisher.get_subscription_count, 'segmenter')
    count = WARM_UP + round(options.seconds * options.rate)
    start_s = time.monotonic()
    for index, message in zip(range(count), cycle(messages)):
        listener.listen(start_s + index / options.rate - time.monotonic())
        children.check_running('segmenter')
        message.header.stamp = listener.get_clock().now().to_msg()
        publisher.publish(message)
    return count


def quantiles(times_ms: Any) -> dict[str, float]:
    """Return median and 99th percentile."""
    p50, p99 = np.percentile(times_ms, (50, 99))
    return {'p50': float(p50), 'p99': float(p99)}


def text(figures: Mapping[str, Any]) -> str:
    """Return the figures as a table."""
    width, height = figures['image_size']
    rows = {**figures['stages_ms'], 'stamp to mask': figures['latency_ms'],
            'stamp to mask minus network': figures['latency_minus_network_ms']}
    return '\n'.join([
        f"weights '{figures['weights']}', backend {figures['backend']}, images of "
        f"{width}x{height} at {figures['rate_hz']:g} Hz, masks of {figures['frames_measured']} of "
        f"{figures['frames_sent'] - WARM_UP} frames",
        text_table([('ms', 'p50', 'p99'), *(
            (name, f'{value["p50"]:.2f}', f'{value["p99"]:.2f}')
            for name, value in rows.items())])])


if __name__ == '__main__':
    sys.exit(main())
