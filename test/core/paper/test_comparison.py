# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""U-Net and MFS-Seg trained and measured with the same settings, on synthetic data."""

import contextlib
import io
import json
import shutil
from functools import partial

import pytest
import torch
from support.camvid_tree import write_camvid
from support.untrained import metadata_of, untrained

from mfs_seg_core.data.sequences import camvid_sequences
from mfs_seg_core.evaluate.modes import evaluate
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.operations import OperationCounter, parameters
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.paper.comparison import (
    COST_FRAMES,
    MODELS,
    _spread,
    latencies,
    main,
    measure,
)
from mfs_seg_core.paper.report import show_comparison
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.train.module import Training
from mfs_seg_core.train.settings import Settings
from mfs_seg_core.util.provenance import DataHash
from mfs_seg_core.weights.file import load_weights, save_weights

# Lightning warns of small runs.
pytestmark = pytest.mark.filterwarnings('ignore:::lightning')
SETTINGS = ('name: tiny\ndata: street\nsize: [64, 48]\nbatch_size: 2\nworkers: 0\nsequences: 4\n'
            'length: 1\nepochs: 1\nvalidate_every: 1\nnotes: {licence: none, data: made}\n')


def compare(*arguments):
    """Run the verb; return its output."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main([str(each) for each in arguments]) == 0
    return out.getvalue()


@pytest.fixture(scope='module', autouse=True)
def threads():
    """Latencies are measured on one thread."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Data, settings, and the runs of all three, with a narrow U-Net."""
    folder = tmp_path_factory.mktemp('comparison')
    write_camvid(folder / 'data', 'train', 4)
    write_camvid(folder / 'data', 'val', 2)
    (folder / 'settings.yaml').write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mfs_seg_core.train.module.UNetConfig', partial(UNetConfig, width=16))
        out = compare(*common(folder), '--json', folder / 'first.json')
    assert out.count('Training tiny_camvid_') == 3
    yield folder
    # The runs take much space.
    shutil.rmtree(folder / 'runs')


def common(folder):
    return ('--data', 'camvid', '--root', folder / 'data', '--config', folder / 'settings.yaml',
            '--runs', folder / 'runs')


def weights(folder, model):
    return folder / 'runs' / f'tiny_camvid_{model}' / f'tiny_camvid_{model}.safetensors'


def test_each_network_is_trained_with_the_same_settings(folder):
    result = json.loads((folder / 'first.json').read_text())
    assert list(result['models']) == list(MODELS)
    for model, figures in result['models'].items():
        network, _ = load_weights(weights(folder, model))
        assert figures['parameters'] == parameters(network)
        assert (figures['epochs'], figures['steps'], figures['frames']) == (1, 2, 2)
        assert figures['latency_ms'] > 0


def test_sizes_of_the_networks():
    sizes = [parameters(Training(Settings('x', 'street', model=model), CAMVID, 3,
                                 torch.ones(len(CAMVID))).network) for model in MODELS]
    assert sizes[0] == pytest.approx(31.04e6, rel=0.001) and sizes[0] > 30 * sizes[1]
    assert sizes[1] > 2 * sizes[2]


def test_cost_is_of_an_image_from_rest(folder):
    """'paper' takes its five steps for it, the others one."""
    result = json.loads((folder / 'first.json').read_text())['models']
    frames = [frame for drive in camvid_sequences(folder / 'data', 'val') for frame, *_ in drive]
    for model, steps in (('unet', 1), ('paper', 5), ('fast', 1)):
        segmenter = Segmenter.from_weights(weights(folder, model), backend='torch')
        with OperationCounter(segmenter.network) as count:
            for frame in frames:
                segmenter.reset()
                segmenter.step(frame)
        assert segmenter.network.config.steps == steps
        assert result[model]['macs'] == count.macs / len(frames)
        assert result[model]['acs'] == count.acs / len(frames)
        assert (result[model]['acs'] > 0) == (model != 'unet')
        assert result[model]['energy_mj'] == pytest.approx(
            4.6e-9 * result[model]['macs'] + 0.9e-9 * result[model]['acs'])


def test_quality_is_what_evaluate_measures(folder):
    result = json.loads((folder / 'first.json').read_text())['models']
    for model in MODELS:
        ours = evaluate(Segmenter.from_weights(weights(folder, model), backend='torch'),
                        camvid_sequences(folder / 'data', 'val'), ('reset',))['reset@1']
        for key in ('miou', 'per_image_score', 'pixel_accuracy', 'iou'):
            assert result[model][key] == ours[key]


def test_ratios_are_to_unet(folder):
    unet, *others = json.loads((folder / 'first.json').read_text())['models'].values()
    for ours in others:
        assert ours['miou_difference'] == ours['miou'] - unet['miou']
        assert ours['ratio_parameters'] == unet['parameters'] / ours['parameters'] > 1
        assert ours['ratio_energy'] == unet['energy_mj'] / ours['energy_mj'] > 1
        assert ours['ratio_latency'] == unet['latency_ms'] / ours['latency_ms']


def test_the_page_of_claims_shows_it(folder):
    result = json.loads((folder / 'first.json').read_text())
    shown = show_comparison(result)
    assert 'After 1 epochs (2 steps of 2 stills)' in shown
    assert f'| `fast` | {result["models"]["fast"]["miou"]:.3f} |' in shown


def test_finished_runs_are_reused(folder):
    before = weights(folder, 'fast').stat().st_mtime_ns
    out = compare(*common(folder), '--models', 'fast', '--json', folder / 'again.json')
    assert 'Training' not in out and weights(folder, 'fast').stat().st_mtime_ns == before
    first, again = (json.loads((folder / name).read_text())
                    for name in ('first.json', 'again.json'))
    assert list(again['models']) == ['unet', 'fast']
    assert again['models']['fast']['miou'] == first['models']['fast']['miou']
    assert again['data_sha256'] == first['data_sha256']
    assert 'U-Net / energy' in out


def test_street_is_measured_on_drives(tmp_path):
    """Two drives of two frames; the length of the training is that of the existing runs."""
    (tmp_path / 'settings.yaml').write_text(SETTINGS)
    for model in ('unet', 'fast'):
        write_run(tmp_path / 'runs' / f'tiny_street_{model}', 3)
    compare('--data', 'street', '--config', tmp_path / 'settings.yaml', '--runs',
            tmp_path / 'runs', '--models', 'fast', '--seeds', 2, '--frames', 2,
            '--json', tmp_path / 'street.json')
    result = json.loads((tmp_path / 'street.json').read_text())
    assert result['models']['fast']['frames'] == 4 and result['models']['fast']['epochs'] == 3
    assert result['data'] == 'street'


def write_run(folder, epochs):
    """Leave untrained weights, and a checkpoint of a run of so many epochs."""
    network = untrained('fast')
    path = folder / f'{folder.name}.safetensors'
    save_weights(path, network, metadata_of(network))
    torch.save({'epoch': epochs - 1, 'global_step': 7 * epochs},
               folder / f'epoch={epochs - 1:04d}.ckpt')
    return path


def test_runs_of_different_lengths_are_refused(tmp_path):
    paths = {'unet': write_run(tmp_path / 'long', 12), 'fast': write_run(tmp_path / 'short', 3)}
    with pytest.raises(ValueError, match='unet 12 and 84, fast 3 and 21'):
        measure(paths, [], DataHash())
    (tmp_path / 'short' / 'epoch=0002.ckpt').unlink()
    with pytest.raises(ValueError, match='short holds no checkpoint'):
        measure(paths, [], DataHash())


def test_latencies_are_of_turns_from_rest(monkeypatch):
    """The slow first time does not count; each frame starts from rest."""
    clock, calls = [0.0], []
    monkeypatch.setattr('mfs_seg_core.paper.comparison.time.perf_counter', lambda: clock[0])

    class SimulatedSegmenter:
        def __init__(self, name, seconds):
            self.name, self.seconds, self.used = name, seconds, False

        def reset(self):
            calls.append(f'reset {self.name}')

        def step(self, frame):
            calls.append(f'{self.name} {frame}')
            clock[0] += self.seconds if self.used else 100.0
            self.used = True

    segmenters = {'a': SimulatedSegmenter('a', 0.5), 'b': SimulatedSegmenter('b', 0.25)}
    assert latencies(segmenters, [1, 2]) == {'a': 500.0, 'b': 250.0}
    assert calls == ['reset a', 'a 1', 'reset b', 'b 1'] * 2 + ['reset a', 'a 2', 'reset b', 'b 2']


@pytest.mark.parametrize('count', [0, 1, 4, 5, 6, 101])
def test_frames_of_cost_are_from_first_to_last(count):
    chosen = _spread(list(range(count)))
    assert len(chosen) == len(set(chosen)) == min(count, COST_FRAMES)
    assert chosen[:1] + chosen[-1:] == [0, count - 1] * (count > 0)


@pytest.mark.parametrize('arguments, message', [
    (('--data', 'camvid'), 'add --root DIR'),
    (('--data', 'street', '--config', 'nowhere.yaml'), 'cannot be read as YAML')])
def test_misuse(arguments, message, tmp_path, capsys):
    assert main([*arguments, '--runs', str(tmp_path)]) == 1
    errors = capsys.readouterr().err
    assert message in errors and len(errors.splitlines()) == 1
