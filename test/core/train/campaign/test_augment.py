# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Augmentation on a device: labels follow the images, motion, pasted objects, seeds."""

import pytest
import torch

from mfs_seg_core.train.campaign.augment import RARE, DeviceAugment
from mfs_seg_core.train.campaign.stage import Stage

WIDTH, HEIGHT = 64, 48
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)


def augmented(seed=0, count=16, **settings):
    """Return frames as pixels 0..1 and labels of images whose brightness is their class."""
    torch.manual_seed(3)
    # Areas of 8x8 pixels.
    labels = torch.randint(0, 2, (count, HEIGHT // 8, WIDTH // 8))
    labels = labels.repeat_interleave(8, 1).repeat_interleave(8, 2).byte()
    images = (labels * 255)[..., None].expand(-1, -1, -1, 3)
    stage = Stage('x', 'lite', size=(WIDTH, HEIGHT), crop=(WIDTH, HEIGHT),
                  **{'colour': 0.0, **settings})
    torch.manual_seed(seed)
    frames, classes, elapsed = DeviceAugment(stage, MEAN, STD, 'cpu')(images, labels)[:3]
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (MEAN, STD))
    return frames * std + mean, classes, elapsed


def test_labels_follow_the_images():
    pixels, classes, _ = augmented(scale=(0.6, 2.0))
    assert classes.shape == (1, 16, HEIGHT, WIDTH) and pixels.shape == (1, 16, 3, HEIGHT, WIDTH)
    known = classes != 255
    assert set(classes.unique().tolist()) == {0, 1, 255}
    right = (pixels.mean(2) > 0.5) == (classes == 1)
    # Pixels on the edges of areas are blends of two.
    assert right[known].float().mean() > 0.9
    flat = ((pixels.mean(2) < 0.02) | (pixels.mean(2) > 0.98)) & known
    assert flat.float().mean() > 0.4 and right[flat].float().mean() > 0.995


def test_beyond_the_edge_is_void_and_mean():
    pixels, classes, _ = augmented(scale=(0.5, 0.5))
    void = classes == 255
    assert 0.5 < void.float().mean() < 0.9
    outside = pixels[0].permute(0, 2, 3, 1)[void[0]]
    # A bilinear edge is half inside.
    close = torch.isclose(outside, torch.tensor(MEAN), atol=1e-3).all(-1)
    assert close.float().mean() > 0.9


def test_images_have_windows_of_their_own():
    _, classes, _ = augmented(seed=5)
    _, same, _ = augmented(seed=5)
    _, other, _ = augmented(seed=6)
    assert torch.equal(classes, same) and not torch.equal(classes, other)


def test_colours_change_pixels_only():
    plain, classes, _ = augmented()
    pixels, _, _ = augmented(colour=1.0)
    assert not torch.allclose(plain, pixels, atol=0.1) and set(classes.unique().tolist()) <= {
        0, 1, 255}


def test_frames_of_a_moving_camera():
    pixels, classes, elapsed = augmented(frames=3, scale=(1.5, 1.5))
    assert len(pixels) == len(classes) == 3 and elapsed.shape == (16,)
    assert all(frame.is_contiguous(memory_format=torch.channels_last) for frame in pixels)
    assert 0.5 <= elapsed.min() and elapsed.max() <= 4
    assert not torch.equal(classes[0], classes[1]) and not torch.equal(classes[1], classes[2])
    # The nearer in time, the more alike.
    def alike(a, b):
        return (classes[a] == classes[b]).float().mean()
    assert alike(1, 2) > alike(0, 2) > 0.6
    right = (pixels.mean(2) > 0.5) == (classes == 1)
    assert right[classes != 255].float().mean() > 0.9


@pytest.mark.parametrize('share, pasted', [(0.0, False), (1.0, True)])
def test_pasted_objects_bring_their_pixels(share, pasted):
    labels = torch.zeros(2, HEIGHT, WIDTH, dtype=torch.uint8)
    labels[0, :, :WIDTH // 2] = RARE[0]
    images = (labels == RARE[0]).byte()[..., None].expand(-1, -1, -1, 3) * 255
    stage = Stage('x', 'lite', size=(WIDTH, HEIGHT), crop=(WIDTH, HEIGHT), colour=0.0,
                  scale=(1.0, 1.0), copy_paste=share)
    torch.manual_seed(0)
    frames, classes = DeviceAugment(stage, MEAN, STD, 'cpu')(images, labels)[:2]
    on_other = classes[0, 1] == RARE[0]
    assert bool(on_other.any()) == pasted
    if pasted:
        assert torch.equal(frames[0, 1, :, on_other], frames[0, 0, :, on_other])
