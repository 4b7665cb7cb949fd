# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start of a training: converted twins, encoders, added parts, normalisation."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.untrained import metadata_of, untrained

from mfs_seg_core.data.clips.clip import EVENT_BYTE_SCALE, Clip
from mfs_seg_core.data.statistics import MEAN
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.conversion import convert
from mfs_seg_core.streaming.preprocess import normalise
from mfs_seg_core.train.imagenet import FORMAT, IMAGENET_MEAN
from mfs_seg_core.train.module import Training
from mfs_seg_core.train.settings import Settings
from mfs_seg_core.weights.file import save_weights

SIZE = (64, 48)


def clips(count=8):
    """Return clips of two frames of noise with events."""
    random = np.random.default_rng(0)
    return [Clip(random.integers(0, 256, (2, 48, 64, 3), np.uint8), np.zeros((48, 64), np.uint8),
                 0.05, events=random.integers(0, 100, (2, 48, 64, 4), np.uint8))
            for _ in range(count)]


def training(start, model='lite', events=False):
    return Training(Settings('x', 'street', model=model, start=str(start), size=SIZE,
                             events=events, bins=2), CAMVID, 3, torch.ones(11), clips())


@pytest.mark.parametrize('events', [0, 4])
def test_a_twin_is_converted(tmp_path, events):
    """Its ranges are measured on the last frames of the clips."""
    twin = untrained('lite_twin', events=events)
    save_weights(tmp_path / 'twin.safetensors', twin, metadata_of(twin))
    started = training(tmp_path / 'twin.safetensors', events=bool(events))
    images = np.stack([clip.images[-1] for clip in clips()])
    images = normalise(torch.from_numpy(images).permute(0, 3, 1, 2), started.metadata)
    windows = np.stack([clip.events[-1] for clip in clips()]) / np.float32(EVENT_BYTE_SCALE)
    windows = torch.from_numpy(windows).permute(0, 3, 1, 2)
    expected = convert(twin, images, 8, events=windows if events else None)
    assert started.network.config == expected.config
    for name, tensor in expected.state_dict().items():
        torch.testing.assert_close(started.network.state_dict()[name], tensor, msg=name)


def test_an_encoder_is_loaded(tmp_path):
    tensors = {name: torch.full_like(tensor, 3) for name, tensor in
               untrained('lite').state_dict().items()
               if name.startswith(('stem.', 'encoder.')) and not name.endswith('leak')}
    save_file(tensors, tmp_path / 'lite0.safetensors', {'format': FORMAT})
    network = training(tmp_path / 'lite0.safetensors', events=True).network
    assert (network.encoder[2][1].expand.conv.weight == 3).all()
    assert not (network.up[0].conv.weight == 3).any()


def test_events_are_added_to_a_camera_network(tmp_path):
    before = untrained('lite')
    save_weights(tmp_path / 'lite.safetensors', before, metadata_of(before))
    network = training(tmp_path / 'lite.safetensors', events=True).network
    assert torch.equal(network.stem.conv.weight, before.stem.conv.weight)
    assert network.config == dataclasses.replace(before.config, events=4)


def test_a_recurrent_block_is_added_to_the_encoder(tmp_path):
    before = untrained('lite', encoder_recall=False)
    save_weights(tmp_path / 'lite.safetensors', before, metadata_of(before))
    network = training(tmp_path / 'lite.safetensors').network
    assert network.config == dataclasses.replace(before.config, encoder_recall=True)
    for name, tensor in before.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor), name
    assert (network.encoder_recall.project.norm.weight == 1).all()


@pytest.mark.parametrize('model, mean', [('lite', IMAGENET_MEAN), ('fast', MEAN)])
def test_normalisation(model, mean):
    assert training('', model).metadata.mean == mean
