# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network that sees a camera and events, either of them, or both by turns."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from support.event_trees import random_events
from support.untrained import metadata_of, untrained

from mfs_seg_core.data.clips.modality_dropout import SHARES, senses_of
from mfs_seg_core.data.clips.street import StreetClips
from mfs_seg_core.evaluate.robustness import drive
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.model.network import MFSSeg, named_config
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.weights.file import load_weights, save_weights

IMAGES, EVENTS = torch.randn(4, 3, 3, 48, 64), torch.rand(4, 3, 4, 48, 64)
SIZE = (64, 48)


@pytest.fixture
def network():
    """A network whose join does something: as it starts, it is a sum."""
    network = untrained('fast', 4)
    torch.nn.init.ones_(network.events.join.project.norm.weight)
    return network


@torch.no_grad()
def run(network, seen: list[tuple[bool, bool]], stream: int):
    """Step one stream, which sees so in each step; give the last scores and the state."""
    state = None
    for t, (camera, events) in enumerate(seen):
        one = slice(stream, stream + 1)
        scores, state, _ = network(IMAGES[t:t + 1, one] if camera else None, state,
                                   events=EVENTS[t:t + 1, one] if events else None)
    return scores[-1][0, 0], state


@torch.no_grad()
def test_streams_of_a_batch_see_what_they_see_alone(network):
    """Training mixes senses in a batch; a node gives or leaves out. Both are the same."""
    seen = torch.tensor([[[1, 1], [1, 0], [0, 1]], [[1, 0], [1, 0], [0, 1]],
                         [[0, 1], [1, 0], [0, 1]], [[1, 1], [1, 0], [0, 1]]], dtype=torch.bool)
    together = network(IMAGES, None, events=EVENTS, seen=seen)
    for stream in range(3):
        scores, state = run(network, seen[:, stream].tolist(), stream)
        torch.testing.assert_close(scores, together.logits[-1][-1, stream], atol=1e-4, rtol=1e-4)
        for name, potential in state.items():
            torch.testing.assert_close(potential[0], together.state[name][stream], atol=1e-4,
                                       rtol=1e-4, msg=name)


def test_each_sense_matters(network):
    """What both see is neither what the camera sees nor what events tell."""
    both, camera, events = (run(network, [seen] * 2, 0)[0]
                            for seen in ((True, True), (True, False), (False, True)))
    assert (both - camera).abs().max() > 0.01 and (both - events).abs().max() > 0.01


@torch.no_grad()
def test_by_camera_it_starts_as_the_network_before():
    """Weights that know a camera go on with events: at first, nothing is changed without them."""
    before = untrained('fast')
    after = MFSSeg(named_config('fast', 11, events=4)).eval()
    missing, unexpected = after.load_state_dict(before.state_dict(), strict=False)
    assert not unexpected and all(name.startswith('events.') for name in missing)
    for theirs, ours in zip(before(IMAGES).logits, after(IMAGES).logits):
        torch.testing.assert_close(theirs, ours)


def test_nothing_to_see_is_refused(network):
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


def test_mask_has_the_size_of_the_frame_or_of_the_sensor(segmenter):
    assert segmenter.step(events=window(size=(346, 260))).mask.shape == (260, 346)
    assert segmenter.step(frame(90, 120), events=window(size=(346, 260))).mask.shape == (90, 120)
    # The camera is lost: masks stay in its frame.
    assert segmenter.step(events=window(size=(346, 260))).mask.shape == (90, 120)
    assert segmenter.steps_since_reset == 3
    segmenter.step(events=window(size=(640, 480)))
    assert segmenter.steps_since_reset == 1


def test_saved_weights_see_both(network, tmp_path):
    save_weights(tmp_path / 'both.safetensors', network, metadata_of(network))
    _, metadata = load_weights(tmp_path / 'both.safetensors')
    assert metadata.modality == 'fusion' and metadata.event_bins == 2
    ours, theirs = (s.step(frame(), events=window()).mask for s in (
        Segmenter.from_weights(tmp_path / 'both.safetensors'),
        Segmenter(network, metadata_of(network))))
    assert (ours == theirs).mean() > 0.99


def test_what_weights_do_not_see_is_refused(segmenter):
    with pytest.raises(ValueError, match='nothing at all can be a step'):
        segmenter.step()
    camera = untrained('fast')
    with pytest.raises(ValueError, match='see camera, and nothing of events can be a step'):
        Segmenter(camera, metadata_of(camera)).step(frame(), events=window())


def test_wrong_events_leave_the_state_alone(segmenter):
    """An event outside its window is refused before any neuron steps."""
    segmenter.step(frame(), events=window())
    with pytest.raises(ValueError, match='not all in the window'):
        segmenter.step(frame(), events=window(start=40_000))
    assert segmenter.steps_since_reset == 1


def test_every_kind_of_stream_is_drawn():
    kinds = set()
    for seed in range(300):
        seen = senses_of(12, np.random.default_rng(seed))
        assert seen.shape == (12, 2) and seen.any(1).all()
        camera, events = seen.T
        kinds.add('fusion' if seen.all() else 'camera' if not events.any() else 'events'
                  if not camera.any() else 'lost' if np.abs(np.diff(camera)).sum() < 3 else 'slow')
    assert kinds == set(SHARES)


def test_clips_hold_both_senses():
    """Events are where the picture moves, and as many as the frames."""
    clips = StreetClips(0, 3, 2, 2, (64, 48), bins=2)
    assert len(clips) == 6
    first, second = clips[2], clips[3]
    assert first.images.shape == (2, 48, 64, 3) and first.events.shape == (2, 48, 64, 4)
    assert (first.follows, second.follows) == (False, True) and first.events.any()
    # By night: the camera hardly sees, the events go on.
    assert clips[2].images.mean() < 0.7 * clips[0].images.mean()


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


def test_evaluate_compares_senses(network, tmp_path):
    save_weights(tmp_path / 'both.safetensors', network, metadata_of(network))
    done = command('--weights', tmp_path / 'both.safetensors', '--data', 'street', '--sensors',
                   'all', '--conditions', 'night', 'outage', '--seeds', 1, '--frames', 3,
                   '--json', tmp_path / 'senses.json')
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / 'senses.json').read_text())
    assert result['events'] == 'simulated'
    assert {name: result['night'][name]['frames'] for name in ('camera', 'events', 'fusion')} == {
        'camera': 3, 'events': 3, 'fusion': 3}
    assert result['outage']['camera']['frames'] == 20 and 'day' not in result
    mious = [result[condition][modality]['miou'] for condition in ('night', 'outage')
             for modality in ('camera', 'events', 'fusion')]
    assert len(set(mious)) == 6 and '\nnight' in done.stdout


def test_evaluate_needs_weights_that_see(tmp_path):
    camera = untrained('fast')
    save_weights(tmp_path / 'camera.safetensors', camera, metadata_of(camera))
    done = command('--weights', tmp_path / 'camera.safetensors', '--data', 'street', '--sensors',
                   'fusion')
    assert done.returncode == 1 and 'take no input of events' in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_potentials_lie_pixel_by_pixel(segmenter):
    """Channels last, as convolutions of spikes take them: else each step copies between layouts."""
    for _ in range(2):
        segmenter.step(frame(), events=window())
    for name, potential in segmenter._memory.state().items():
        assert potential.is_contiguous(memory_format=torch.channels_last), name
