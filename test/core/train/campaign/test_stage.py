# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of campaigns: valid ones, and a sentence for each kind of wrong one."""

import pytest
from support.paths import CONFIG

from mfs_seg_core.train.campaign.stage import read_campaign

STREET = ('name: x\nstreet: {sequences: 8, length: 4}\ncommon: {batch_size: 8}\nstages: ')
CAMPAIGNS = sorted((CONFIG / 'train' / 'campaigns').glob('*.yaml'))


@pytest.mark.parametrize('path', CAMPAIGNS, ids=lambda path: path.stem)
def test_shipped_campaigns_are_valid(path):
    campaign = read_campaign(path)
    names = [stage.name for stage in campaign.stages]
    for stage in campaign.stages:
        assert stage.notes['licence'] and stage.notes['data']
        assert all(names.index(need) < names.index(stage.name) for need in campaign.needs(stage))


def test_common_settings_and_needs(tmp_path):
    path = tmp_path / 'campaign.yaml'
    path.write_text('name: x\ncommon: {epochs: 7, crop: [64, 48]}\nstages:\n'
                    '  - {name: a, model: lite_twin}\n'
                    '  - {name: b, model: lite, start: a, teacher: a, epochs: 3}\n'
                    '  - {name: c, model: fast, start: street}\n')
    a, b, c = (campaign := read_campaign(path)).stages
    assert (a.epochs, b.epochs, b.crop) == (7, 3, (64, 48))
    assert [campaign.needs(each) for each in (a, b, c)] == [[], ['a', 'a'], []]


@pytest.mark.parametrize('text, sentence', [
    ('name: [', 'cannot be read as YAML'), ('stages: []', 'a name and a list of stages'),
    ('name: x\nstages: [a]', 'stage 1: write one'),
    ('name: x\nstages: [{name: a}]', "stage 1: setting 'model' is missing"),
    ('name: x\nstages: [{name: a, model: vgg}]', 'model must be one of fast, paper, unet, lite'),
    ('name: x\nstages: [{name: a, model: fast, epoch: 3}]', "unknown setting 'epoch'"),
    ('name: x\nstages: [{name: a, model: fast, epochs: 0}]', 'epochs must be at least 1'),
    ('name: x\nstages: [{name: a, model: fast, crop: 64}]', "'crop' must be a list"),
    ('name: x\nstages: [{name: a, model: fast, scale: [2, 1]}]', 'the smaller one first'),
    ('name: x\nstages: [{name: a, model: fast, teacher: b}]', "teacher 'b' is no stage before"),
    ('name: x\nstages: [{name: a, model: fast, start: b}, {name: b, model: fast}]',
     "starts from 'b', which is no stage before: choose from none"),
    ('name: x\nstages: [{name: street, model: fast, start: street}]', "starts from 'street'"),
    ('name: x\nstages: [{name: a, model: fast}, {name: a, model: fast}]', 'occurs twice'),
    ('name: x\nstages: [{name: a, model: fast, carry: true}]', 'carry has no effect on CamVid'),
    ('name: x\nstages: [{name: a, model: fast, camera: 0.5}]', 'camera has no effect on CamVid'),
    (STREET + '[{name: a, model: lite, camera: 1.5}]', 'camera is a share of the streams, 0 to 1'),
    (STREET + '[{name: a, model: lite, dim: -0.1}]', 'dim is a share of the streams, 0 to 1'),
    (STREET + '[{name: a, model: unet}]', "'unet' takes no events"),
    (STREET + '[{name: a, model: lite, copy_paste: 0.5}]', 'copy_paste has no effect on Street'),
    (STREET + '[{name: a, model: lite, frames: 9}]', 'sequences have 4: set fewer frames'),
    (STREET + '[{name: a, model: lite, batch_size: 9}]', 'a smaller batch_size'),
    (STREET + '[{name: a, model: lite}, {name: b, model: lite, size: [64, 48]}]', '2 sizes'),
    ('name: x\nstreet: {rates_hz: [40, 5]}\nstages: [{name: a, model: lite}]', 'smaller one first'),
    ('name: x\nstreet: {bins: 0}\nstages: [{name: a, model: lite}]', 'bins must be at least 1'),
    ('name: x\nstreet: {seconds: 1}\nstages: [{name: a, model: lite}]', "setting 'seconds'")])
def test_wrong_files(text, sentence, tmp_path):
    path = tmp_path / 'wrong.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_campaign(path)


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / 'wrong.yaml'
    path.write_bytes(b'\xd6\0')
    with pytest.raises(ValueError, match='wrong.yaml cannot be read as YAML'):
        read_campaign(path)
