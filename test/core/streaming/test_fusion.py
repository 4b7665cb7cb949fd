# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fusion: networks that take a camera and events, either of them, or both in turn."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from support.event_trees import random_events
from support.untrained import metadata_of, untrained

from mfs_seg_core.data.clips.modality_dropout import SHARES, draw_modalities
from mfs_seg_core.data.clips.street import StreetClips
from mfs_seg_core.evaluate.__main__ import main
from mfs_seg_core.evaluate.robustness import drive
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.streaming.segmenter import Segmenter, step_together
from mfs_seg_core.weights.file import build, load_weights, save_weights

# Seeded: in rare samples, rounding moves a potential across the threshold of a spike.
RANDOM = torch.Generator().manual_seed(0)
IMAGES = torch.randn(4, 3, 3, 48, 64, generator=RANDOM)
EVENTS = torch.rand(4, 3, 4, 48, 64, generator=RANDOM)
SIZE = (64, 48)


@pytest.fixture(params=['fast', 'lite'])
def network(request):
    """Return a network whose joint block is not the initial sum."""
    network = untrained(request.param, 4)
    torch.nn.init.ones_(network.events.join.project.norm.weight)
    return network


@torch.no_grad()
def run(network, present: list[tuple[bool, bool]], stream: int):
    """Step one stream with the sensors present in each step; return the last scores and state."""
    state = None
    for t, (camera, events) in enumerate(present):
        one = slice(stream, stream + 1)
        scores, state, _ = network(IMAGES[t:t + 1, one] if camera else None, state,
                                   events=EVENTS[t:t + 1, one] if events else None)
    return scores[-1][0, 0], state


@torch.no_grad()
def test_absent_sensors_of_a_batch(network):
    """A tensor of present sensors, as in training, equals inputs that are None, as in a stream."""
    present = torch.tensor([[[1, 1], [1, 0], [0, 1]], [[1, 0], [1, 0], [0, 1]],
                            [[0, 1], [1, 0], [0, 1]], [[1, 1], [1, 0], [0, 1]]], dtype=torch.bool)
    together = network(IMAGES, None, events=EVENTS, present=present)
    for stream in range(3):
        scores, state = run(network, present[:, stream].tolist(), stream)
        torch.testing.assert_close(scores, together.logits[-1][-1, stream], atol=1e-4, rtol=1e-4)
        for name, potential in state.items():
            torch.testing.assert_close(potential[0], together.state[name][stream], atol=1e-4,
                                       rtol=1e-4, msg=name)


def test_each_sensor_matters(network):
    """Scores of both sensors differ from those of either."""
    both, camera, events = (run(network, [present] * 2, 0)[0]
                            for present in ((True, True), (True, False), (False, True)))
    assert (both - camera).abs().max() > 0.01 and (both - events).abs().max() > 0.01


@torch.no_grad()
@pytest.mark.parametrize('name', ['fast', 'lite'])
def test_events_can_be_added_to_a_camera_network(name):
    """With the weights of a camera network, the scores of images alone do not change."""
    before = untrained(name)
    after = build(named_config(name, 11, events=4)).eval()
    missing, unexpected = after.load_state_dict(before.state_dict(), strict=False)
    assert not unexpected and all(name.startswith('events.') for name in missing)
    for expected, found in zip(before(IMAGES).logits, after(IMAGES).logits):
        torch.testing.assert_close(found, expected)


def test_wrong_inputs_of_the_network(network):
    with pytest.raises(ValueError, match='needs images, events or both'):
        network(None)
    with pytest.raises(ValueError, match='needs images'):
        untrained('fast')(IMAGES, events=EVENTS)
    with pytest.raises(ValueError, match="choose the configuration 'fast'"):
        MFSSeg(named_config('paper', 11, events=4))


def window(count=500, size=SIZE, start=0):
    return EventWindow(random_events(count, 50_000, size), start, 50_000, size)


@pytest.fixture
def segmenter(network):
    return Segmenter(network, metadata_of(network))


def frame(height=48, width=64):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def same_state(one, other):
    return one.state.keys() == other.state.keys() and all(
        np.array_equal(potential, other.state[name]) for name, potential in one.state.items())


def test_sizes_of_frames_and_sensors(segmenter):
    """Masks have the size of the last frame, else of the sensor; other sizes reset the state."""
    small, large = window(size=(346, 260)), window(size=(640, 480))
    # step_together() never resets.
    control = segmenter.sibling()
    for given, shape in (((None, small), (260, 346)), ((frame(90, 120), small), (90, 120)),
                         ((None, small), (90, 120))):
        image, events = given
        assert segmenter.step(image, events=events).mask.shape == shape
        step_together([(control, control.prepare(image, events=events))])
        assert same_state(segmenter, control)
    from_rest = segmenter.sibling()
    for stream in (segmenter, from_rest):
        stream.step(events=large)
    assert same_state(segmenter, from_rest)


def test_saved_weights_of_both_sensors(network, tmp_path):
    save_weights(tmp_path / 'both.safetensors', network, metadata_of(network))
    _, metadata = load_weights(tmp_path / 'both.safetensors')
    assert metadata.modality == 'fusion' and metadata.event_bins == 2
    loaded, original = (s.step(frame(), events=window()).mask for s in (
        Segmenter.from_weights(tmp_path / 'both.safetensors'),
        Segmenter(network, metadata_of(network))))
    assert (loaded == original).mean() > 0.99


def test_unsupported_inputs(segmenter):
    with pytest.raises(ValueError, match='needs input of camera or events'):
        segmenter.step()
    camera = untrained('fast')
    with pytest.raises(ValueError, match='take input of camera, not of events: leave it out'):
        Segmenter(camera, metadata_of(camera)).step(frame(), events=window())


def test_wrong_events_leave_the_state_alone(segmenter):
    """An event outside its window is rejected before any neuron steps."""
    segmenter.step(frame(), events=window())
    control = segmenter.sibling()
    control.step(frame(), events=window())
    with pytest.raises(ValueError, match='not all in the window'):
        segmenter.step(frame(), events=window(start=40_000))
    assert same_state(segmenter, control)


def test_every_kind_of_stream_is_drawn():
    kinds = set()
    for seed in range(300):
        present = draw_modalities(12, np.random.default_rng(seed))
        assert present.shape == (12, 2) and present.any(1).all()
        camera, events = present.T
        kinds.add('fusion' if present.all() else 'camera' if not events.any() else 'events'
                  if not camera.any() else 'outage' if np.abs(np.diff(camera)).sum() < 3
                  else 'slow_camera')
    assert kinds == set(SHARES)


def test_clips_of_both_sensors():
    """Clips have an event tensor for each frame, at night too."""
    clips = StreetClips(0, 3, 2, 2, (64, 48), bins=2)
    assert len(clips) == 6
    first, second = clips[2], clips[3]
    assert first.images.shape == (2, 48, 64, 3) and first.events.shape == (2, 48, 64, 4)
    assert (first.follows, second.follows) == (False, True) and first.events.any()
    # By night: dark images, but events.
    assert first.images.mean() < 0.7 * clips[0].images.mean()


def test_drive_with_an_outage():
    steps = list(drive(7, 'outage', 99, SIZE, 10.0))
    assert [step.image is None for step in steps] == [False] * 5 + [True] * 10
    assert [step.measured for step in steps] == [False] * 5 + [True] * 10
    assert all(step.events.events.count for step in steps)
    with pytest.raises(ValueError, match="no condition 'fog'"):
        next(drive(7, 'fog', 1, SIZE, 10.0))


def command(*arguments):
    return subprocess.run([sys.executable, '-m', 'mfs_seg_core.evaluate', *map(str, arguments)],
                          capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize('network', ['fast'], indirect=True)
def test_evaluate_compares_senses(network, tmp_path):
    save_weights(tmp_path / 'both.safetensors', network, metadata_of(network))
    done = command('--weights', tmp_path / 'both.safetensors', '--data', 'street', '--sensors',
                   'all', '--conditions', 'night', 'outage', '--seeds', 1, '--frames', 3,
                   '--json', tmp_path / 'sensors.json')
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / 'sensors.json').read_text())
    assert result['events'] == 'simulated'
    assert {name: result['night'][name]['frames'] for name in ('camera', 'events', 'fusion')} == {
        'camera': 3, 'events': 3, 'fusion': 3}
    assert result['outage']['camera']['frames'] == 20 and 'day' not in result
    mious = [result[condition][modality]['miou'] for condition in ('night', 'outage')
             for modality in ('camera', 'events', 'fusion')]
    assert len(set(mious)) == 6 and '\nnight' in done.stdout


def test_evaluate_needs_weights_of_the_sensors(tmp_path, capsys):
    camera = untrained('fast')
    save_weights(tmp_path / 'camera.safetensors', camera, metadata_of(camera))
    assert main(['--weights', str(tmp_path / 'camera.safetensors'), '--data', 'street', '--sensors',
                 'fusion']) == 1
    error = capsys.readouterr().err
    assert 'take no input of events' in error and len(error.splitlines()) == 1


def test_memory_layout_of_potentials(network):
    """Potentials are channels last, like spikes in convolutions: else each step copies them."""
    segmenter = Segmenter(network, metadata_of(network), backend='torch')
    for _ in range(2):
        segmenter.step(frame(), events=window())
    # Those that were set, too.
    segmenter.state = segmenter.state
    for name, potential in segmenter._state.tensors().items():
        assert potential.is_contiguous(memory_format=torch.channels_last), name
