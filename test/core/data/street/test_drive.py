# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Street: reproducible drives at any rate and size, with labels that match the images."""

from itertools import islice

import numpy as np
import pytest

from mfs_seg_core.data.street import Street, StreetFrame
from mfs_seg_core.labels import CAMVID

SEEDS = range(100, 106)
TIMES = (0.0, 4.0, 9.5, 16.0)


@pytest.fixture(scope='module')
def frames() -> list[StreetFrame]:
    """Return frames of several drives at a few times."""
    streets = [Street(seed, 160, 120) for seed in SEEDS]
    return [street.frame(time_s) for street in streets for time_s in TIMES]


def same(one: StreetFrame, other: StreetFrame) -> bool:
    return np.array_equal(one.image, other.image) and np.array_equal(one.label, other.label)


def test_frames_are_rgb_with_a_class_for_every_pixel(frames):
    for frame in frames:
        assert frame.image.shape == (120, 160, 3) and frame.image.dtype == np.uint8
        assert frame.label.shape == (120, 160) and frame.label.dtype == np.uint8
        assert frame.label.max() < len(CAMVID)


def test_the_same_seed_gives_the_same_drive():
    street = Street(7, 96, 72)
    first = list(islice(street, 4))
    # A second iteration, a second object, and a jump in time past other chunks of the road.
    street.frame(90.0)
    for other in (list(islice(street, 4)), list(islice(Street(7, 96, 72), 4))):
        assert all(same(a, b) for a, b in zip(first, other))


def test_seeds_differ(frames):
    starts = frames[::len(TIMES)]
    for index, one in enumerate(starts):
        for other in starts[:index]:
            assert np.mean(one.label != other.label) > 0.05
            assert np.abs(one.image.astype(int) - other.image).mean() > 8


def test_every_class_occurs_in_plausible_shares(frames):
    counts = sum(np.bincount(frame.label.ravel(), minlength=len(CAMVID)) for frame in frames)
    shares = dict(zip(CAMVID.names, counts / counts.sum()))
    bounds = {'Sky': (0.08, 0.35), 'Building': (0.08, 0.4), 'Road': (0.18, 0.45),
              'Pavement': (0.01, 0.15), 'Tree': (0.02, 0.25), 'Car': (0.02, 0.2)}
    for name, share in shares.items():
        low, high = bounds.get(name, (0.001, 0.05))
        assert low < share < high, f'{name} is {share:.2%}'


def test_colour_alone_does_not_predict_the_class(frames):
    image = np.concatenate([frame.image.reshape(-1, 3) for frame in frames]).astype(float)
    label = np.concatenate([frame.label.ravel() for frame in frames])
    means = np.array([image[label == index].mean(0) for index in range(len(CAMVID))])
    sample = np.random.default_rng(0).permutation(len(label))[:20000]
    distance = np.linalg.norm(image[sample, None] - means, axis=2)
    assert np.mean(distance.argmin(1) == label[sample]) < 0.5


def test_the_rate_only_selects_the_times():
    fine = list(islice(Street(11, 96, 72, rate_hz=20.0), 7))
    coarse = list(islice(Street(11, 96, 72, rate_hz=10.0), 4))
    assert [frame.time_s for frame in fine] == pytest.approx([0.05 * i for i in range(7)])
    for one, other in zip(fine[::2], coarse):
        assert one.time_s == other.time_s and same(one, other)


def test_the_size_only_selects_the_resolution():
    small, large = Street(5, 120, 90).frame(3.0), Street(5, 360, 270).frame(3.0)
    assert np.mean(large.label[1::3, 1::3] == small.label) > 0.93


@pytest.mark.parametrize(('width', 'height'), [(16, 16), (97, 41), (41, 97), (333, 251)])
def test_any_size(width, height):
    frame = Street(2, width, height).frame(1.0)
    assert frame.image.shape == (height, width, 3)
    assert frame.label.shape == (height, width)


def test_the_scene_moves_smoothly():
    for seed in SEEDS[:3]:
        drive = list(islice(Street(seed, 160, 120, rate_hz=20.0), 12))
        for one, other in zip(drive, drive[1:]):
            assert not np.array_equal(one.image, other.image)
            assert np.mean(one.label != other.label) < 0.12
        late = np.mean(drive[0].label != drive[-1].label)
        assert late > np.mean(drive[0].label != drive[1].label)


def test_edges_of_labels_lie_on_edges_of_the_image(frames):
    """The image changes most exactly where the label changes, not one pixel away."""
    for axis in (0, 1):
        steps = {shift: 0.0 for shift in range(-2, 3)}
        for frame in frames:
            change = np.abs(np.diff(frame.image.astype(int).sum(2), axis=axis))
            border = np.diff(frame.label.astype(int), axis=axis) != 0
            for shift in steps:
                steps[shift] += np.roll(change, -shift, axis)[border].mean()
        here = steps.pop(0)
        assert here > 1.1 * max(steps.values())


@pytest.mark.parametrize(('arguments', 'word'), [
    ({'seed': -1}, 'seed'), ({'seed': 1.5}, 'seed'), ({'seed': 'a'}, 'seed'),
    ({'width': 0}, 'width'), ({'height': 15}, 'height'), ({'height': 10 ** 6}, 'height'),
    ({'width': 240.5}, 'width'), ({'rate_hz': 0}, 'rate_hz'), ({'rate_hz': -3.0}, 'rate_hz'),
    ({'rate_hz': float('nan')}, 'rate_hz'), ({'rate_hz': float('inf')}, 'rate_hz'),
    ({'rate_hz': '20'}, 'rate_hz'),
])
def test_bad_arguments_are_rejected_in_one_sentence(arguments, word):
    with pytest.raises(ValueError, match=f'^{word} is .*: give ') as error:
        Street(**{'seed': 0, **arguments})
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('time_s', [-0.1, float('nan'), '1'])
def test_a_bad_time_is_rejected(time_s):
    with pytest.raises(ValueError, match='^time_s is .*: give '):
        Street(0, 16, 16).frame(time_s)
