# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
``python -m mfs_seg_ros.demo``: a player, the segmenter and a recorder, each in its own process.

With --live or --record, a viewer too.

They communicate over ROS 2. At the end the demo prints one table, and the output folder holds
summary.json, overlay.mp4, contact_sheet.png, recording.json (also per class) and the logs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions

from mfs_seg_core.sources.report import MAX_BAD_SHARE
from mfs_seg_core.util.files import write_json
from mfs_seg_core.view.program import PORT, WEB_PORT, free_port, page_url
from mfs_seg_ros.diagnostics.drops import IMAGES_DROPPED
from mfs_seg_ros.node.fastdds_environment import local_environment
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.tools.camera_diagnostics import PACKET_CAUSES, CameraDiagnostics
from mfs_seg_ros.tools.demo_options import parse
from mfs_seg_ros.tools.demo_report import Progress, table
from mfs_seg_ros.tools.processes import ChildFailed, Children

POLL_S = 0.1
START_S = 120.0
# After the player has ended, wait until no mask has arrived for this time. The last events become
# a step after a second (max_gap) without more of them.
DRAIN_S = 2.5
# The first mask takes longer, above all on a busy machine.
FIRST_S = 20.0
# Segmenter and recorder: the player starts when both subscribe, so that none misses a message.
SUBSCRIBERS = 2
EVENT_WINDOW_S = 0.05
# With smaller packets the three processes spend more time on messages than on events.
PACKET_MS = 10
RESULTS = ('summary.json', 'overlay.mp4', 'contact_sheet.png', 'recording.json')
MEASURED = (
    'masks_received', 'rate_hz', 'latency_ms_p50', 'latency_ms_p99', 'model_ms_p50', 'miou', 'rmw')
SENT = ('skipped', 'first_skipped', 'bad_share', 'warnings')
MEASURED_OF_EVENTS = ('events_received', 'event_rate_mev_s', 'decode_ms_p50')


class Interrupted(Exception):
    """A signal asked the demo to stop."""


def main(arguments: list[str] | None = None) -> int:
    """
    Run the demo.

    :param arguments: the command line; None: that of the process.
    :returns: 0 when masks were received, 1 on failure or when ``MAX_BAD_SHARE`` of the input
        could not be read, 130 when interrupted.
    """
    options = parse(arguments)
    interrupted = Stop()
    interrupted.catch_signals()
    signal.signal(signal.SIGHUP, lambda *_: interrupted.set())
    try:
        summary, recording = run(options, interrupted)
    except Interrupted:
        print('\nStopped.', file=sys.stderr)
        return 130
    except (ChildFailed, OSError, ValueError) as error:
        print(f'\nThe demo ended early: {error}', file=sys.stderr)
        return 1
    print(table(summary, recording))
    if count := summary['masks_lost']:
        inputs = 'windows of events' if options.sensors == 'events' else 'frames'
        print(f'{count} {inputs} have no mask: newer ones arrived before the segmenter was free.')
    for sentence in summary['warnings']:
        print(sentence)
    print(f"In '{options.output}': {', '.join(RESULTS)}")
    return 0 if summary['bad_share'] < MAX_BAD_SHARE else 1


def run(
    options: argparse.Namespace, interrupted: Stop
) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Start the processes and wait for their end.

    :param options: the command line.
    :param interrupted: set when the demo is to stop.
    :returns: the contents of summary.json and of recording.json.
    :raises ChildFailed: when a process fails or no mask arrives.
    """
    options.output.mkdir(parents=True, exist_ok=True)
    counts_file = options.output / 'log' / 'sent.json'
    for path in (counts_file, *(options.output / name for name in RESULTS)):
        path.unlink(missing_ok=True)
    environment = local_environment()
    os.environ.update(environment)
    with (Children(options.output / 'log', environment) as children,
          diagnostics() as counts):
        children.start('segmenter', 'mfs_seg_ros.segmenter', {
            'weights': options.weights, 'sensors': options.sensors, 'backend': options.backend,
            'event_window': EVENT_WINDOW_S, 'input_width': options.size[0],
            'input_height': options.size[1]},
            {'~/image': 'camera/image_raw', '~/events': 'event_camera/events'})
        children.start('recorder', 'mfs_seg_ros.recorder', {
            'output': str(options.output), 'sensors': options.sensors,
            'event_window': EVENT_WINDOW_S,
            'title': f'{Path(options.input).name}   weights {Path(options.weights).stem}'})
        viewed = bool(options.live or options.record)
        if viewed:
            start_viewer(children, options)
        children.start('player', 'mfs_seg_ros.player', {
            'input': options.input, 'sensors': options.sensors, 'seconds': options.seconds,
            'rate': options.rate, 'seed': options.seed, 'wait_for': SUBSCRIBERS + viewed,
            'packet_ms': PACKET_MS, 'counts_file': str(counts_file),
            'bag_image_topic': options.image_topic, 'bag_event_topic': options.events_topic,
            'sensor_width': options.sensor_size[0], 'sensor_height': options.sensor_size[1],
            'columns': options.columns, 'unit': options.unit})
        sent = follow(children, counts, counts_file, interrupted, options.sensors)
        children.stop('recorder')
        children.stop('segmenter')
        packets_lost = counts.without_mask(PACKET_CAUSES)
        if options.live and sys.stdin.isatty():
            print('The view stays until Ctrl-C.')
            while not interrupted.is_set():
                time.sleep(POLL_S)
        if viewed:
            children.stop('viewer')
    recording = json.loads((options.output / 'recording.json').read_text())
    if not recording['masks_received']:
        what = 'events' if options.sensors == 'events' else 'frames'
        raise ChildFailed(f"no mask was received: either no {what} were in the input, or see "
                          f"'{options.output / 'log'}'.")
    frames = sent['frames_sent']
    summary = {'frames_sent': frames, **{key: recording[key] for key in MEASURED},
               'weights': options.weights, 'sensors': options.sensors,
               'backend': counts.node_value('backend'),
               'masks_lost': masks_lost(options.sensors, frames, recording),
               **{key: sent[key] for key in SENT}}
    if options.sensors != 'camera':
        summary |= {key: recording[key] for key in MEASURED_OF_EVENTS}
        summary['packets_lost'] = packets_lost
        rejected = recording['events_rejected']
        if rejected and not sent['events_rejected']:
            summary['warnings'].append(f'{rejected}.')
    write_json(options.output / 'summary.json', summary)
    return summary, recording


def start_viewer(children: Children, options: argparse.Namespace) -> None:
    """Start the node that shows or records the live view, and print the address of its page."""
    port = free_port(PORT)
    web_port = free_port(WEB_PORT, port)
    children.start('viewer', 'mfs_seg_ros.viewer', {
        'show': options.live, 'record': str(options.record or ''), 'sensors': options.sensors,
        'event_window': EVENT_WINDOW_S, 'port': port, 'web_port': web_port})
    if options.live == 'web':
        print(f'Live view: {page_url(port, web_port)}', flush=True)


def masks_lost(sensors: str, frames: int, recording: dict[str, Any]) -> int:
    """Return the number of frames, or of windows of events alone, that got no mask."""
    expected, found = {
        'camera': (frames, recording['masks_received']),
        # There are masks of events too, between those of frames.
        'fusion': (frames, recording['masks_of_images']),
        'events': (recording.get('event_windows', 0), recording['masks_received']),
    }[sensors]
    return max(0, expected - found)


@contextmanager
def diagnostics() -> Iterator[CameraDiagnostics]:
    """Subscribe to the segmenter's diagnostics while the context is open."""
    # The demo ends its processes in order: its own signal handlers stay.
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    counts = CameraDiagnostics('demo')
    try:
        yield counts
    finally:
        counts.destroy_node()
        rclpy.shutdown()


def follow(
    children: Children, counts: CameraDiagnostics, counts_file: Path,
    interrupted: Stop, sensors: str,
) -> dict[str, Any]:
    """
    Show progress until the player has ended and all masks are published.

    :param children: the processes.
    :param counts: counts of the segmenter, once a second.
    :param counts_file: file of the player's counts.
    :param interrupted: set when the demo is to stop.
    :param sensors: 'camera', 'events' or 'fusion'.
    :returns: counts of the player.
    :raises ChildFailed: when a process fails or nothing arrives.
    :raises Interrupted: when ``interrupted`` is set.
    """
    received = f"{'event packets' if sensors == 'events' else 'images'} received"
    progress = Progress('packets of events' if sensors == 'events' else 'frames')
    began = changed = time.monotonic()
    seen = masks = 0
    sent = None
    while not interrupted.is_set():
        counts.listen(POLL_S)
        now = time.monotonic()
        children.check_running(*(name for name in children.names if name != 'player'))
        if sent is None and player_ended(children, counts_file):
            sent = json.loads(counts_file.read_text())
            changed = now
        before = seen, masks
        seen, masks = counts.count(received), counts.count('masks published')
        if (seen, masks) != before:
            changed = now
        complete = (sensors == 'camera' and sent is not None
                    and masks + counts.without_mask([IMAGES_DROPPED]) >= sent['frames_sent'])
        patience_s = DRAIN_S if masks else FIRST_S
        if sent is not None and (complete or now - changed > patience_s):
            progress.end(seen, masks)
            return sent
        if not seen and now - began > START_S:
            raise ChildFailed(
                f'nothing arrived within {START_S:.0f} s: is the loopback interface up, and '
                'does the profile of FASTDDS_DEFAULT_PROFILES_FILE allow it?'
            )
        progress.show(seen, masks)
    raise Interrupted


def player_ended(children: Children, counts_file: Path) -> bool:
    """Return whether the player has sent all; raises ChildFailed if it could not."""
    try:
        return children.ended('player')
    except ChildFailed:
        # It ends with an error too when much of its input was bad.
        if counts_file.exists():
            return True
        raise


if __name__ == '__main__':
    sys.exit(main())
