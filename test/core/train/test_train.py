# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training: settings, clips, and small runs of the command."""

import contextlib
import dataclasses
import io
import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from support.camvid_tree import write_camvid
from support.paths import CONFIG
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.clips.augment import Augmented
from mfs_seg_core.data.clips.clip import ResizedClips
from mfs_seg_core.data.clips.sampler import SequenceBatches
from mfs_seg_core.data.clips.stills import StillClips
from mfs_seg_core.data.clips.street import StreetClips
from mfs_seg_core.data.street import DimCamera, Street
from mfs_seg_core.engine.programs import find_program
from mfs_seg_core.evaluate.__main__ import main as evaluate
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.train.__main__ import main
from mfs_seg_core.train.module import Training
from mfs_seg_core.train.settings import Settings, check, documented, read_settings
from mfs_seg_core.weights.file import load_weights

# Lightning warns of small runs.
pytestmark = pytest.mark.filterwarnings('ignore:::lightning')
CONFIGS = sorted((CONFIG / 'train').glob('*.yaml'))
SETTINGS = ('name: tiny\ndata: camvid\nsize: [64, 48]\nbatch_size: 4\nvalidate_every: 1\n'
            'frames: 3\ntruncation: 2\nworkers: 0\nepochs: 3\nnotes: {licence: none, data: made}\n')
REPORT = re.compile(r'epoch \d+: .*')


class Finished(NamedTuple):
    """Exit code and output of a command, and the folder of runs."""

    code: int
    out: str
    err: str
    folder: Path


def train(*arguments):
    """Run the verb in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(each) for each in arguments])
    folder = Path(arguments[arguments.index('--output') + 1])
    return Finished(code, out.getvalue(), err.getvalue(), folder)


def options_of(data, folder):
    """Options of a run with the common settings."""
    return ('--config', data / 'settings.yaml', '--root', data / 'data', '--output', folder)


def process(data, folder):
    """Command line of the same run as a process."""
    return [sys.executable, '-m', 'mfs_seg_core.train', *map(str, options_of(data, folder))]


def weights_of(folder):
    """Weights file of a run."""
    return folder / 'tiny' / 'tiny.safetensors'


def evaluation(folder, root):
    """Figures of the weights of a run on the split to validate on."""
    path = folder / 'val.json'
    assert evaluate(['--weights', str(weights_of(folder)), '--data', 'camvid',
                     '--root', str(root), '--json', str(path)]) == 0
    return json.loads(path.read_text())


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Images and settings of small runs."""
    folder = tmp_path_factory.mktemp('data')
    write_camvid(folder / 'data', 'train', 8)
    write_camvid(folder / 'data', 'val', 2)
    (folder / 'settings.yaml').write_text(SETTINGS)
    return folder


@pytest.fixture(scope='module')
def uninterrupted(data, tmp_path_factory):
    """A finished run of three epochs."""
    finished = train(*options_of(data, tmp_path_factory.mktemp('uninterrupted')))
    assert finished.code == 0, finished.err
    return finished


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_configurations_are_valid(path):
    settings = read_settings(str(path), ['root=somewhere'])
    assert settings.notes['licence'] and settings.notes['data']


def test_settings_are_checked(tmp_path):
    path = tmp_path / 'settings.yaml'
    path.write_text('name: x\ndata: street\nepoch: 3\n')
    with pytest.raises(ValueError, match="unknown setting 'epoch'"):
        read_settings(str(path), [])
    path.write_text('name: x\n')
    with pytest.raises(ValueError, match="'data' is missing"):
        read_settings(str(path), [])
    path.write_text('name: x\ndata: camvid\n')
    for change, message in (('name=y', 'add --root DIR'),
                            ('data=moon', 'one of street, camvid, ddd17, dsec'),
                            ('model=vgg', 'one of fast, paper, unet, lite'),
                            ('epochs=0', 'at least 1'),
                            ('epochs=abc', "'epochs' must be an integer, not 'abc'"),
                            ('epochs=', "'epochs' must be an integer, not ''"),
                            ('epochs=true', "'epochs' must be an integer, not True"),
                            ('learning_rate=fast', "'learning_rate' must be a number"),
                            ('name=5', "'name' must be text, not 5"),
                            ('val_split=5', "'val_split' must be text or a list, not 5"),
                            ('size=64', "'size' must be a list, not 64"),
                            ('events=1', "'events' must be true or false, not 1")):
        with pytest.raises(ValueError, match=message):
            check(read_settings(str(path), ['root=.', change] if change != 'name=y' else [change]))
    assert read_settings(str(path), ['learning_rate=1e-4']).learning_rate == 1e-4
    path.write_text('name: x\ndata: camvid\nstart: street\n')
    assert read_settings(str(path), ['start=']).start == ''
    with pytest.raises(ValueError, match='write key=value'):
        read_settings(str(path), ['epochs'])


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_documented_settings_are_a_file_with_the_same_values(path, tmp_path):
    settings = read_settings(str(path), ['root=somewhere'])
    text = documented(settings)
    for field in dataclasses.fields(Settings):
        assert re.search(rf'^# .*\n{field.name}:', text, re.MULTILINE), field.name
    (tmp_path / 'same.yaml').write_text(text)
    assert read_settings(str(tmp_path / 'same.yaml'), []) == settings


@pytest.fixture(scope='module')
def street():
    """Two sequences of one clip of six frames each."""
    return StreetClips(5, 2, 1, 6, (64, 48))


def test_clips_of_stills(tmp_path):
    clips = StillClips(CamVid(write_camvid(tmp_path, 'train', 2), 'train'), frames=3, step_s=0.05)
    images, label, step_s, follows, *_ = clips[0]
    assert images.shape == (3, 48, 64, 3) and (images[0] == images[2]).all()
    assert label.shape == (48, 64) and step_s == 0.05 and not follows


def test_clips_of_street(street):
    images, label, step_s, *_ = street[1]
    assert images.shape == (6, 48, 64, 3) and (images[0] != images[2]).any()
    assert label.shape == (48, 64) and label.dtype == np.uint8
    assert 0.025 < step_s < 0.1 and step_s != street[0].step_s
    # The camera of seed 5 records this sequence in dim light; the labels are the same.
    drive = Street(5, 64, 48)
    plain, dim = (camera.frame(2.5 + 6 * step_s) for camera in (drive, DimCamera(drive)))
    assert np.array_equal(images[5], dim.image) and not np.array_equal(plain.image, dim.image)
    assert np.array_equal(label, plain.label) and np.array_equal(label, dim.label)


def test_clips_of_a_sequence_follow_one_another(street):
    """Two clips of three frames equal one of six frames, also when augmented for training."""
    clips = StreetClips(5, 2, 2, 3, (64, 48))
    assert len(clips) == 4
    assert [clips[index].follows for index in range(4)] == [False, True, False, True]
    assert np.array_equal(np.concatenate([clips[2].images, clips[3].images]), street[1].images)
    assert np.array_equal(clips[3].label, street[1].label)
    augmented, at_once = (Augmented(c, (64, 48), 0) for c in (clips, street))
    parts = np.concatenate([augmented[2].images, augmented[3].images])
    assert np.array_equal(parts, at_once[1].images)


def test_walk():
    """Each slot iterates over sequences in order, each clip once; processes share the slots."""
    walk = list(SequenceBatches(13, 3, 4, seed=0, epoch=0))
    assert len(walk) == 9 and sorted(sum(walk, [])) != sum(walk, [])
    clips = {clip for batch in walk for clip in batch}
    assert len(clips) == 36 and clips <= set(range(39))
    for slot in zip(*walk):
        # Clips before the start in mid-sequence come last.
        for now, then in zip(slot, slot[1:]):
            assert then == now + 1 or then % 3 == 0
    assert len({batch % 3 for batch in walk[0]}) > 1
    assert walk != list(SequenceBatches(13, 3, 4, seed=0, epoch=1))
    halves = [list(SequenceBatches(13, 3, 2, 0, 0, rank, 2)) for rank in (0, 1)]
    assert [a + b for a, b in zip(*halves)] == walk


def test_augmentation_transforms_label_and_image_alike(tmp_path):
    """In the test images, colour corresponds to class: also after any window and flip."""
    clips = StillClips(CamVid(write_camvid(tmp_path, 'train', 1), 'train'), 1, 0.05)
    augmented = Augmented(clips, (64, 48), 0)
    sizes = set()
    for epoch in range(30):
        augmented.epoch = epoch
        images, label, *_ = augmented[0]
        assert images.shape == (1, 48, 64, 3) and images.dtype == np.uint8
        blue = images[0, ..., 2].astype(int)
        sky, road = blue[label == 0], blue[label == 3]
        sizes.add(sky.size)
        if sky.size and road.size:
            # Quantiles, because resizing mixes the pixels along the horizon.
            assert np.quantile(sky, 0.1) > np.quantile(road, 0.9)
    assert len(sizes) > 10
    assert all(np.array_equal(a, b) for a, b in zip(augmented[0], augmented[0]))


def test_stills_are_augmented_by_motion(tmp_path):
    """Each frame is closer to the last one than the frame before; the label is the last one's."""
    clips = StillClips(CamVid(write_camvid(tmp_path, 'train', 1), 'train'), 4, 0.05)
    augmented, distances = Augmented(clips, (64, 48), 0), []
    for epoch in range(40):
        augmented.epoch = epoch
        images, label, *_ = augmented[0]
        distances.append([np.abs(image.astype(int) - images[-1]).mean() for image in images])
    distances = np.mean(distances, axis=0)
    assert distances[0] > distances[1] > distances[2] > distances[3] == 0


def test_plain(tmp_path):
    clips = StillClips(CamVid(write_camvid(tmp_path, 'val', 1), 'val'), 2, 0.05)
    images, label, *_ = ResizedClips(clips, (32, 24))[0]
    assert images.shape == (2, 24, 32, 3) and label.shape == (24, 32)


def test_trained_weights_are_evaluated(tmp_path):
    """Two epochs, then two more from the checkpoint: the network segments its training images."""
    root = tmp_path / 'data'
    write_camvid(root, 'train', 24)
    write_camvid(root, 'val', 4)
    (tmp_path / 'settings.yaml').write_text(
        'name: tiny\ndata: camvid\nsize: [64, 48]\nbatch_size: 4\nvalidate_every: 2\n'
        'learning_rate: 5e-3\nworkers: 0\nepochs: 4\nnotes: {licence: none, data: made}\n')
    options = ('--config', tmp_path / 'settings.yaml', '--root', root, '--output', tmp_path)
    assert train(*options, '--set', 'epochs=2').code == 0
    second = train(*options)
    assert second.code == 0, second.err
    assert 'epoch 4' in second.out and 'epoch 2' not in second.out
    curves = EventAccumulator(str(tmp_path / 'tiny'))
    curves.Reload()
    assert {'train/loss', 'val/miou', 'lr-AdamW', 'train/firing_rate',
            'firing_rate/encoder.1.0.expand.lif'} <= {*curves.Tags()['scalars']}
    assert len(curves.Images('val/image_truth_mask')) == 2
    _, metadata = load_weights(weights_of(tmp_path))
    assert (metadata.name, metadata.input_size) == ('tiny', (64, 48))
    # The program of the second run, not of the first.
    assert weights_of(tmp_path).with_suffix('.program').is_file()
    assert find_program(weights_of(tmp_path))[1].notes == metadata.notes
    result = evaluation(tmp_path, root)
    assert result['frames'] == 4 and result['iou']['Car'] in (None, 0.0)
    # The labels have sky and road only; other classes are wrong predictions.
    assert min(result['iou']['Sky'], result['iou']['Road']) > 0.6
    assert result['mode'] == 'reset@1' and result['iou'] == result['reset@1']['iou']
    assert result['pixel_accuracy'] > 0.8
    assert 0 < result['firing_rate'] < 4


def test_killed_and_resumed_run_equals_the_uninterrupted_one(data, uninterrupted, tmp_path):
    # With a process that loads data, which must change nothing, but as many threads as in this
    # process: sums in another order differ in the last digit.
    killed = subprocess.Popen(
        [*process(data, tmp_path), '--set', 'workers=1'], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, 'OMP_NUM_THREADS': str(torch.get_num_threads())})
    lines = []
    for line in killed.stdout:
        lines += REPORT.findall(line)
        # Then the checkpoint of the first epoch exists, that of the second perhaps not.
        if len(lines) == 2:
            killed.kill()
            break
    # Not communicate: the loader's worker holds the pipe until it notices, seconds later.
    killed.wait()
    killed.stdout.close()
    resumed = train(*options_of(data, tmp_path))
    assert resumed.code == 0, resumed.err
    again = REPORT.findall(resumed.out)
    assert len(again) < 3
    # An epoch whose checkpoint was not yet written is reported twice.
    expected = REPORT.findall(uninterrupted.out)
    assert len(expected) == 3 and sorted({*lines, *again}) == sorted(expected)
    ours, theirs = (load_weights(weights_of(folder))[0].state_dict()
                    for folder in (uninterrupted.folder, tmp_path))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_damaged_checkpoint_is_rejected_with_the_name_of_the_previous(
        data, uninterrupted, tmp_path):
    folder = tmp_path / 'tiny'
    shutil.copytree(uninterrupted.folder / 'tiny', folder)
    # Of the last two epochs, and the best.
    assert {path.name for path in folder.glob('*.ckpt')} == {
        'best.ckpt', 'epoch=0001.ckpt', 'epoch=0002.ckpt'}
    last = folder / 'epoch=0002.ckpt'
    last.write_bytes(last.read_bytes()[:5000])
    rejected = train(*options_of(data, tmp_path), '--set', 'epochs=4')
    assert rejected.code == 1 and len(rejected.err.strip().splitlines()) == 1
    assert (f'{last} is damaged' in rejected.err
            and 'delete it to continue from epoch=0001.ckpt' in rejected.err)
    last.unlink()
    resumed = train(*options_of(data, tmp_path), '--set', 'epochs=4')
    assert resumed.code == 0, resumed.err
    assert [line.split(':')[0] for line in REPORT.findall(resumed.out)] == ['epoch 3', 'epoch 4']


def test_the_weights_are_those_of_the_best_mean_over_the_modes(data, tmp_path, monkeypatch):
    # From rest and as a stream, after the first and after the second epoch.
    mious = iter([0.8, 0.6, 0.9, 0.1])
    monkeypatch.setattr(ConfusionMatrix, 'miou', property(lambda matrix: next(mious)))
    done = train(*options_of(data, tmp_path), '--set', 'epochs=2')
    assert done.code == 0 and 'validation mIoU 0.7000' in done.out, done.err
    network, metadata = load_weights(weights_of(tmp_path))
    assert metadata.notes['validation_miou'] == '0.7000'
    first, second = (
        torch.load(tmp_path / 'tiny' / f'epoch={epoch:04d}.ckpt', weights_only=True)['state_dict']
        for epoch in (0, 1))
    weight = network.state_dict()['stem.conv.weight']
    assert torch.equal(weight, first['network.stem.conv.weight'])
    assert not torch.equal(weight, second['network.stem.conv.weight'])


def test_gradients_are_those_of_the_last_steps(data, tmp_path, monkeypatch):
    clips = []
    forward = MFSSeg.forward

    def record(network, images, state=None, *others, **named):
        if network.training:
            if state is None:
                clips.append([])
            clips[-1].append(torch.is_grad_enabled())
        return forward(network, images, state, *others, **named)

    monkeypatch.setattr(MFSSeg, 'forward', record)
    done = train(*options_of(data, tmp_path), '--set', 'epochs=1', 'batch_size=1', 'frames=4')
    assert done.code == 0, done.err
    assert max(len(steps) for steps in clips) > 2
    assert all(steps == [False] * (len(steps) - 2) + [True] * min(2, len(steps))
               for steps in clips)


def test_each_epoch_has_an_augmentation_of_its_own(data, tmp_path, monkeypatch):
    epochs = set()
    augment = Augmented.__getitem__
    monkeypatch.setattr(Augmented, '__getitem__', lambda clips, index: (
        epochs.add(clips.epoch), augment(clips, index))[1])
    done = train(*options_of(data, tmp_path), '--set', 'epochs=2', 'frames=1')
    assert done.code == 0, done.err
    assert epochs == {0, 1}


def test_fresh_starts_again(data, uninterrupted, tmp_path):
    shutil.copytree(uninterrupted.folder / 'tiny', tmp_path / 'tiny')
    moved = train(*options_of(data, tmp_path))
    assert moved.code == 1 and 'finished run of another folder' in moved.err
    again = train(*options_of(data, tmp_path), '--fresh')
    assert again.code == 0, again.err
    assert REPORT.findall(again.out) == REPORT.findall(uninterrupted.out)


def test_two_processes_train_as_one(data, tmp_path):
    """In double precision, rounding errors carry no potential across a threshold."""
    changes = ('--set', 'epochs=2', 'validate_every=2', 'frames=1', 'precision=64-true')
    one, two = tmp_path / '1', tmp_path / '2'
    alone = train(*options_of(data, one), *changes, 'batch_size=4', 'devices=1')
    assert alone.code == 0 and alone.out.count('validation mIoU') == 1, alone.err
    both = subprocess.run([*process(data, two), *changes, 'batch_size=2', 'devices=2'],
                          capture_output=True, text=True, timeout=300)
    assert both.returncode == 0, both.stderr
    assert both.stdout.count('validation mIoU') == 1
    one, two = (load_weights(weights_of(folder))[0].state_dict() for folder in (one, two))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-5, atol=1e-6, msg=name)


def test_a_loss_that_is_not_finite_stops_the_run(data, tmp_path):
    stopped = train(*options_of(data, tmp_path), '--set', 'learning_rate=1e30')
    assert stopped.code == 1
    assert re.search(r'train: the loss is nan in step \d+ \(epoch 1, clips \[\d', stopped.err)
    assert 'last good checkpoint, none' in stopped.err and 'Traceback' not in stopped.err
    assert not weights_of(tmp_path).exists()


def test_unet_trains_by_the_same_command(data, tmp_path, monkeypatch):
    monkeypatch.setattr('mfs_seg_core.train.module.UNetConfig', partial(UNetConfig, width=4))
    done = train(*options_of(data, tmp_path), '--model', 'unet', '--set', 'epochs=1',
                 'scale_weights=[0.0, 0.0, 1.0]')
    assert done.code == 0, done.err
    # Its one scale is the full one.
    assert float(re.search(r'train/loss ([\d.]+)', REPORT.search(done.out)[0])[1]) > 0
    assert evaluation(tmp_path, data / 'data')['firing_rate'] is None


@pytest.mark.parametrize('settings, channels, message', [
    (Settings('x', 'street', start='street'), 10, 'size mismatch for stem.conv.weight'),
    (Settings('x', 'street', start='street', model='unet'), 3, 'is missing in it')])
def test_start_from_another_network(settings, channels, message):
    with pytest.raises(ValueError, match=rf'start from street \(.*{message}.*\): choose weights'):
        Training(settings, CAMVID, channels, torch.ones(len(CAMVID)))


def test_state_is_carried_from_clip_to_clip():
    """Each stream keeps its state; it is reset at a new sequence, and sometimes at random."""
    training = Training(Settings('x', 'street'), CAMVID, 3, torch.ones(len(CAMVID)))
    chance = np.random.default_rng(0)
    training.on_train_epoch_start()
    follows = torch.tensor([True, False, True, True])
    assert training._carried(follows, chance) is None
    training.state = {'lif': torch.arange(1., 5).view(4, 1, 1, 1)}
    kept = torch.stack([training._carried(follows, chance)['lif'].flatten() for _ in range(400)])
    assert set(kept[:, 0].tolist()) == {0, 1} and set(kept[:, 3].tolist()) == {0, 4}
    assert not kept[:, 1].any()
    assert 0.85 < (kept[:, [0, 2, 3]] > 0).float().mean() < 0.95
    assert training._carried(torch.zeros(4, dtype=torch.bool), chance) is None
