# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks compare equal computations, and run without their peers too."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mfs_seg_core.benchmark import neurons as benchmark
from mfs_seg_core.benchmark.__main__ import main

SMALL = ['train-step', '--shape', '3', '2', '4', '5', '5', '--rounds', '1']


def test_peers_compute_the_same():
    reason = 'SpikingJelly is not installed: scripts/setup.sh installs it'
    pytest.importorskip('spikingjelly.activation_based.neuron', reason=reason)
    theirs = benchmark.spikingjelly_layers()
    for kind, ours in benchmark.our_layers().items():
        results = []
        for layer in (ours, theirs[kind]):
            torch.manual_seed(0)
            currents = torch.randn(5, 2, 3, 8, 8, requires_grad=True)
            spikes = layer(currents)
            spikes.backward(torch.randn_like(spikes))
            results.append((spikes, currents.grad))
        torch.testing.assert_close(*results)


def test_kept_memory():
    """A function that keeps its input (as sin does) and one that keeps nothing."""
    currents = torch.randn(2, 3, 4, 5, 6)
    assert benchmark.kept_bytes(torch.sin, currents) == currents.nbytes
    assert benchmark.kept_bytes(lambda x: x + 1, currents) == 0


def test_without_spikingjelly(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'spikingjelly', None)
    monkeypatch.setitem(sys.modules, 'spikingjelly.activation_based', None)
    assert main(SMALL) == 0
    out = capsys.readouterr().out
    assert 'SpikingJelly is not installed' in out and out.count(' ours ') == 2
    assert 'SpikingJelly / ours' not in out


def test_wrong_options(capsys):
    assert main([*SMALL, '--rounds', '0']) == 1
    assert '1 or more' in capsys.readouterr().err


def test_events(tmp_path, capsys, threads):
    pytest.importorskip('numba', reason='numba is not installed: pip install "mfs_seg_ros[events]"')
    from mfs_seg_core.benchmark.events import synthetic

    (tmp_path / 'a.raw').write_bytes(b'% evt 3.0\n% geometry 1280x720\n' + synthetic(2000))
    for options in ([], ['--input', str(tmp_path / 'a.raw')]):
        assert main(['events', '--count', '5000', '--rounds', '1', *options]) == 0
        out = capsys.readouterr().out
        assert out.count('mfs_seg_core ') >= 5 and 'found' not in out
        for title in ('packets of 2 KB', 'packets of 256 KB', 'a grid of 240x180', 'np.bincount',
                      'ours / np.add.at: '):
            assert title in out
        if 'evt3 ' not in out:
            assert 'ours / evt3' not in out


def test_event_tensors_are_those_of_numpy(threads):
    """All timed implementations make the same counts."""
    pytest.importorskip('numba', reason='numba is not installed: pip install "mfs_seg_ros[events]"')
    from mfs_seg_core.benchmark import events as timed
    from mfs_seg_core.events.tensor import EventWindow

    events = timed.decode(timed.synthetic(3000), 1 << 16, timed.SENSOR)
    assert events.count >= 3000 and events.t[-1] > events.t[0]
    window = EventWindow(events, int(events.t[0]), int(events.t[-1]) + 1, timed.SENSOR)
    jobs = timed.tensor_jobs(window, 240, 180)
    ours = np.expm1(jobs[timed.OURS]()) * (1280 * 720 / (240 * 180))
    for name in ('np.bincount', 'np.add.at'):
        np.testing.assert_allclose(ours, jobs[name](), atol=1e-4, rtol=1e-4)


def test_wrong_input(tmp_path, capsys, threads):
    path = tmp_path / 'a.raw'
    for content, message in ((b'% evt 2.0\n', 'is encoded as evt2: give a RAW file of EVT3'),
                             (b'% evt 3.0\n', 'has no events'), (b'\0', 'not a recording')):
        path.write_bytes(content)
        assert main(['events', '--input', str(path)]) == 1
        assert message in capsys.readouterr().err
    assert main(['events', '--count', '0']) == 1
    assert '--count and --rounds must be 1 or more' in capsys.readouterr().err


@pytest.mark.skipif(not Path('/proc/self/smaps_rollup').exists(), reason='no /proc to read from')
def test_cameras(capfd):
    """Figures of both setups, and their ratios, which are exact after a single round."""
    assert main(['cameras', '--cameras', '2', '--rounds', '1', '--seconds', '0.1',
                 '--threads', '1']) == 0
    title, *setups, ratios = capfd.readouterr().out.splitlines()
    assert title.startswith('2 camera(s) of 240x180') and '1 thread(s) for the batch' in title
    batch, processes = (
        [float(x) for x in re.findall(r'([0-9.]+) (?:frames|ms|MB)', setup)] for setup in setups)
    ratios = [float(x) for x in re.findall(r' ([0-9.]+)(?:,|$)', ratios)]
    assert len(batch) == len(processes) == len(ratios) == 4
    for one, other, ratio in zip(batch, processes, ratios):
        assert one > 0 and ratio == pytest.approx(one / other, rel=0.05)
    # Shared pages are counted once, and each process has memory of its own.
    assert batch[3] <= batch[2] < processes[3] < processes[2]


def test_wrong_cameras(capsys):
    assert main(['cameras', '--cameras', '0']) == 1
    assert '--cameras and --rounds must be 1 or more' in capsys.readouterr().err


def test_points(capsys):
    assert main(['points', '--rounds', '1']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'Labelled points of 640x480 pixels, median of 1 rounds'
    assert [line.split()[0] for line in lines[1:]] == ['depth', 'point']
