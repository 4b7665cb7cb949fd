# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modality dropout on a device: the kinds of streams and their shares are those of the clips."""

import pytest
import torch

from mfs_seg_core.data.clips.modality_dropout import SHARES, SLOWEST
from mfs_seg_core.train.campaign.modalities import (
    CAMERA,
    EVENTS,
    FUSION,
    OUTAGE,
    SLOW_CAMERA,
    draw_on_device,
    present,
)

COUNT, STEPS = 4000, 12


@pytest.fixture(scope='module')
def drawn():
    torch.manual_seed(0)
    modalities = draw_on_device(COUNT, STEPS, 'cpu')
    steps = torch.stack([present(modalities, torch.full((COUNT,), t)) for t in range(STEPS)])
    # By stream: [steps, sensors].
    return modalities, steps.transpose(0, 1)


def streams_of(drawn, kind):
    modalities, streams = drawn
    return streams[modalities.kind == kind].unbind(-1)


def test_shares(drawn):
    for kind, share in enumerate(SHARES.values()):
        found = (drawn[0].kind == kind).float().mean().item()
        assert found == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize('camera', [0.0, 0.6, 1.0])
def test_another_share_of_cameras(camera):
    kinds = draw_on_device(COUNT, STEPS, 'cpu', camera).kind
    for kind, (name, share) in enumerate(SHARES.items()):
        expected = camera if name == 'camera' else share * (1 - camera) / (1 - SHARES['camera'])
        assert (kinds == kind).float().mean().item() == pytest.approx(expected, abs=0.03)


def test_some_sensor_has_data_in_each_step(drawn):
    assert drawn[1].any(-1).all()


@pytest.mark.parametrize('kind, sensors', [(FUSION, (True, True)), (CAMERA, (True, False)),
                                           (EVENTS, (False, True))])
def test_whole_streams(drawn, kind, sensors):
    for found, expected in zip(streams_of(drawn, kind), sensors):
        assert (found == expected).all()


def test_a_slow_camera_is_regular(drawn):
    periods = set()
    for camera in streams_of(drawn, SLOW_CAMERA)[0]:
        places = camera.nonzero().flatten()
        periods |= set(places.diff().tolist())
        assert len(places.diff().unique()) == 1 and places[0] < SLOWEST
    assert periods == set(range(2, SLOWEST + 1))


def test_an_outage_is_one_interval(drawn):
    lengths = set()
    for camera in streams_of(drawn, OUTAGE)[0]:
        absent = (~camera).nonzero().flatten()
        assert (absent.diff() == 1).all()
        lengths.add(len(absent))
    assert lengths == set(range(STEPS + 1))
