# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ANN baseline: its size, images of any size, learning."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.weights.file import save_weights
from mfs_seg_core.weights.metadata import Metadata


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def small(classes: int) -> UNet:
    return UNet(UNetConfig(classes, width=4))


def score(network: UNet, images: torch.Tensor) -> torch.Tensor:
    return network(images[None]).logits[-1][0]


def test_size_of_the_paper():
    # Only shapes, without memory for the weights.
    with torch.device('meta'):
        unet, spiking = UNet(UNetConfig(12)), MFSSeg(named_config('paper', classes=12))
    assert parameters(unet) == pytest.approx(31.04e6, rel=1e-3)
    assert parameters(unet) / parameters(spiking) == pytest.approx(31, rel=0.02)


@pytest.mark.parametrize('height, width', [(32, 48), (33, 47), (17, 16), (1, 1), (45, 60)])
@torch.no_grad()
def test_any_size(height, width):
    scores = score(small(5).eval(), torch.randn(2, 3, height, width))
    assert scores.shape == (2, 5, height, width)
    assert scores.isfinite().all()


@torch.no_grad()
def test_padding_shifts_nothing():
    """Far from the padded edge, scores equal those of an image without padding."""
    torch.manual_seed(0)
    network, image = small(3).eval(), torch.randn(1, 3, 160, 160)
    whole, part = score(network, image), score(network, image[..., :150])
    # A score depends on pixels up to some 100 away.
    torch.testing.assert_close(whole[..., :8], part[..., :8])


def test_learning_a_bright_half():
    torch.manual_seed(0)
    network = small(2)
    images = 0.3 * torch.randn(4, 3, 30, 34)
    labels = torch.zeros(4, 30, 34, dtype=torch.long)
    for index, (image, label) in enumerate(zip(images, labels)):
        half = slice(0, 15) if index % 2 else slice(15, 30)
        image[:, half] += 1
        label[half] = 1
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(30):
        optimiser.zero_grad()
        functional.cross_entropy(score(network, images), labels).backward()
        optimiser.step()
    correct = score(network.eval(), images).argmax(1) == labels
    assert correct.float().mean() > 0.95


def test_every_parameter_learns():
    network = small(3)
    score(network, torch.randn(2, 3, 40, 40)).square().mean().backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


def test_unet_in_a_segmenter(tmp_path):
    network = small(len(CAMVID)).eval()
    metadata = Metadata('baseline', network.config, CAMVID, (64, 48), (0.4,) * 3, (0.3,) * 3, 0.05)
    save_weights(tmp_path / 'unet.safetensors', network, metadata)
    segmenter = Segmenter.from_weights(tmp_path / 'unet.safetensors')
    assert isinstance(segmenter.network, UNet) and segmenter.metadata.config == network.config
    frame = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    first, second = (segmenter.step(frame, firing_rate=True) for _ in range(2))
    assert first.firing_rate is None and first.mask.shape == (30, 50)
    assert np.array_equal(first.mask, second.mask)
