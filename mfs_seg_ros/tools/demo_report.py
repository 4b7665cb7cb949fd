# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Progress and results of the demo as text."""

from __future__ import annotations

import sys
import time
from typing import Any

from mfs_seg_core.util.table import cell, text_table

LINE_S = 5.0


class Progress:
    """A line that is rewritten on a terminal; elsewhere, a new line every few seconds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._live = sys.stdout.isatty()
        self._began = self._shown = time.monotonic()

    def show(self, seen: int, masks: int) -> None:
        """Show the counts if the last line is old enough."""
        now = time.monotonic()
        if self._live or now - self._shown > LINE_S:
            self._shown = now
            self._print(seen, masks, '\r' if self._live else '\n')

    def end(self, seen: int, masks: int) -> None:
        """Show the last counts."""
        self._print(seen, masks, '\n')

    def _print(self, seen: int, masks: int, end: str) -> None:
        seconds = time.monotonic() - self._began
        state = f'{seen} {self._what} received, {masks} masks published' if seen else 'starting'
        # Wide enough to cover the line before.
        print(f'{seconds:6.1f} s  {state:<50}', end=end, flush=True)


def table(summary: dict[str, Any], recording: dict[str, Any]) -> str:
    """Lay out the figures as text: name, value and remark."""
    miou = summary['miou']
    events = [] if summary['sensors'] == 'camera' else [
        ('events received', str(summary['events_received'])),
        ('event rate', cell(summary['event_rate_mev_s'], '.3f'), 'million per second'),
        ('packets lost', str(summary['packets_lost'])),
        ('decode p50', cell(summary['decode_ms_p50'], '.2f'), 'ms, for the events of one mask'),
    ]
    lines = text_table([
        ('sensors', summary['sensors']),
        ('frames sent', str(summary['frames_sent'])),
        *events,
        ('masks received', str(summary['masks_received'])),
        ('masks lost', str(summary['masks_lost'])),
        ('rate', cell(summary['rate_hz'], '.2f'), 'Hz'),
        ('latency p50', cell(summary['latency_ms_p50'], '.1f'),
         'ms, header stamp to received mask'),
        ('latency p99', cell(summary['latency_ms_p99'], '.1f'), 'ms'),
        ('model p50', cell(summary['model_ms_p50'], '.1f'), 'ms'),
        ('mIoU', cell(miou, '.3f'), 'no truth in the input' if miou is None else ''),
        *((f'  {name}', cell(value, '.3f')) for name, value in recording['iou'].items()),
        ('rmw', summary['rmw']),
        ('weights', summary['weights']),
        ('backend', summary['backend']),
    ], '<><')
    rule = '-' * 70
    return '\n'.join([rule, lines, rule])
