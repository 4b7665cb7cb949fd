# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Steps as CUDA graphs: the results of the network itself, for any change of inputs and streams.

On the CPU, a replay is a run whose results overwrite those of the first, as a graph does.
"""

import copy

import numpy as np
import pytest
import torch
from support.event_trees import random_events
from support.untrained import metadata_of, untrained

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.operations import OperationCounter
from mfs_seg_core.model.unet import UNet, UNetConfig
from mfs_seg_core.streaming import cuda_graph
from mfs_seg_core.streaming.cuda_graph import GraphedNetwork
from mfs_seg_core.streaming.segmenter import Segmenter, step_together
from mfs_seg_core.weights.metadata import Metadata

OPTIONS = dict(confidence=True, firing_rate=True)


def capture_on_cpu(run, device):
    assert device == torch.device('cpu')
    result = run()

    def replay():
        for old, new in zip(tensors(result), tensors(run()), strict=True):
            old.copy_(new)

    return result, replay


def tensors(prediction):
    return [*prediction.logits, *prediction.state.values(), *prediction.rates.values()]


def plain(network):
    """Return a network that takes the time of each stream, as a graph does."""
    def advance(images, events, elapsed, **others):
        if isinstance(elapsed, float):
            given = events if images is None else images
            elapsed = torch.full((given.shape[1],), elapsed)
        return network(images, events=events, elapsed=elapsed, **others)
    return advance


def pair(network, metadata=None):
    """Return a stream with graphs, its graphs, and a stream without."""
    streams = [Segmenter(network, metadata or metadata_of(network), backend='torch')
               for _ in range(2)]
    graphs = GraphedNetwork(network, capture_on_cpu)
    streams[0]._backend._advance, streams[1]._backend._advance = graphs, plain(network)
    return streams[0], graphs, streams[1]


def frame(seed, height=48, width=64):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def window(seed):
    return EventWindow(random_events(500, 50_000, (64, 48), seed), 0, 50_000, (64, 48))


def assert_same(results, streams):
    for ours, theirs in zip(*results, strict=True):
        assert np.array_equal(ours.mask, theirs.mask)
        assert np.array_equal(ours.confidence, theirs.confidence)
        assert ours.firing_rate == theirs.firing_rate
    for ours, theirs in zip(*streams, strict=True):
        assert ours.state.keys() == theirs.state.keys()
        assert all(np.array_equal(x, theirs.state[name]) for name, x in ours.state.items())


@pytest.mark.parametrize('config, changes', [
    ('fast', {}), ('fast', {'learn_leak': False}), ('lite', {}), ('paper', {'steps': 2})])
def test_a_stream(config, changes):
    ours, graphs, theirs = pair(untrained(config, **changes))
    # From rest and on, with other times between, and from rest again.
    for seed, elapsed_s in enumerate((None, 0.05, 0.02, 0.11)):
        results = [[stream.step(frame(seed), elapsed_s, **OPTIONS)] for stream in (ours, theirs)]
        assert_same(results, [[ours], [theirs]])
    for stream in (ours, theirs):
        stream.reset()
    results = [[stream.step(frame(9), **OPTIONS)] for stream in (ours, theirs)]
    assert_same(results, [[ours], [theirs]])
    assert len(graphs) == 1


def test_a_network_without_state():
    network = UNet(UNetConfig(len(CAMVID), width=4))
    ours, graphs, theirs = pair(network, Metadata(
        'test', network.config, CAMVID, (64, 48), (0.4, 0.4, 0.4), (0.3, 0.3, 0.3), 0.05))
    for seed in range(3):
        assert np.array_equal(ours.step(frame(seed)).mask, theirs.step(frame(seed)).mask)
    assert len(graphs) == 1


def test_sensors_that_come_and_go():
    ours, graphs, theirs = pair(untrained('fast', events=4))
    camera, events = {'frame': frame(0)}, {'events': window(0)}
    for given in (camera, events, camera | events, events, camera):
        results = [[stream.step(**given, **OPTIONS)] for stream in (ours, theirs)]
        assert_same(results, [[ours], [theirs]])
    assert len(graphs) == 3


def test_batches_that_change():
    """Streams that share graphs keep their own states, times and sensors."""
    first, graphs, other = pair(untrained('fast', events=4))
    ours, theirs = ([stream, *(stream.sibling() for _ in range(2))] for stream in (first, other))
    camera, events = {'frame': frame(0)}, {'events': window(1)}
    for members, inputs in (
            ([0, 1, 2], [camera, camera, camera]), ([0, 1, 2], [camera, events, camera]),
            ([2, 0], [camera | events, events]), ([1], [camera]), ([1], [camera]), ([0], [camera]),
            ([0, 1, 2], [events, camera, camera])):
        results = [step_together([
            (streams[i], streams[i].prepare(elapsed_s=0.03 + 0.02 * i, **given))
            for i, given in zip(members, inputs)], **OPTIONS) for streams in (ours, theirs)]
        assert_same(results, [ours, theirs] if len(members) == 3 else [
            [streams[i] for i in members] for streams in (ours, theirs)])
    # Three cameras; three of which one lacks a sensor, twice; two; one.
    assert len(graphs) == 4


def test_states_outlive_later_steps():
    stream, _, _ = pair(untrained('fast'))
    stream.step(frame(0))
    state = stream.state
    before = copy.deepcopy(state)
    stream.step(frame(1))
    other = stream.sibling()
    other.step(frame(2))
    assert all(np.array_equal(state[name], potential) for name, potential in before.items())
    # A state that is set continues.
    other.state = before
    masks = [other.step(frame(3)).mask for _ in range(2)]
    other.state = before
    assert [np.array_equal(mask, other.step(frame(3)).mask) for mask in masks] == [True, True]


@torch.inference_mode()
def test_wrong_states_are_rejected():
    network = untrained('fast')
    graphs = GraphedNetwork(network, capture_on_cpu)
    images = torch.zeros(1, 1, 3, 48, 64)
    state = graphs(images, None, 1.0).state
    # Of a shape that a copy would broadcast.
    for wrong in ({}, {name: x[..., :1, :1] for name, x in state.items()}):
        with pytest.raises(ValueError, match='another network|has shape'):
            graphs(images, None, 1.0, state=wrong)


def test_graphs_are_bounded(monkeypatch):
    monkeypatch.setattr(cuda_graph, 'MAX_GRAPHS', 1)
    ours, graphs, theirs = pair(untrained('fast'))
    for size, seed in (((64, 48), 0), ((96, 64), 1), ((64, 48), 2)):
        for stream in (ours, theirs):
            stream.input_size = size
            stream.reset()
        for _ in range(2):
            results = [[stream.step(frame(seed), **OPTIONS)] for stream in (ours, theirs)]
            assert_same(results, [[ours], [theirs]])
    assert len(graphs) == 1


def test_sizes_have_graphs_of_their_own():
    stream, graphs, _ = pair(untrained('fast'))
    for size in ((64, 48), (96, 64), (64, 48)):
        stream.input_size = size
        stream.reset()
        stream.step(frame(0))
    assert len(graphs) == 2
    stream.step(frame(0), firing_rate=True)
    assert len(graphs) == 3


def test_counted_operations():
    """A replay calls no hooks, so that steps whose operations are counted run without."""
    ours, _, theirs = pair(untrained('fast'))
    replays = []

    def capture(run, device):
        result, replay = capture_on_cpu(run, device)
        return result, lambda: (replays.append(run), replay())

    ours._backend._advance = GraphedNetwork(ours.network, capture)
    energies = []
    for stream in (ours, theirs):
        stream.step(frame(0))
        with OperationCounter(stream.network) as counter:
            stream.step(frame(1))
        energies.append(counter.energy_mj())
    assert energies[0] == energies[1] > 0
    assert len(replays) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')
def test_on_a_gpu():
    network = untrained('fast', events=4)
    ours = Segmenter(network, metadata_of(network), 'cuda', backend='torch')
    theirs = ours.sibling()
    theirs._backend = type(ours._backend)(ours.network, ours.metadata, ours.device)
    theirs._backend._advance = ours.network
    for given in ({'frame': frame(0)}, {'events': window(0)}, {'frame': frame(1)}):
        masks = [stream.step(**given).mask for stream in (ours, theirs)]
        assert (masks[0] == masks[1]).mean() > 0.95
    assert len(ours._backend._advance) == 2
