# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks compare equal computations, and run without their peers too."""

import json
import re
import sys
from pathlib import Path

import pytest
import torch

from mfs_seg_core.benchmark import neurons as benchmark
from mfs_seg_core.benchmark import step as step_module
from mfs_seg_core.benchmark import training as training_module
from mfs_seg_core.benchmark.__main__ import main
from mfs_seg_core.benchmark.fast_scnn import FastSCNN
from mfs_seg_core.benchmark.step import _folded
from mfs_seg_core.engine.library import EngineUnavailableError, library
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.train.fused_layers import fuse
from mfs_seg_core.weights.file import build

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


@pytest.fixture
def threads():
    """Benchmarks of events use one thread."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


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
    ours = jobs[timed.OURS]().expm1() * (1280 * 720 / (240 * 180))
    for name in ('np.bincount', 'np.add.at'):
        torch.testing.assert_close(ours, torch.from_numpy(jobs[name]()), atol=1e-4, rtol=1e-4)


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


def test_step(monkeypatch, tmp_path, capsys, threads):
    monkeypatch.setattr(step_module, 'SIZES', ((64, 48),))
    monkeypatch.setattr(step_module, 'THREADS', (2,))
    monkeypatch.setattr(step_module, '_has_openvino', lambda: False)
    assert main(['step', '--rounds', '2', '--json', str(tmp_path / 'step.json')]) == 0
    out = capsys.readouterr().out
    assert f'Kernels of the native engine: {library().choose()}' in out
    assert 'OpenVINO is not installed' in out
    written = json.loads((tmp_path / 'step.json').read_text())
    ms, figures = written['rows'][0]['ms'], written['step']
    assert ms.keys() == {'ours, native', 'ours, torch', 'U-Net, torch', 'Fast-SCNN, torch'}
    assert figures == {
        'native_ms': ms['ours, native'], 'torch_ms': ms['ours, torch'],
        **{f'ratio_{key}': ms[name] / ms['ours, native'] for key, name in (
            ('torch', 'ours, torch'), ('unet', 'U-Net, torch'), ('fastscnn', 'Fast-SCNN, torch'))}}


def test_training(monkeypatch, tmp_path, capsys, threads):
    monkeypatch.setattr(training_module, 'SIZE', (24, 16))
    assert main(['training', '--rounds', '2', '--json', str(tmp_path / 'training.json')]) == 0
    out = capsys.readouterr().out
    written = json.loads((tmp_path / 'training.json').read_text())
    assert [row['threads'] for row in written['rows']] == [1, 2]
    assert written['training'] == written['rows'][1] and f'kernels {written["kernels"]}' in out
    for row in written['rows']:
        plain, fused = row['torch_images_per_s'], row['fused_images_per_s']
        assert row['ratio'] == fused / plain
        assert (f'{row["threads"]} thread(s): torch {plain:.1f} images/s   fused {fused:.1f} '
                f'images/s   fused / torch {row["ratio"]:.2f}') in out


def test_timed_trainings_are_the_same():
    losses = []
    for fused in (False, True):
        torch.manual_seed(0)
        network = build(named_config('fast', len(CAMVID))).to(memory_format=torch.channels_last)
        assert not fused or fuse(network)
        step = training_module.stepper(network, fused, (24, 16))
        losses.append(torch.stack([step(), step()]))
    # The second loss depends on the gradients of the first; a spike at a threshold may change it.
    torch.testing.assert_close(*losses, rtol=1e-2, atol=0)
    assert losses[0][1] != losses[0][0]


def test_training_without_the_engine(monkeypatch, capsys):
    def missing():
        raise EngineUnavailableError('it was not built: build it')

    monkeypatch.setattr(training_module, 'training_kernels', missing)
    assert main(['training']) == 1
    assert capsys.readouterr().err == (
        'benchmark: there are no fused layers to measure: it was not built: build it\n')


def test_wrong_rounds_of_steps(capsys):
    assert main(['step', '--rounds', '0']) == 1
    assert capsys.readouterr().err == 'benchmark: --rounds must be 1 or more\n'


def test_step_without_the_engine(monkeypatch, capsys, threads):
    def missing():
        raise EngineUnavailableError('it was not built: build it')

    monkeypatch.setattr(step_module, 'library', missing)
    monkeypatch.setattr(step_module, 'SIZES', ((64, 48),))
    monkeypatch.setattr(step_module, 'THREADS', (1,))
    monkeypatch.setattr(step_module, '_has_openvino', lambda: False)
    assert main(['step', '--rounds', '1']) == 0
    out = capsys.readouterr().out
    assert 'no native engine: it was not built: build it' in out and 'ratio' not in out


def test_peers_have_their_published_size():
    network = FastSCNN(19)
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(
        1.11e6, rel=0.03)
    assert network(torch.zeros(2, 3, 45, 62)).shape == (2, 19, 45, 62)
    folded = _folded(FastSCNN(5).eval())
    torch.manual_seed(0)
    image = torch.randn(1, 3, 64, 64)
    plain = FastSCNN(5).eval()
    with torch.no_grad():
        before = plain(image)
        torch.testing.assert_close(_folded(plain)(image), before, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
