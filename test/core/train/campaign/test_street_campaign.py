# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small campaigns on Street: twin, conversion and state of both sensors, figures, resuming."""

import json

import pytest
import torch
from support.street_campaign import SIZE, street_campaign, write_all

from mfs_seg_core.evaluate.__main__ import main as evaluate
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.train.__main__ import main
from mfs_seg_core.train.campaign.loop import CHECKPOINT, StageRun
from mfs_seg_core.train.campaign.sequences import DeviceSequences
from mfs_seg_core.train.campaign.step import OptimiserStep
from mfs_seg_core.train.campaign.validate_sequences import SequencesHeldOut
from mfs_seg_core.weights.file import load_weights

STAGES = ('name: twin, model: lite_twin', 'name: direct, model: lite, start: twin, teacher: twin',
          'name: stream, model: lite, start: direct, frames: 2, carry: true')


def train(path, folder, *options):
    return main(['--campaign', str(path), '--output', str(folder), '--device', 'cpu', *options])


def weights_of(folder, name):
    return folder / 'made' / name / f'{name}.safetensors'


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp('runs')
    path = street_campaign(folder, *STAGES)
    write_all(path, folder)
    assert train(path, folder) == 0
    return folder


def test_figures_by_modality_and_condition(finished):
    found = json.loads((finished / 'made' / 'stream' / 'stream.json').read_text())
    modes = [f'{mode}{part}' for mode in ('reset@1', 'stream@1') for part in (
        '', *(f' {modality} {condition}' for modality in ('camera', 'events', 'fusion')
              for condition in ('day', 'night', 'dim')))]
    assert list(found['figures']) == modes
    assert found['images'] == 48 and found['validated_on'] == 12 and found['steps'] == 6
    table = (finished / 'made' / 'table.md').read_text()
    assert '| stage | mode | modality | day | night | dim |' in table
    assert '| stream | stream@1 | fusion |' in table


def test_weights_take_both_sensors(finished):
    network, metadata = load_weights(weights_of(finished, 'stream'))
    assert metadata.modality == 'fusion' and metadata.event_bins == 2
    assert network.config.events == 4 and not network.config.analogue
    assert set(metadata.notes) == {'licence', 'data', 'street_miou_reset@1', 'street_miou_stream@1'}
    assert evaluate(['--weights', str(weights_of(finished, 'stream')), '--data', 'street',
                     '--sensors', 'all', '--conditions', 'day', '--seeds', '1', '--frames', '2'
                     ]) == 0


@pytest.mark.parametrize('stream', [True, False])
@torch.no_grad()
def test_measurements_are_those_of_single_sequences(finished, stream):
    campaign = write_all(finished / 'made.yaml', finished)
    files = campaign.street.files(finished / 'made', SIZE)[1]
    sequences = DeviceSequences(files, 3, 'cpu')
    network, metadata = load_weights(weights_of(finished, 'stream'))
    # Other times than the nominal step.
    sequences.steps_s = torch.tensor([0.05, 0.1, 0.2])
    found = SequencesHeldOut(sequences, metadata).measure(network, stream)
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (metadata.mean, metadata.std))
    for number, condition in enumerate(sequences.conditions):
        matrix, state = ConfusionMatrix(11), None
        for frame in range(4 * number, 4 * number + 4):
            part = slice(frame, frame + 1)
            image = (sequences.images[part].permute(0, 3, 1, 2) / 255 - mean) / std
            logits, after, _ = network(image[None], state, events=sequences.windows(part)[None],
                                       elapsed=float(sequences.steps_s[number]) / 0.05)
            state = after if stream else None
            matrix.update(logits[-1][0].argmax(1).byte().numpy(), sequences.labels[part].numpy())
        counts = found[f'{"stream" if stream else "reset"}@1 fusion {condition}'].counts
        # Rounding may move a potential across a threshold.
        assert abs(counts - matrix.counts).sum() <= 0.02 * matrix.counts.sum()


class Stopped(Exception):
    """A run is stopped."""


def test_a_stopped_stage_with_a_state_continues(tmp_path, monkeypatch, capsys):
    path = street_campaign(tmp_path, 'name: a, model: fast, frames: 2, carry: true, epochs: 2, '
                           'checkpoint_s: 0')
    campaign = write_all(path, tmp_path)
    step, made = OptimiserStep.__call__, []

    def stopping(self, index, progress, number):
        if number == 5 and number not in made:
            made.append(number)
            raise Stopped
        made.append(number)
        step(self, index, progress, number)

    monkeypatch.setattr(OptimiserStep, '__call__', stopping)
    with pytest.raises(Stopped):
        StageRun(campaign, campaign.stages[0], None, tmp_path / 'made', 'cpu').run()
    assert (tmp_path / 'made' / 'a' / CHECKPOINT).is_file()
    assert train(path, tmp_path) == 0
    assert made == [*range(6), *range(5, 12)]
    assert weights_of(tmp_path, 'a').is_file()


def test_root_has_no_effect(finished, capsys):
    assert train(finished / 'made.yaml', finished, '--root', '.') == 1
    assert '--root has no effect with a campaign on Street' in capsys.readouterr().err
