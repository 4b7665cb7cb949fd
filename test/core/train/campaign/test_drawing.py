# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences of Street that a campaign draws: content, rates, continued drawing, reading."""

import numpy as np
import pytest
import torch

from mfs_seg_core.data.clips.clip import EVENT_BYTE_SCALE
from mfs_seg_core.data.clips.street import FUSION_CONDITIONS
from mfs_seg_core.data.street import Street
from mfs_seg_core.train.campaign.drawing import APART_S, draw
from mfs_seg_core.train.campaign.sequences import DeviceSequences
from mfs_seg_core.train.campaign.street_settings import PER_DRIVE, StreetSettings

SIZE = (64, 48)
SETTINGS = StreetSettings(sequences=PER_DRIVE, held_out=1, length=2, rates_hz=(5.0, 40.0), bins=2)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('drawn')
    draw(SETTINGS, folder, SIZE)
    return folder


def arrays_of(path):
    with np.load(path) as drive:
        return dict(drive)


def test_frames_are_those_of_street(folder):
    (train,), (held_out,) = SETTINGS.files(folder, SIZE)
    drive = arrays_of(train)
    assert drive['conditions'].tolist() == 2 * list(FUSION_CONDITIONS[0])
    assert arrays_of(held_out)['conditions'].shape == (PER_DRIVE,)
    steps_s = drive['steps_s']
    assert len(set(steps_s)) == PER_DRIVE and 1 / 40 <= steps_s.min() <= steps_s.max() <= 1 / 5
    street = Street(0, *SIZE)
    # The fourth sequence is by day. Times are rounded in the file, which the noise depends on.
    frame = street.frame(3 * APART_S + 2 * float(steps_s[3]))
    assert (drive['labels'][3, 1] == frame.label).mean() > 0.99
    assert np.abs(drive['images'][3, 1].astype(int) - frame.image).mean() < 8
    assert drive['images'][1].mean() < 0.7 * drive['images'][0].mean(), 'the second is by night'
    assert drive['events'].any((2, 3, 4)).all()


def test_drawing_continues(folder, capsys):
    (train,), (held_out,) = SETTINGS.files(folder, SIZE)
    expected, kept = arrays_of(train), held_out.stat().st_mtime_ns
    train.unlink()
    draw(SETTINGS, folder, SIZE)
    assert 'street: 1 of 1 drives drawn' in capsys.readouterr().out
    found = arrays_of(train)
    assert held_out.stat().st_mtime_ns == kept
    assert all(np.array_equal(found[name], array) for name, array in expected.items())
    draw(SETTINGS, folder, SIZE)
    assert not capsys.readouterr().out


def test_sequences_in_memory(folder):
    (train,), _ = SETTINGS.files(folder, SIZE)
    drive, sequences = arrays_of(train), DeviceSequences([train], 4, 'cpu')
    assert len(sequences) == 4 and sequences.length == 2
    assert sequences.conditions == drive['conditions'][:4].tolist()
    assert np.array_equal(sequences.images[5], drive['images'][2, 1])
    assert np.array_equal(sequences.labels[5], drive['labels'][2, 1])
    window = sequences.windows(slice(5, 6))
    assert window.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal((window[0] * EVENT_BYTE_SCALE).round().permute(1, 2, 0),
                          drive['events'][2, 1])
    shares = np.bincount(drive['labels'][:4].ravel(), minlength=11) / drive['labels'][:4].size
    expected = torch.tensor(1 / np.log(1.1 + shares)).float()
    torch.testing.assert_close(sequences.class_weights(11), expected / expected.mean())
