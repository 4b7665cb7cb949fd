# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Backends of a Segmenter: the same streams, states and masks by torch and by the engine."""

import numpy as np
import pytest
import torch
from support.event_trees import random_events
from support.exact_networks import exact_network
from support.untrained import metadata_of, untrained

from mfs_seg_core.data.street import Street
from mfs_seg_core.data.street.seeds import TEST_SEED
from mfs_seg_core.engine import library as library_module
from mfs_seg_core.engine.engine import threads
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.events.types import Events
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.streaming.segmenter import Segmenter, set_threads, step_together, warm_up
from mfs_seg_core.weights.metadata import Metadata


@pytest.fixture(scope='module')
def drive():
    street = Street(TEST_SEED, 240, 180)
    return [street.frame(index / 20) for index in range(12)]


def window(seed):
    return EventWindow(random_events(5000, 50_000, (346, 260), seed), 0, 50_000, (346, 260))


def unet():
    network = UNet(UNetConfig(classes=len(CAMVID), width=4))
    return network, Metadata('test', network.config, CAMVID, (64, 48), (0.4, 0.4, 0.4),
                             (0.3, 0.3, 0.3), 0.05)


# The weights of camvid are far from their training data here, and less certain.
@pytest.mark.parametrize('weights, least', [('street', 0.95), ('street_lite', 0.95),
                                            ('camvid', 0.85), ('camvid_lite', 0.85)])
def test_shipped_weights(drive, weights, least):
    """
    Compare streams of the shipped weights.

    Their neurons amplify rounding: torch in float64 has other classes than in float32 for 2 % of
    the pixels of a stream, whose accuracy is the same. So must be that of the engine.
    """
    streams = [Segmenter.from_weights(weights, input_size=(240, 180), backend=backend)
               for backend in ('torch', 'native')]
    same, right = [], []
    for frame in drive:
        results = [stream.step(frame.image, 0.05, firing_rate=True) for stream in streams]
        masks = [result.mask for result in results]
        same.append((masks[0] == masks[1]).mean())
        right.append([(mask == frame.label).mean() for mask in masks])
        assert results[0].firing_rate == pytest.approx(results[1].firing_rate, rel=0.01)
        assert results[0].firing_rates.keys() == results[1].firing_rates.keys()
    assert np.mean(same) > least
    assert abs(np.subtract(*np.mean(right, 0))) < (0.01 if weights.startswith('street') else 0.02)


@pytest.mark.parametrize('backend', ['torch', 'native'])
def test_a_warm_stream_is_as_a_new_one(backend):
    new, warm = (Segmenter.from_weights('street', backend=backend) for _ in range(2))
    sibling = warm.sibling()
    warm_up([warm, sibling], warm.sensors)
    assert warm.state is None and sibling.state is None
    # No frame has come: masks have the size of the event sensor.
    for events in (window(1), window(2)):
        masks = [stream.step(events=events).mask for stream in (new, warm)]
        assert masks[0].shape == (260, 346) and np.array_equal(*masks)
    warm.step(np.zeros((90, 120, 3), np.uint8))
    warm.restart()
    assert warm.state is None
    assert np.array_equal(warm.step(events=window(1)).mask,
                          new.sibling().step(events=window(1)).mask)


def test_sensors_of_a_fusion_network():
    streams = [Segmenter.from_weights('street', backend=backend) for backend in ('torch', 'native')]
    frame = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    for given in ({'frame': frame}, {'events': window(1)}, {'frame': frame, 'events': window(2)}):
        results = [stream.step(elapsed_s=0.04, confidence=True, firing_rate=True, **given)
                   for stream in streams]
        assert results[0].mask.shape == results[1].mask.shape
        assert (results[0].mask == results[1].mask).mean() > 0.85
        assert results[0].firing_rate == pytest.approx(results[1].firing_rate, rel=0.01)
        assert results[1].confidence.mean() == pytest.approx(results[0].confidence.mean(), rel=0.05)


def test_event_networks():
    network = exact_network(named_config('fast', len(CAMVID), inputs=4))
    metadata = Metadata('test', network.config, CAMVID, (64, 48), (0.4, 0.4, 0.4), (0.3, 0.3, 0.3),
                        0.05, 'events', 2)
    streams = [Segmenter(network, metadata, backend=backend) for backend in ('torch', 'native')]
    masks = [stream.step(events=window(0)).mask for stream in streams]
    assert masks[0].shape == masks[1].shape == (260, 346)
    assert (masks[0] == masks[1]).mean() > 0.8


@pytest.mark.parametrize('events', [0, 4])
def test_states_move_between_backends(events):
    network = untrained('fast', events=events)
    torch_stream, native = (Segmenter(network, metadata_of(network), backend=backend)
                            for backend in ('torch', 'native'))
    frame = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    torch_stream.step(frame)
    native.state = torch_stream.state
    assert native.state.keys() == torch_stream.state.keys()
    for name, potential in torch_stream.state.items():
        assert native.state[name].dtype == potential.dtype == np.float32
        np.testing.assert_allclose(native.state[name], potential, atol=1e-4, rtol=1e-3)
    back = torch_stream.sibling()
    back.state = native.state
    for name, potential in native.state.items():
        assert np.array_equal(back.state[name], potential)
    # The state is a copy.
    back.step(frame)
    native.step(frame)
    assert not np.array_equal(back.state['down.0.lif'], torch_stream.state['down.0.lif'])
    native.state = None
    assert native.state is None


@pytest.mark.parametrize('backend', ['torch', 'native'])
def test_wrong_states_are_rejected(backend):
    network = untrained('fast')
    stream = Segmenter(network, metadata_of(network), backend=backend)
    stream.step(np.zeros((48, 64, 3), np.uint8))
    before = stream.state
    for wrong in ({}, {name: x[..., 1:] for name, x in before.items()}):
        with pytest.raises(ValueError, match='another network|has shape'):
            stream.state = wrong
    assert all(np.array_equal(stream.state[name], potential) for name, potential in before.items())


def test_auto_prefers_the_engine():
    network = untrained('fast')
    stream = Segmenter(network, metadata_of(network))
    assert stream.backend == stream.sibling().backend == 'native'
    assert stream.backend_description.startswith('native, ') and stream.device == 'cpu'
    with pytest.raises(ValueError, match="choose backend='torch'"):
        assert stream.network
    assert Segmenter(network, metadata_of(network), backend='torch').network is network


def test_auto_names_the_reason_for_torch():
    stream = Segmenter(*unet(), backend='auto')
    assert stream.backend == 'torch'
    assert stream.backend_description == (
        'torch on cpu (the native engine cannot run this network: it is a UNet)')
    with pytest.raises(ValueError, match="it is a UNet; or choose the backend 'auto' or 'torch'"):
        Segmenter(*unet(), backend='native')


def test_auto_without_the_library(monkeypatch):
    monkeypatch.setattr(library_module, 'find_spec', lambda name: None)
    library_module.library.cache_clear()
    try:
        network = untrained('fast')
        stream = Segmenter(network, metadata_of(network), backend='auto')
        assert stream.backend == 'torch'
        assert 'install a C++ compiler' in stream.backend_description
    finally:
        library_module.library.cache_clear()


def test_unknown_backend():
    with pytest.raises(ValueError, match="no backend 'abacus': choose from auto, native, torch"):
        Segmenter(*unet(), backend='abacus')


def test_streams_of_two_backends_are_no_batch():
    network = untrained('fast')
    streams = [Segmenter(network, metadata_of(network), backend=backend)
               for backend in ('torch', 'native')]
    frame = np.zeros((48, 64, 3), np.uint8)
    with pytest.raises(ValueError, match='one network, backend and input size'):
        step_together([(stream, stream.prepare(frame)) for stream in streams])


def test_threads_of_both_backends():
    before = torch.get_num_threads()
    try:
        set_threads(3)
        assert torch.get_num_threads() == threads() == 3
    finally:
        set_threads(before)


@pytest.mark.parametrize('weights', ['street', 'street_lite', 'camvid', 'camvid_lite'])
def test_energy_agrees(weights):
    """Of all sensors of the weights, alone and together, with the same state."""
    streams = [Segmenter.from_weights(weights, input_size=(96, 64), backend=backend)
               for backend in ('torch', 'native')]
    random = np.random.default_rng(0)
    still = EventWindow(Events.empty(), 0, 50_000, (346, 260))
    given = [{'frame': random.integers(0, 256, (64, 96, 3), np.uint8)}]
    if streams[0].modality == 'fusion':
        given += [{'events': window(1)}, {**given[0], 'events': window(2)}, {'events': still}]
    for each in given * 2:
        streams[1].state = streams[0].state
        energies_mj = [stream.step(**each, energy=True).energy_mj for stream in streams]
        # Weights are rounded to 8 bits, which changes some spikes.
        assert energies_mj[1] == pytest.approx(energies_mj[0], rel=0.01)
    assert all(stream.step(**given[0]).energy_mj is None for stream in streams)


@pytest.mark.parametrize('changes', [{}, {'stem_stride': 1}, {'events': 4}, {'levels': 1},
                                     {'block': 'efs_res_dense'}])
def test_energy_of_exact_networks(changes):
    """Without rounding, the energy is the same but for that of its own sums."""
    network = exact_network(named_config('fast', len(CAMVID), **changes))
    streams = [Segmenter(network, metadata_of(network), backend=backend)
               for backend in ('torch', 'native')]
    frame = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    energies_mj = [stream.step(frame, energy=True).energy_mj for stream in streams]
    assert energies_mj[1] == pytest.approx(energies_mj[0], rel=1e-3)


def test_energy_of_streams_that_step_together():
    """The engine has that of each stream, torch their mean."""
    network = untrained('fast')
    frames = [np.full((48, 64, 3), value, np.uint8) for value in (30, 200)]
    means = []
    for backend in ('torch', 'native'):
        first = Segmenter(network, metadata_of(network), backend=backend)
        streams = [first, first.sibling()]
        results = step_together([(stream, stream.prepare(frame))
                                 for stream, frame in zip(streams, frames)], energy=True)
        alone = [first.sibling().step(frame, energy=True).energy_mj for frame in frames]
        energies_mj = [result.energy_mj for result in results]
        means.append(np.mean(energies_mj))
        assert energies_mj == pytest.approx(
            alone if backend == 'native' else [np.mean(alone)] * 2)
    assert means[1] == pytest.approx(means[0], rel=0.01)
