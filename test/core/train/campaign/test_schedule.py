# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small campaigns on a CPU: stages that need each other, figures, failures, resuming, lanes."""

import json

import cv2
import pytest
import torch
from support.camvid_tree import write_camvid

from mfs_seg_core.engine.programs import find_program
from mfs_seg_core.evaluate.__main__ import main as evaluate
from mfs_seg_core.train.__main__ import main
from mfs_seg_core.train.campaign.loop import CHECKPOINT, StageRun
from mfs_seg_core.train.campaign.stage import read_campaign
from mfs_seg_core.train.campaign.step import OptimiserStep
from mfs_seg_core.util.provenance import DataHash
from mfs_seg_core.weights.file import load_weights

COMMON = ('name: made\ncommon: {size: [64, 48], crop: [64, 48], batch_size: 4, epochs: 2, '
          'validate_every: 1, notes: {licence: none, data: made}}\nstages:\n')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data')
    write_camvid(folder, 'train', 8)
    write_camvid(folder, 'val', 2)
    return folder


def campaign_file(folder, *stages):
    path = folder / 'made.yaml'
    path.write_text(COMMON + ''.join(f'  - {{{stage}}}\n' for stage in stages))
    return path


def train(path, root, folder, *options):
    return main(['--campaign', str(path), '--root', str(root), '--output', str(folder),
                 '--device', 'cpu', *options])


def weights_of(folder, name):
    return folder / 'made' / name / f'{name}.safetensors'


@pytest.fixture(scope='module')
def finished(root, tmp_path_factory):
    """Return the folder of a campaign: a twin, its conversion taught by it, steps with a state."""
    folder = tmp_path_factory.mktemp('runs')
    path = campaign_file(
        folder, 'name: twin, model: lite_twin',
        'name: direct, model: lite, start: twin, teacher: twin, distil: 0.5, levels: 4',
        'name: stream, model: lite, start: direct, frames: 2, epochs: 1, levels: 4')
    assert train(path, root, folder) == 0
    return folder


def figures_of(folder, name):
    return json.loads((folder / 'made' / name / f'{name}.json').read_text())


def test_figures(finished):
    twin, direct = figures_of(finished, 'twin'), figures_of(finished, 'direct')
    assert twin['figures'].keys() == {'reset@1'}
    assert direct['figures'].keys() == {'reset@1', 'stream@1'}
    for result in (twin, direct):
        assert result['device'] == 'CPU' and result['steps'] == 4 and result['epochs'] == 2
        assert result['data_sha256'] == twin['data_sha256'] != str(DataHash())
        assert result['images'] == 8 and result['validated_on'] == 2
        assert result['images_per_s'] > 0 and result['command'].startswith('mfs-seg train')
        assert [point['epoch'] for point in result['history']] == [0, 1, 2]
        assert result['history'][-1]['miou'] == result['figures']['reset@1']['miou']
    table = (finished / 'made' / 'table.md').read_text()
    assert [line.split(' | ')[0] for line in table.splitlines()[2:]] == [
        '| twin', '| direct', '| stream']
    assert cv2.imread(str(finished / 'made' / 'curves.png')) is not None


def test_stages_start_from_each_other(finished):
    network, metadata = load_weights(weights_of(finished, 'direct'))
    assert network.config.levels == 4 and not network.config.analogue
    assert metadata.notes['val_miou_reset@1'] == (
        f"{figures_of(finished, 'direct')['figures']['reset@1']['miou']:.4f}")
    # The curve of a stage starts where the one before ended.
    assert figures_of(finished, 'stream')['history'][0]['miou'] == pytest.approx(
        figures_of(finished, 'direct')['figures']['reset@1']['miou'])


@pytest.mark.parametrize('name', ['direct', 'stream'])
def test_weights_have_their_program(finished, name):
    assert weights_of(finished, name).with_suffix('.program').is_file()
    assert find_program(weights_of(finished, name))


@pytest.mark.parametrize('name', ['direct', 'stream'])
def test_evaluate_reproduces_the_figures(finished, root, tmp_path, name):
    path = tmp_path / 'val.json'
    assert evaluate(['--weights', str(weights_of(finished, name)), '--data', 'camvid', '--root',
                     str(root), '--mode', 'reset', '--mode', 'stream', '--json', str(path)]) == 0
    found, expected = json.loads(path.read_text()), figures_of(finished, name)['figures']
    for mode, figures in expected.items():
        # A rounding may differ between a batch and single frames.
        assert found[mode]['miou'] == pytest.approx(figures['miou'], abs=0.01)


def test_finished_stages_do_not_run_again(finished, root, capsys):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob('*.safetensors')}
    assert train(finished / 'made.yaml', root, finished) == 0
    assert {path: path.stat().st_mtime_ns for path in finished.rglob('*.safetensors')} == before
    assert 'epoch' not in capsys.readouterr().out.split('| stage')[0]


class Stopped(Exception):
    """A run is stopped."""


def test_a_stopped_stage_continues_with_the_same_result(root, tmp_path, monkeypatch):
    path = campaign_file(tmp_path, 'name: a, model: fast, epochs: 3, checkpoint_s: 0')
    campaign = read_campaign(path)

    def run(folder):
        StageRun(campaign, campaign.stages[0], str(root), folder / 'made', 'cpu').run()
        return load_weights(weights_of(folder, 'a'))[0].state_dict()

    expected = run(tmp_path / 'whole')
    step = OptimiserStep.__call__

    def stopping(self, index, progress, number):
        if number == 3:
            raise Stopped
        step(self, index, progress, number)

    with monkeypatch.context() as patch:
        patch.setattr(OptimiserStep, '__call__', stopping)
        with pytest.raises(Stopped):
            run(tmp_path / 'stopped')
    assert (tmp_path / 'stopped' / 'made' / 'a' / CHECKPOINT).is_file()
    found = run(tmp_path / 'stopped')
    assert not (tmp_path / 'stopped' / 'made' / 'a' / CHECKPOINT).exists()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, msg=name)


def test_a_damaged_checkpoint_is_named(root, tmp_path, capsys):
    path = campaign_file(tmp_path, 'name: a, model: fast')
    checkpoint = tmp_path / 'made' / 'a' / CHECKPOINT
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b'damaged')
    assert train(path, root, tmp_path) == 1
    assert f'{checkpoint} cannot be continued' in capsys.readouterr().err


def test_stages_in_seconds_end(root, tmp_path):
    path = campaign_file(tmp_path, 'name: a, model: fast, epochs: 100000, seconds: 0.5')
    assert train(path, root, tmp_path) == 0
    result = figures_of(tmp_path, 'a')
    assert result['steps'] < 100000 and result['train_s'] >= 0.5


def test_lanes_and_failures(root, tmp_path, capfd):
    """Each lane is a process; what needs a failed stage fails, in its own lane or another."""
    path = campaign_file(
        tmp_path, 'name: good, model: fast, epochs: 1',
        'name: wrong, model: fast, start: nowhere, lane: other',
        'name: needs, model: fast, start: wrong')
    assert train(path, root, tmp_path, '--device', 'cpu:0') == 1
    err = capfd.readouterr().err
    assert "stage wrong failed: no weights 'nowhere'" in err
    assert 'stage needs failed: stage needs needs wrong, which failed' in err
    assert weights_of(tmp_path, 'good').is_file() and not weights_of(tmp_path, 'needs').exists()


def test_a_drive_that_is_left_out(root, tmp_path, capsys):
    path = campaign_file(tmp_path, 'name: a, model: fast, without_drives: [0001TP]')
    assert train(path, root, tmp_path) == 1
    assert 'no frame of train' in capsys.readouterr().err


@pytest.mark.parametrize('option', [['--fresh'], ['--set', 'epochs=1'], ['--model', 'fast'],
                                    ['--print-config']])
def test_options_without_effect_are_refused(root, tmp_path, capsys, option):
    path = campaign_file(tmp_path, 'name: a, model: fast')
    assert train(path, root, tmp_path, *option) == 1
    assert f'{option[0]} has no effect with --campaign' in capsys.readouterr().err
    assert main(['--config', str(path), '--lane', 'main']) == 1
    assert '--lane has no effect with --config' in capsys.readouterr().err


def test_a_campaign_needs_its_data(tmp_path, capsys):
    path = campaign_file(tmp_path, 'name: a, model: fast')
    assert main(['--campaign', str(path)]) == 1
    assert 'add --root DIR' in capsys.readouterr().err


def test_missing_data_is_said_once(root, tmp_path, capsys):
    (tmp_path / 'empty').mkdir()
    path = campaign_file(tmp_path, 'name: a, model: fast', 'name: b, model: fast')
    assert train(path, tmp_path / 'empty', tmp_path) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and 'train.txt is missing' in lines[0], lines
    assert not (tmp_path / 'made').exists()
