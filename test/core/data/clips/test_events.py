# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of recorded events, and training on them with the shipped settings."""

import numpy as np
import pytest
from support.event_trees import random_events, write_dsec, write_ess, write_ev_segnet
from support.paths import CONFIG

from mfs_seg_core.data.clips.augment import Augmented
from mfs_seg_core.data.clips.events import EventClips
from mfs_seg_core.data.ddd17 import DDD17
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.train.__main__ import main
from mfs_seg_core.weights.file import load_weights

CONFIGS = CONFIG / 'train'
STAMPS = [50_000 * i for i in range(1, 8)]


def tensor_of(item, bins):
    """Return the event tensor of an item, from its first event to its last."""
    window = EventWindow(item.events, item.events.t[0], item.events.t[-1] + 1, (346, 200))
    return event_tensor(window, bins, 346, 200).transpose(1, 2, 0)


@pytest.fixture
def ess(tmp_path):
    for seed, name in enumerate(('dir0', 'dir1')):
        events = random_events(20_000, 500_000, (346, 260), seed)
        write_ess(tmp_path, name, events, STAMPS, list(range(1, 8)))
    return tmp_path


def test_clips_follow_the_recordings(ess):
    """Seven labels per recording make three sequences of two clips; none spans two recordings."""
    recordings = DDD17(ess, ['dir0', 'dir1'])
    clips = EventClips(recordings, length=2, frames=1, bins=3)
    assert len(clips) == 12 and clips.channels == 6
    assert [clips[i].follows for i in range(4)] == [False, True, False, True]
    # The sixth clip ends dir0's last whole sequence; the seventh is dir1's first.
    for index, item in ((5, recordings[5]), (6, recordings[7])):
        assert item.events.count > 1000
        assert np.array_equal(clips[index].images[0], tensor_of(item, 3))
        assert np.array_equal(clips[index].label, item.label)
    assert clips[5].step_s == pytest.approx(0.05) and clips[5].images.dtype == np.float32


def test_frames_are_the_windows_before_the_label(ess):
    recordings = DDD17(ess, ['dir0'])
    clip = EventClips(recordings, length=1, frames=3, bins=2)[1]
    assert clip.images.shape == (3, 200, 346, 4) and not clip.follows
    assert np.array_equal(clip.label, recordings[5].label)
    assert np.array_equal(clip.images[0], tensor_of(recordings[3], 2))


def test_too_few_labels(ess):
    with pytest.raises(ValueError, match='no recording has 8 labels'):
        EventClips(DDD17(ess, 'test'), length=8, frames=1, bins=5)


def test_augmentation_keeps_counts_as_they_are(ess):
    """Event tensors get windows and mirroring, but no changes of colour."""
    augmented = Augmented(EventClips(DDD17(ess, ['dir0']), 2, 1, 1), (346, 200), 0)
    augmented.SCALE = (1.0, 1.0)
    images = augmented[3].images
    original = augmented.clips[3].images
    assert images.dtype == np.float32
    assert any(np.array_equal(images, image) for image in (original, original[:, :, ::-1]))


@pytest.mark.parametrize('layout', ['ess', 'ev_segnet', 'dsec'])
def test_training(tmp_path, layout):
    """The shipped settings train on small trees; the metadata name the modality 'events'."""
    for name in ('h5py', 'lightning', 'tensorboard'):
        pytest.importorskip(name, reason=f'{name} is not installed: nothing was trained')
    config, splits = 'ddd17', []
    if layout == 'ess':
        for name in ('dir0', 'dir3', 'dir4', 'dir6', 'dir7'):
            events = random_events(1000, 100_000, (346, 260))
            write_ess(tmp_path, name, events, STAMPS[:2], [1, 2])
    elif layout == 'ev_segnet':
        splits = ['train_split=train', 'val_split=test']
        for split in ('train', 'test'):
            write_ev_segnet(tmp_path, split, 'rec1', [1, 2])
    else:
        config, splits = 'dsec', ['train_split=[zurich_city_00_a]', 'val_split=[zurich_city_01_a]']
        for name in ('00_a', '01_a'):
            write_dsec(tmp_path / 'train' / f'zurich_city_{name}',
                       random_events(5000, 800_000, (640, 480)),
                       [50_000 * i for i in range(1, 15)])
    assert main(['--config', str(CONFIGS / f'{config}.yaml'), '--root', str(tmp_path),
                 '--output', str(tmp_path / 'runs'), '--set', 'size=[96,56]', 'crop=[64,48]',
                 'length=2', 'epochs=1', 'validate_every=1', 'batch_size=1', 'workers=0',
                 *splits]) == 0
    path = tmp_path / 'runs' / config / f'{config}.safetensors'
    network, metadata = load_weights(path)
    assert network.config.inputs == (6 if layout == 'ev_segnet' else 10)
    assert metadata.modality == 'events'
    assert len(metadata.classes) == (11 if config == 'dsec' else 6)
    if layout == 'ev_segnet':
        with pytest.raises(ValueError, match="tensors of a data set's own"):
            Segmenter.from_weights(path)
        return
    segmenter = Segmenter.from_weights(path)
    size = metadata.input_size
    events = random_events(3000, 50_000, size)
    mask = segmenter.step(events=EventWindow(events, 0, 50_000, size)).mask
    assert mask.shape == size[::-1]
    with pytest.raises(ValueError, match='take input of events, not of camera'):
        segmenter.step(np.zeros((*size[::-1], 3), np.uint8))
