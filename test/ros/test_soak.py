# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures and limits of the soak test, and the state of a process."""

import re
import subprocess
import sys

import numpy as np
import pytest

from mfs_seg_ros.diagnostics.process_info import ProcessState, process_state
from mfs_seg_ros.soak import Soak, figures_of, judged
from mfs_seg_ros.tools.trend import growth, slope


def test_slope_of_a_line_with_outliers():
    t = np.arange(60.0)
    values = 5 + 0.25 * t
    values[::7] = 1e6
    assert slope(t, values) == pytest.approx(0.25)
    assert slope([1.0], [2.0]) == slope([], []) == 0.0
    assert slope([1.0, 1.0], [2.0, 5.0]) == 0.0


def test_growth_is_that_of_medians():
    assert growth([3, 3, 3, 9, 4, 4, 5, 5, 100]) == 2.0
    assert growth([3]) == growth([]) == 0.0


def soaked(seconds: int, kb_min: float = 0.0, threads: float = 0.0, handles: float = 0.0,
           latency_ms: float = 30.0) -> Soak:
    """Return a soak whose memory grows in steps as an allocator's, with the given trends added."""
    noise = np.random.default_rng(0)
    soak = Soak()
    for second in range(1, seconds + 1):
        steps = 1000 * np.log2(1 + second / 10)
        soak.times_s.append(second + noise.normal(0, 0.01))
        soak.states.append(ProcessState(
            own_kb=round(280_000 + steps + kb_min * second / 60), resident_kb=450_000,
            threads=round(17 + threads * second / seconds),
            handles=round(19 + handles * second / seconds), cpu_s=0.5 * second))
        soak.latencies_ms += noise.normal(latency_ms, 0.1 * latency_ms, 20).tolist()
    return soak


@pytest.mark.parametrize('seconds', [60, 600])
def test_a_node_that_stays_as_it_is(seconds):
    figures = figures_of(soaked(seconds), 20 * seconds, 0)
    assert judged(figures) == []
    assert figures['masks_per_s'] == pytest.approx(20, rel=0.01)
    assert figures['latency_ms_p50'] == pytest.approx(30, abs=1)
    assert figures['cpu_s_per_s'] == pytest.approx(0.5, rel=0.01)
    assert figures['unaccounted_frames'] == 0


@pytest.mark.parametrize('seconds, changes, sentence', [
    (60, {'kb_min': 50_000}, 'memory grows by 5[0-9]{4} kB a minute'),
    (600, {'kb_min': 1500}, 'memory grows by [0-9]{4} kB a minute'),
    (60, {'threads': 4}, 'threads grew by'),
    (60, {'handles': 9}, 'handles grew by'),
    (60, {'latency_ms': 30_000}, 'one mask of a hundred took [0-9]{5} ms'),
])
def test_growth_is_reported(seconds, changes, sentence):
    wrong = judged(figures_of(soaked(seconds, **changes), 20 * seconds, 0))
    assert len(wrong) == 1 and re.search(sentence, wrong[0]), wrong


def test_a_starved_node_has_no_limit_of_latency_and_lost_frames():
    assert judged(figures_of(soaked(60, latency_ms=30_000), 2000, 0), starved=True) == []
    assert len(judged(figures_of(soaked(60, threads=4), 1200, 0), starved=True)) == 1


def test_unaccounted_frames_are_reported():
    soak = soaked(60)
    assert judged(figures_of(soak, 1230, 30)) == []
    assert judged(figures_of(soak, 1230, 0)) == [
        '30 of 1230 frames got no mask and were not counted.']


def test_state_of_a_process():
    program = ('import threading, time; files = [open("/dev/null") for _ in range(10)]; '
               'data = b"x" * (30 << 20); '
               'threading.Thread(target=input).start(); print("ready", flush=True); input()')
    idle = subprocess.Popen([sys.executable, '-c', 'print("ready", flush=True); input()'],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    full = subprocess.Popen([sys.executable, '-c', program],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for process in idle, full:
            assert process.stdout.readline() == b'ready\n'
        less, more = process_state(idle.pid), process_state(full.pid)
    finally:
        for process in idle, full:
            process.communicate(b'\n\n')
    assert more.own_kb - less.own_kb > 30_000
    assert more.resident_kb > more.own_kb
    assert (more.threads, less.threads) == (2, 1)
    assert more.handles == less.handles + 10
    assert more.cpu_s >= 0.0
    with pytest.raises(OSError):
        process_state(full.pid)
