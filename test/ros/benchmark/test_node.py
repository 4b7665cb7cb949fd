# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the stages of a frame, as the command that users start."""

import json
import subprocess
import sys

import pytest
from support.event_camera import save_untrained

from mfs_seg_ros.benchmark.node import BUT_NETWORK, STAGES, WARM_UP
from mfs_seg_ros.benchmark.timed_segmenter import MASK, NETWORK, PUBLISH, StageClock


@pytest.mark.parametrize('backend', ['native', 'torch'])
def test_every_stage_of_a_node_is_measured(tmp_path, backend):
    file = tmp_path / 'figures.json'
    run = subprocess.run(
        [sys.executable, '-m', 'mfs_seg_core', 'benchmark', 'node', '--backend', backend,
         '--seconds', '1', '--rate', '10', '--size', '96', '64', '--weights',
         save_untrained(tmp_path / 'both.safetensors'), '--json', str(file)],
        capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    figures = json.loads(file.read_text())
    assert figures['backend'].startswith(backend)
    assert 0 < figures['frames_measured'] <= figures['masks_received'] <= figures['frames_sent']
    assert figures['frames_sent'] == WARM_UP + 10
    stages = figures['stages_ms']
    assert set(stages) == {*STAGES, BUT_NETWORK}
    assert all(0.0 < each['p50'] <= each['p99'] for each in stages.values())
    latency, rest = figures['latency_ms'], figures['latency_minus_network_ms']
    assert 0.0 < rest['p50'] < latency['p50']
    assert all(f'{name}  ' in run.stdout for name in (*stages, 'stamp to mask'))


class Stages:
    """Functions of which one calls the other."""

    def outer(self, clock: StageClock) -> str:
        spin()
        return self.inner()

    def inner(self) -> str:
        spin()
        spin()
        return 'result'


def spin() -> None:
    """Use the processor for a while."""
    sum(range(1_000_000))


def test_a_stage_excludes_the_stages_within():
    clock = StageClock()
    clock.wrap(Stages, 'outer', NETWORK)
    clock.wrap(Stages, 'inner', MASK)
    clock.wrap(sys.modules[__name__], 'spin', PUBLISH)
    for stamp in (1, 2):
        assert Stages().outer(clock) == 'result'
        clock.end_frame(stamp)
    last = clock.frames[-1]['stages_ms']
    assert last[PUBLISH] > 2 * max(last[NETWORK], last[MASK]) > 0.0
    assert clock.frames[-1]['network_ms'] < last[PUBLISH]
    assert [frame['stamp_ns'] for frame in clock.frames] == [1, 2]
