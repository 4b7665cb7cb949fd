# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
``python -m mfs_seg_ros.soak``: check that memory, threads and latency of the node stay bounded.

A player sends frames to a segmenter; each is a process of its own. A line a second shows latencies
and the resources of the segmenter. The exit code is 1 when a resource grew, or when frames got no
mask and were not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mfs_seg_core.data.street import Street
from mfs_seg_ros.benchmark.events import DRAIN_S
from mfs_seg_ros.benchmark.listener import MASK, START_S, Listener, wait, wait_for_report
from mfs_seg_ros.benchmark.session import measure, ros
from mfs_seg_ros.diagnostics.process_info import ProcessState, process_state
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.tools.argument_types import positive
from mfs_seg_ros.tools.camera_diagnostics import IMAGE_CAUSES
from mfs_seg_ros.tools.processes import Children
from mfs_seg_ros.tools.trend import growth, slope

# Frames that are sent in a loop: rendered before, they cost the player no time.
FRAMES = 40
# Until the segmenter's buffers have their final size; at most a third of the time.
WARM_UP_S = 15.0
# Duration of the measurement of the node's highest rate of masks.
MEASURE_S = 5.0
# A starved node shares this core with busy loops. Not `nice`: where the kernel divides its time by
# sessions, that has an effect within a session only.
LAST_CORE = max(os.sched_getaffinity(0))
BUSY_LOOPS = 9
# File of the player's counts.
SENT = 'sent.json'
# Limits above the noise. The allocator takes memory in steps of up to a megabyte, about 2 in the
# first minute and fewer later; masks of 240x180 that leak at 20 Hz are 50 MB a minute. Only both
# limits together are a fault: a slow leak needs a run of ten minutes.
MAX_KB_MIN, MAX_GROWN_KB = 1000.0, 8000.0
# Their number is constant while frames arrive.
MAX_THREADS, MAX_HANDLES = 1, 2
# A queue would make this nearly the length of the run: newer frames do not wait for older ones.
# On a machine that left the node a tenth of a core it was up to 2.9 s.
MAX_LATENCY_MS = 10_000.0
# Share of frames that may be missing: best-effort transport does not report them.
MAX_UNACCOUNTED = 0.01


@dataclass
class Soak:
    """Measurements of a run: latencies of all masks, and the segmenter's state once a second."""

    latencies_ms: list[float] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    states: list[ProcessState] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> int:
    """Run the soak; return 0, or 1 after error messages."""
    parser = argparse.ArgumentParser(prog='soak', description=__doc__)
    parser.add_argument('--seconds', type=positive, default=600.0)
    parser.add_argument('--weights', default='street', help='name of shipped weights or a file')
    parser.add_argument('--rate', type=positive, default=20.0, help='frames a second')
    parser.add_argument('--overload', type=positive, default=0.0, metavar='FACTOR',
                        help="send frames at this multiple of the node's highest rate, which is "
                             'measured first')
    parser.add_argument('--starve', action='store_true',
                        help='leave the node a tenth of one core')
    parser.add_argument('--json', type=Path, default=None, metavar='FILE')
    options = parser.parse_args(arguments)
    return measure(run, text, options, 'soak', lambda figures: judged(figures, options.starve))


def text(figures: Mapping[str, Any]) -> str:
    """Return the figures as lines."""
    return '\n'.join(f'{name:<24} {value:>12.3f}' if isinstance(value, float) else
                     f'{name:<24} {value:>12}' for name, value in figures.items())


def run(children: Children, folder: Path, options: argparse.Namespace, stop: Stop
        ) -> dict[str, int | float]:
    """Measure, and return the figures; raise ChildFailed when a process fails."""
    save_frames(folder / 'frames')
    with ros():
        listener = Listener(stop)
        rate = options.rate
        if options.overload:
            start_segmenter(children, listener, options)
            capacity = measured_capacity(children, listener, folder)
            # Its counts are not part of the soak.
            children.stop('segmenter')
            wait(listener, children, lambda: not listener.count_publishers(MASK))
            rate = capacity * options.overload
            print(f'the node answers {capacity:.1f} frames a second; {rate:.0f} are sent')
        start_segmenter(children, listener, options)
        with busy_loops(options.seconds + START_S if options.starve else 0.0):
            soak, sent = soaked(children, listener, folder, rate, options.seconds)
        children.stop('segmenter')
        listener.destroy_node()
    return figures_of(soak, sent, listener.without_mask(IMAGE_CAUSES))


def start_segmenter(children: Children, listener: Listener, options: argparse.Namespace) -> None:
    """Start a segmenter, and wait until it publishes."""
    children.start('segmenter', 'mfs_seg_ros.segmenter', {
        'weights': options.weights, 'sensors': 'camera'}, {'~/image': 'camera/image_raw'})
    if options.starve:
        # Threads inherit the cores of the thread that starts them.
        os.sched_setaffinity(children.pid('segmenter'), {LAST_CORE})
    wait(listener, children, lambda: listener.count_publishers(MASK), 'segmenter')


def save_frames(folder: Path) -> None:
    """Save the frames of a drive, in a format that is quick to read."""
    folder.mkdir(parents=True)
    for index, frame in enumerate(islice(Street(0), FRAMES)):
        cv2.imwrite(str(folder / f'{index}.ppm'), cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))


def play(children: Children, folder: Path, seconds: float, rate: float) -> None:
    """Start a player of the frames; rate 0: as fast as it can."""
    children.start('player', 'mfs_seg_ros.player', {
        'input': str(folder / 'frames'), 'loop': True, 'seconds': seconds, 'rate': rate,
        'fast': not rate, 'wait_for': 1, 'counts_file': str(folder / SENT)})


def measured_capacity(children: Children, listener: Listener, folder: Path) -> float:
    """Return the rate of masks, in Hz, when a frame is always waiting."""
    play(children, folder, 0.0, 200.0)
    wait(listener, children, lambda: listener.latencies_ms, 'segmenter', 'player')
    listener.latencies_ms.clear()
    listener.listen(MEASURE_S)
    masks = len(listener.latencies_ms)
    children.stop('player')
    return max(masks, 1) / MEASURE_S


@contextmanager
def busy_loops(seconds: float) -> Iterator[None]:
    """Keep a core busy for at most this time; the loops end even if this process is killed."""
    loop = f'import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass'
    loops = [subprocess.Popen([sys.executable, '-c', loop], start_new_session=True)
             for _ in range(BUSY_LOOPS if seconds else 0)]
    for process in loops:
        os.sched_setaffinity(process.pid, {LAST_CORE})
    try:
        yield
    finally:
        for process in loops:
            process.kill()
            process.wait()


def soaked(children: Children, listener: Listener, folder: Path, rate: float, seconds: float
           ) -> tuple[Soak, int]:
    """Play for this time; return the measurements and the number of frames sent."""
    listener.latencies_ms.clear()
    play(children, folder, seconds, rate)
    wait(listener, children, lambda: listener.latencies_ms, 'segmenter', 'player')
    soak = Soak()
    begin, masks, cpu_s = time.monotonic(), 0, process_state(children.pid('segmenter')).cpu_s
    print('     s  masks  p50 ms  max ms    own kB  resident  threads  handles  cpu s')
    while not children.ended('player'):
        children.check_running('segmenter')
        listener.listen(1.0)
        state, now_s = process_state(children.pid('segmenter')), time.monotonic() - begin
        soak.times_s.append(now_s)
        soak.states.append(state)
        new, masks = listener.latencies_ms[masks:], len(listener.latencies_ms)
        print(f'{now_s:6.1f}  {len(new):5d}  {np.median(new) if new else 0.0:6.1f}  '
              f'{max(new, default=0.0):6.1f}  {state.own_kb:8d}  {state.resident_kb:8d}  '
              f'{state.threads:7d}  {state.handles:7d}  {state.cpu_s - cpu_s:5.2f}', flush=True)
        cpu_s = state.cpu_s
    listener.listen(DRAIN_S)
    wait_for_report(listener, children)
    soak.latencies_ms = listener.latencies_ms
    return soak, json.loads((folder / SENT).read_text())['frames_sent']


def figures_of(soak: Soak, sent: int, counted: int) -> dict[str, int | float]:
    """Return the figures; ``counted`` frames are counted by the node as without a mask."""
    warm_up_s = min(WARM_UP_S, soak.times_s[-1] / 3)
    later = [(time_s, state) for time_s, state in zip(soak.times_s, soak.states)
             if time_s >= warm_up_s]
    seconds = soak.times_s[-1]
    own_kb = [state.own_kb for _, state in later]
    return {
        'seconds': seconds,
        'frames_sent': sent,
        'masks': len(soak.latencies_ms),
        'counted_without_mask': counted,
        'unaccounted_frames': max(0, sent - len(soak.latencies_ms) - counted),
        'masks_per_s': len(soak.latencies_ms) / seconds,
        'latency_ms_p50': float(np.percentile(soak.latencies_ms, 50)),
        'latency_ms_p99': float(np.percentile(soak.latencies_ms, 99)),
        'latency_ms_max': max(soak.latencies_ms),
        'cpu_s_per_s': ((soak.states[-1].cpu_s - soak.states[0].cpu_s)
                        / max(soak.times_s[-1] - soak.times_s[0], 1e-9)),
        'memory_kb': soak.states[-1].own_kb,
        'memory_kb_per_min': 60 * slope([time_s for time_s, _ in later], own_kb),
        'memory_grown_kb': growth(own_kb),
        'threads': soak.states[-1].threads,
        'threads_grown': growth([state.threads for _, state in later]),
        'handles': soak.states[-1].handles,
        'handles_grown': growth([state.handles for _, state in later]),
    }


def judged(figures: dict[str, int | float], starved: bool = False) -> list[str]:
    """
    Return a sentence for each figure beyond its limit.

    A starved run has no limits of latency and unaccounted frames: it may lose most frames in the
    middleware, which does not report them, and the stamps of the others no longer tell the period.
    """
    wrong = []
    if figures['latency_ms_p99'] > MAX_LATENCY_MS and not starved:
        wrong.append(f"one mask of a hundred took {figures['latency_ms_p99']:.0f} ms or longer "
                     f'(limit {MAX_LATENCY_MS:.0f}).')
    if (figures['memory_kb_per_min'] > MAX_KB_MIN and figures['memory_grown_kb'] > MAX_GROWN_KB):
        wrong.append(f"the segmenter's memory grows by {figures['memory_kb_per_min']:.0f} kB a "
                     f'minute (limit {MAX_KB_MIN:.0f}).')
    for what, limit in (('threads', MAX_THREADS), ('handles', MAX_HANDLES)):
        if figures[f'{what}_grown'] >= limit:
            wrong.append(f"the segmenter's {what} grew by {figures[f'{what}_grown']:.0f} to "
                         f'{figures[what]}.')
    if (figures['unaccounted_frames'] > max(1, MAX_UNACCOUNTED * figures['frames_sent'])
            and not starved):
        wrong.append(f"{figures['unaccounted_frames']} of {figures['frames_sent']} frames got no "
                     'mask and were not counted.')
    return wrong


if __name__ == '__main__':
    sys.exit(main())
