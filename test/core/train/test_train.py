# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training and evaluation as commands, on data made here."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from support.camvid_tree import write_camvid
from support.paths import CONFIG
from support.untrained import metadata_of, untrained
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mfs_seg_core.data.clips.augment import Augmented
from mfs_seg_core.data.clips.camvid import CamVidClips
from mfs_seg_core.data.clips.clip import ResizedClips
from mfs_seg_core.data.clips.sampler import SequenceBatches
from mfs_seg_core.data.clips.street import StreetClips
from mfs_seg_core.data.street import DimCamera, Street
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.train.module import Training
from mfs_seg_core.train.settings import Settings, check, documented, read_settings
from mfs_seg_core.weights.file import load_weights, save_weights

CONFIGS = sorted((CONFIG / 'train').glob('*.yaml'))


def command(verb, *arguments):
    return subprocess.run([sys.executable, '-m', f'mfs_seg_core.{verb}', *map(str, arguments)],
                          capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_configurations_are_read(path):
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
                            ('model=vgg', 'one of fast, paper, unet'), ('epochs=0', 'at least 1')):
        with pytest.raises(ValueError, match=message):
            check(read_settings(str(path), ['root=.', change] if change != 'name=y' else [change]))
    with pytest.raises(ValueError, match='write key=value'):
        read_settings(str(path), ['epochs'])


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_settings_are_documented_as_a_file_that_says_the_same(path, tmp_path):
    settings = read_settings(str(path), ['root=somewhere'])
    text = documented(settings)
    for field in dataclasses.fields(Settings):
        assert re.search(rf'^# .*\n{field.name}:', text, re.MULTILINE), field.name
    (tmp_path / 'same.yaml').write_text(text)
    assert read_settings(str(tmp_path / 'same.yaml'), []) == settings


def test_clips(tmp_path):
    clips = CamVidClips(write_camvid(tmp_path, 'train', 2), 'train', frames=3, step_s=0.05)
    images, label, step_s, follows, *_ = clips[0]
    assert images.shape == (3, 48, 64, 3) and (images[0] == images[2]).all()
    assert label.shape == (48, 64) and step_s == 0.05 and not follows
    street = StreetClips(5, 2, 1, 3, (64, 48))
    images, label, step_s, *_ = street[1]
    assert images.shape == (3, 48, 64, 3) and (images[0] != images[2]).any()
    assert label.shape == (48, 64) and label.dtype == np.uint8
    assert 0.025 < step_s < 0.1 and step_s != street[0].step_s
    # Seed 5 is seen by the camera in dim light, with the same truth.
    drive = Street(5, 64, 48)
    plain, dim = (camera.frame(2.5 + 3 * step_s) for camera in (drive, DimCamera(drive)))
    assert np.array_equal(images[2], dim.image) and not np.array_equal(plain.image, dim.image)
    assert np.array_equal(label, plain.label) and np.array_equal(label, dim.label)


def test_clips_of_a_sequence_follow_one_another():
    """Two clips of three frames are six frames of a drive, and look alike in training."""
    clips, whole = StreetClips(5, 2, 2, 3, (64, 48)), StreetClips(5, 2, 1, 6, (64, 48))
    assert len(clips) == 4 and [clip.follows for clip in clips] == [False, True, False, True]
    assert np.array_equal(np.concatenate([clips[2].images, clips[3].images]), whole[1].images)
    assert np.array_equal(clips[3].label, whole[1].label)
    augmented, at_once = (Augmented(c, (64, 48), 0) for c in (clips, whole))
    parts = np.concatenate([augmented[2].images, augmented[3].images])
    assert np.array_equal(parts, at_once[1].images)


def test_walk():
    """Each slot walks sequences in order, each clip once; processes share the slots."""
    walk = list(SequenceBatches(13, 3, 4, seed=0, epoch=0))
    assert len(walk) == 9 and sorted(sum(walk, [])) != sum(walk, [])
    clips = {clip for batch in walk for clip in batch}
    assert len(clips) == 36 and clips <= set(range(39))
    for slot in zip(*walk):
        # Round the end, where a walk that began in mid-sequence takes what it left out.
        for now, then in zip(slot, slot[1:]):
            assert then == now + 1 or then % 3 == 0
    assert len({batch % 3 for batch in walk[0]}) > 1
    assert walk != list(SequenceBatches(13, 3, 4, seed=0, epoch=1))
    halves = [list(SequenceBatches(13, 3, 2, 0, 0, rank, 2)) for rank in (0, 1)]
    assert [a + b for a, b in zip(*halves)] == walk


def test_augmentation_keeps_label_and_image_together(tmp_path):
    """In the made pictures colour tells the class: after any window and flip it still must."""
    clips = CamVidClips(write_camvid(tmp_path, 'train', 1), 'train', 1, 0.05)
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
            # All but the pixels that resizing mixes along the horizon.
            assert np.quantile(sky, 0.1) > np.quantile(road, 0.9)
    assert len(sizes) > 10
    assert all(np.array_equal(a, b) for a, b in zip(augmented[0], augmented[0]))


def test_stills_are_made_to_drive(tmp_path):
    """The horizon of each frame lies nearer to that of the last; the label is the last one's."""
    clips = CamVidClips(write_camvid(tmp_path, 'train', 1), 'train', 4, 0.05)
    augmented, distances = Augmented(clips, (64, 48), 0), []
    for epoch in range(40):
        augmented.epoch = epoch
        images, label, *_ = augmented[0]
        distances.append([np.abs(image.astype(int) - images[-1]).mean() for image in images])
    distances = np.mean(distances, axis=0)
    assert distances[0] > distances[1] > distances[2] > distances[3] == 0


def test_plain(tmp_path):
    clips = CamVidClips(write_camvid(tmp_path, 'val', 1), 'val', 2, 0.05)
    images, label, *_ = ResizedClips(clips, (32, 24))[0]
    assert images.shape == (2, 24, 32, 3) and label.shape == (24, 32)


def test_train_resume_evaluate(tmp_path):
    """Two epochs, then two more from the checkpoint: the weights segment what they were shown."""
    write_camvid(tmp_path / 'data', 'train', 24)
    write_camvid(tmp_path / 'data', 'val', 4)
    (tmp_path / 'settings.yaml').write_text(
        'name: tiny\ndata: camvid\nsize: [64, 48]\nbatch_size: 4\nvalidate_every: 2\n'
        'learning_rate: 5e-3\nworkers: 0\nepochs: 4\nnotes: {licence: none, data: made}\n')
    train = ['train', '--config', tmp_path / 'settings.yaml', '--root', tmp_path / 'data',
             '--output', tmp_path / 'runs']
    first = command(*train, '--set', 'epochs=2')
    assert first.returncode == 0, first.stderr
    second = command(*train)
    assert second.returncode == 0, second.stderr
    assert 'epoch 4' in second.stdout and 'epoch 2' not in second.stdout
    curves = EventAccumulator(str(tmp_path / 'runs' / 'tiny'))
    curves.Reload()
    assert {'train/loss', 'val/miou', 'lr-AdamW', 'train/firing_rate',
            'firing_rate/encoder.1.0.expand.lif'} <= {*curves.Tags()['scalars']}
    assert len(curves.Images('val/image_truth_mask')) == 2
    weights = tmp_path / 'runs' / 'tiny' / 'tiny.safetensors'
    _, metadata = load_weights(weights)
    assert (metadata.name, metadata.input_size) == ('tiny', (64, 48))
    done = command('evaluate', '--weights', weights, '--data', 'camvid', '--root',
                   tmp_path / 'data', '--json', tmp_path / 'val.json')
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / 'val.json').read_text())
    assert result['frames'] == 4 and result['iou']['Car'] in (None, 0.0)
    # Of sky and road, the two classes there are; others are wrong guesses.
    assert min(result['iou']['Sky'], result['iou']['Road']) > 0.6
    assert result['mode'] == 'reset@1' and result['iou'] == result['reset@1']['iou']
    assert result['pixel_accuracy'] > 0.8
    assert 0 < result['firing_rate'] < 4


SETTINGS = ('name: tiny\ndata: camvid\nsize: [64, 48]\nbatch_size: 4\nvalidate_every: 1\n'
            'frames: 3\ntruncation: 2\nworkers: 1\nepochs: 4\nnotes: {licence: none, data: made}\n')
REPORT = re.compile(r'epoch \d+: .*')


def test_killed_and_resumed_run_equals_the_unbroken_one(tmp_path):
    write_camvid(tmp_path / 'data', 'train', 10)
    write_camvid(tmp_path / 'data', 'val', 2)
    (tmp_path / 'settings.yaml').write_text(SETTINGS)

    def train(name):
        return ['train', '--config', tmp_path / 'settings.yaml', '--root', tmp_path / 'data',
                '--output', tmp_path / name]

    unbroken = command(*train('unbroken'))
    assert unbroken.returncode == 0, unbroken.stderr
    killed = subprocess.Popen(
        [sys.executable, '-m', 'mfs_seg_core.train', *map(str, train('killed')[1:])],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = []
    for line in killed.stdout:
        lines += REPORT.findall(line)
        if len(lines) == 2:
            killed.kill()
            break
    killed.wait()
    resumed = command(*train('killed'))
    assert resumed.returncode == 0, resumed.stderr
    lines += REPORT.findall(resumed.stdout)
    expected = REPORT.findall(unbroken.stdout)
    # An epoch whose checkpoint was not yet written stands twice.
    assert len(expected) == 4 and sorted(set(lines)) == sorted(expected)
    ours, theirs = (load_weights(tmp_path / name / 'tiny' / 'tiny.safetensors')[0].state_dict()
                    for name in ('unbroken', 'killed'))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_damaged_checkpoint_is_refused_and_the_one_before_offered(tmp_path):
    write_camvid(tmp_path / 'data', 'train', 4)
    write_camvid(tmp_path / 'data', 'val', 1)
    (tmp_path / 'settings.yaml').write_text(SETTINGS)
    train = ['train', '--config', tmp_path / 'settings.yaml', '--root', tmp_path / 'data',
             '--output', tmp_path / 'runs', '--set']
    assert command(*train, 'epochs=3').returncode == 0
    folder = tmp_path / 'runs' / 'tiny'
    # Of the last two epochs, and the best.
    assert {path.name for path in folder.glob('*.ckpt')} == {
        'best.ckpt', 'epoch=0001.ckpt', 'epoch=0002.ckpt'}
    last = folder / 'epoch=0002.ckpt'
    last.write_bytes(last.read_bytes()[:5000])
    refused = command(*train, 'epochs=4')
    assert refused.returncode == 1 and len(refused.stderr.strip().splitlines()) == 1
    assert (f'{last} is damaged' in refused.stderr
            and 'delete it to go on from epoch=0001.ckpt' in refused.stderr)
    last.unlink()
    resumed = command(*train, 'epochs=4')
    assert resumed.returncode == 0, resumed.stderr
    assert [line.split(':')[0] for line in REPORT.findall(resumed.stdout)] == ['epoch 3', 'epoch 4']


def test_two_processes_train_as_one(tmp_path):
    """To rounding: of double precision, where none carries a potential across a threshold."""
    write_camvid(tmp_path / 'data', 'train', 8)
    write_camvid(tmp_path / 'data', 'val', 2)
    (tmp_path / 'settings.yaml').write_text(SETTINGS)
    trained = []
    for devices in (1, 2):
        output = tmp_path / str(devices)
        done = command('train', '--config', tmp_path / 'settings.yaml', '--root',
                       tmp_path / 'data', '--output', output, '--set', 'epochs=2', 'frames=1',
                       'precision=64-true', f'batch_size={4 // devices}', f'devices={devices}')
        assert done.returncode == 0, done.stderr
        assert done.stdout.count('validation mIoU') == 1
        trained.append(load_weights(output / 'tiny' / 'tiny.safetensors')[0].state_dict())
    one, two = trained
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-5, atol=1e-6, msg=name)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    write_camvid(tmp_path / 'data', 'train', 8)
    write_camvid(tmp_path / 'data', 'val', 2)
    (tmp_path / 'settings.yaml').write_text(SETTINGS)
    done = command('train', '--config', tmp_path / 'settings.yaml', '--root', tmp_path / 'data',
                   '--output', tmp_path / 'runs', '--set', 'learning_rate=1e30')
    assert done.returncode == 1
    assert re.search(r'train: the loss is nan in step \d+ \(epoch 1, clips \[\d', done.stderr)
    assert 'last good checkpoint, none' in done.stderr and 'Traceback' not in done.stderr
    assert not (tmp_path / 'runs' / 'tiny' / 'tiny.safetensors').exists()


def test_unet_trains_by_the_same_command(tmp_path):
    write_camvid(tmp_path / 'data', 'train', 4)
    write_camvid(tmp_path / 'data', 'val', 1)
    (tmp_path / 'settings.yaml').write_text(SETTINGS)
    done = command('train', '--config', tmp_path / 'settings.yaml', '--root', tmp_path / 'data',
                   '--model', 'unet', '--output', tmp_path / 'runs', '--set', 'epochs=1')
    assert done.returncode == 0, done.stderr
    weights = tmp_path / 'runs' / 'tiny' / 'tiny.safetensors'
    done = command('evaluate', '--weights', weights, '--data', 'camvid', '--root',
                   tmp_path / 'data', '--json', tmp_path / 'val.json')
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / 'val.json').read_text())['firing_rate'] is None
    # Of 31 M parameters: not to be left lying about.
    shutil.rmtree(tmp_path / 'runs')


@pytest.mark.parametrize('settings, channels, message', [
    (Settings('x', 'street', start='street'), 10, 'size mismatch for stem.conv.weight'),
    (Settings('x', 'street', start='street', model='unet'), 3, 'is missing in it')])
def test_start_from_another_network(settings, channels, message):
    with pytest.raises(ValueError, match=f'cannot start from street: .*{message}'):
        Training(settings, CAMVID, channels, torch.ones(len(CAMVID)))


def test_state_is_carried_from_clip_to_clip(tmp_path):
    """Each stream goes on with its own state, but at a new sequence and, at times, by chance."""
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


@pytest.fixture
def weights(tmp_path):
    network = untrained('fast')
    save_weights(tmp_path / 'test.safetensors', network, metadata_of(network))
    return tmp_path / 'test.safetensors'


def test_evaluate_street(weights, tmp_path):
    done = command('evaluate', '--weights', weights, '--data', 'street', '--camera', 'dim',
                   '--seeds', 2, '--frames', 3, '--steps', 2, '--size', 48, 40,
                   '--json', tmp_path / 'out' / 'street.json')
    assert done.returncode == 0, done.stderr
    assert 'mIoU (global)' in done.stdout and 'Bicyclist' in done.stdout
    result = json.loads((tmp_path / 'out' / 'street.json').read_text())
    assert result['frames'] == 6 and result['camera'] == 'dim'
    assert result['input_size'] == [48, 40]
    assert all(0 <= result[mode]['miou'] < 0.5 for mode in ('reset@1', 'repeat@2', 'stream@1'))
    assert result['reset@1'] != result['repeat@2'] != result['stream@1']


@pytest.mark.parametrize('arguments, message', [
    (('--weights', 'nowhere', '--data', 'street'), 'no weights'),
    (('--weights', 'W', '--data', 'camvid'), 'add --root DIR'),
    (('--weights', 'W', '--data', 'camvid', '--root', 'nowhere'), 'val.txt is missing'),
    (('--weights', 'W', '--data', 'street', '--seeds', '0'), 'no frame to evaluate'),
    (('--weights', 'W', '--data', 'street', '--rate', '0'), 'frames per second, above 0'),
    (('--weights', 'W', '--data', 'street', '--steps', '0'), 'give 1 or more'),
    (('--weights', 'W', '--data', 'street', '--size', '8', '8'), 'must be at least 32x32')])
def test_evaluate_misuse(weights, arguments, message):
    done = command('evaluate', *(weights if a == 'W' else a for a in arguments))
    assert done.returncode == 1 and message in done.stderr and len(done.stderr.splitlines()) == 1
