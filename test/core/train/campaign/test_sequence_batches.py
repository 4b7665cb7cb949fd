# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of clips of sequences: places, labels and events of a window, streams that continue."""

import pytest
import torch
from support.street_campaign import LENGTH, SEQUENCES, SIZE, STEP_S, marked_sequences

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.train.campaign.networks import describe
from mfs_seg_core.train.campaign.sequence_batches import SequenceClips
from mfs_seg_core.train.campaign.stage import Stage


@pytest.fixture(scope='module')
def sequences(tmp_path_factory):
    return marked_sequences(tmp_path_factory.mktemp('sequences'))


def clips_of(sequences, **settings):
    torch.manual_seed(0)
    stage = Stage('x', 'lite', size=SIZE, crop=SIZE, **{
        'batch_size': 4, 'frames': 2, 'carry': True, 'colour': 0.0, 'scale': (1.0, 1.0),
        **settings})
    return SequenceClips(stage, sequences, describe(stage, CAMVID, 2), 'cpu')


def bytes_of(clips, batch):
    """Return red, green and blue of the middle of each image, 0..255, [T, B, 3]."""
    looks = clips.looks
    pixels = torch.stack([frame * looks.std + looks.mean for frame in batch.images])
    return (255 * pixels[..., SIZE[1] // 2, SIZE[0] // 2]).round()


@pytest.mark.parametrize('frames', [1, 2])
def test_a_place_is_a_clip(sequences, frames):
    clips = clips_of(sequences, frames=frames)
    per_sequence = LENGTH // frames
    assert len(clips) == SEQUENCES * per_sequence
    batch = clips(torch.tensor([0, 1, per_sequence, 3 * per_sequence + 1]))
    _, green, blue = bytes_of(clips, batch).unbind(-1)
    first = torch.tensor([0, frames, 0, frames])
    assert torch.equal(green, 20. * (first + torch.arange(frames)[:, None]))
    assert torch.equal(blue, torch.tensor([0., 0, 20, 60]).expand(frames, 4))
    assert batch.elapsed.tolist() == pytest.approx([STEP_S / 0.05] * 4)


def test_labels_and_events_follow_the_images(sequences):
    clips = clips_of(sequences, scale=(0.5, 2.0))
    batch = clips(torch.arange(4) * 2)
    red = (batch.images * clips.looks.std + clips.looks.mean)[:, :, 0]
    events = batch.events.mean(2)
    for known in (0, 1):
        pixels = batch.labels == known
        assert pixels.any()
        # The borders of classes are interpolated.
        assert ((red[pixels] > 0.5) == bool(known)).float().mean() > 0.97
        assert ((events[pixels] > 0.5) == bool(known)).float().mean() > 0.97
    assert (batch.labels == 255).any() and not events[batch.labels == 255].gt(0.6).any()
    for frames in (batch.images, batch.events):
        assert all(each.is_contiguous(memory_format=torch.channels_last) for each in frames)


def test_the_clips_of_a_sequence_have_one_look(sequences):
    clips = clips_of(sequences, scale=(0.5, 2.0), colour=1.0)
    first = clips(torch.tensor([0, 2, 4, 6]))
    looks = [x.clone() for x in (*clips.look, *clips.light, *clips.modalities)]
    second = clips(torch.tensor([1, 3, 8, 7]))
    assert not first.follows.any() and second.follows.tolist() == [True, True, False, True]
    assert torch.equal(first.labels[:, [0, 1, 3]], second.labels[:, [0, 1, 3]])
    same = [[bool(torch.equal(old[i], new[i])) for i in range(4)]
            for old, new in zip(looks, (*clips.look, *clips.light, *clips.modalities))]
    assert all(each[0] and each[1] and each[3] for each in same)
    assert not all(each[2] for each in same)


def test_a_share_of_the_bright_streams_is_in_dim_light(sequences):
    """Sequences 0 and 3 are by day, 1 is at night, 2 in dim light already."""
    places = torch.tensor([0, 2, 4, 6])

    def first(dim):
        clips = clips_of(sequences, dim=dim)
        return bytes_of(clips, clips(places)), (clips.light.share < dim).flatten()

    (plain, _), (none, _), (all_dim, _), (half, chosen) = map(first, (0.0, 1e-9, 1.0, 0.5))
    changed = [[not torch.equal(plain[:, i], each[:, i]) for i in range(4)]
               for each in (none, all_dim)]
    assert changed == [[False] * 4, [True, False, False, True]]
    assert torch.equal(half[:, 1:3], plain[:, 1:3])
    assert all(torch.equal(half[:, i], plain[:, i]) != chosen[i] for i in (0, 3))


def test_each_step_has_its_own_noise_of_dim_light(sequences):
    """Red is that of the label, which does not change from frame to frame."""
    differ = []
    for dim in (0.0, 1.0):
        # Both sequences are by day.
        red = clips_of(sequences, dim=dim)(torch.tensor([0, 6, 0, 6])).images[:, :, 0]
        differ.append(((red[0] - red[1]).abs() > 0.01).float().mean().item())
    # Of bright and of dark pixels, the noise of half is cut off.
    assert differ[0] < 0.01 and differ[1] > 0.5


def test_without_a_state_each_clip_has_its_own_look(sequences):
    clips = clips_of(sequences, scale=(0.5, 2.0), carry=False)
    first, second = (clips(torch.tensor(places)) for places in ([0, 2, 4, 6], [1, 3, 5, 7]))
    assert second.follows is None
    assert not torch.equal(first.labels, second.labels)


def test_a_clip_of_another_place_does_not_follow(sequences):
    clips = clips_of(sequences, frames=1)
    clips(torch.tensor([0, 1, 5, 3]))
    # The next one, one further on, the same again, and the first of the next sequence.
    assert clips(torch.tensor([1, 3, 5, 4])).follows.tolist() == [True, False, False, False]


@pytest.mark.parametrize('carry', [True, False])
def test_the_order_covers_all_clips(sequences, carry):
    clips = clips_of(sequences, carry=carry)
    per_epoch = len(clips) // 4
    order = clips.order(3 * per_epoch)
    assert len(order) == 3 * len(clips)
    for epoch in order.view(3, -1):
        assert epoch.sort().values.tolist() == list(range(len(clips)))
    assert torch.equal(order, clips_of(sequences, carry=carry).order(3 * per_epoch))
    steps = order.view(-1, 4)
    follows = (steps[1:] == steps[:-1] + 1) & (steps[1:] % 2 > 0)
    # All second clips, but for those at the ends of the epochs.
    assert (follows.sum() >= 3 * len(clips) / 2 - 3 * 4) == carry
