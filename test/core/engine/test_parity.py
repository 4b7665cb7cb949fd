# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The engine computes what torch computes: masks, states and firing rates of random networks."""

import numpy as np
import pytest
import torch
from support.exact_networks import (
    exact_inputs,
    exact_network,
    random_config,
    random_lite_config,
    without_ties,
)

from mfs_seg_core.engine.compiler import compile_network
from mfs_seg_core.engine.engine import Engine, EngineInput, EngineState
from mfs_seg_core.engine.library import library
from mfs_seg_core.model.config import named_config

ELAPSED = 1.0, 2.0, 1.0


def by_torch(network, image, events, state, elapsed):
    """Return mask, state and firing rates of one step."""
    image, events = (None if x is None else torch.from_numpy(x)[None, None]
                     for x in (image, events))
    with torch.no_grad():
        logits, state, rates = network(image, state, True, elapsed, events)
    return logits[-1][0, 0].argmax(0).numpy(), state, {name: r.item() for name, r in rates.items()}


def check_steps(network, height, width, seed=0, kernels='', sensors=('ce', 'c', 'e'), exact=True,
                batch=1):
    """Compare a batch of streams of some steps, in which sensors drop out."""
    engine = Engine(compile_network(network, half=False), kernels)
    streams, states = [EngineState() for _ in range(batch)], [None] * batch
    for step in range(len(ELAPSED)):
        inputs = []
        for row in range(batch):
            image, events = exact_inputs(network.config, seed + step + 10 * row, height, width)
            if events is not None:
                image = image if 'c' in sensors[step - row] else None
                events = events if 'e' in sensors[step - row] else None
            inputs.append(EngineInput(image, events, ELAPSED[step - row]))
        outputs = engine.step(streams, inputs, rates=True)
        for row, (stream, given, output) in enumerate(zip(streams, inputs, outputs)):
            mask, states[row], rates = by_torch(network, given.image, given.events, states[row],
                                                given.elapsed)
            check_stream(engine, stream, output, mask, states[row], rates, exact)


def check_stream(engine, stream, output, mask, state, rates, exact):
    potentials = engine.read_state(stream)
    assert potentials.keys() == state.keys()
    close = {name: np.abs(potentials[name] - state[name].numpy()) <= (0 if exact else 1e-4)
             for name in state}
    if exact:
        assert all(values.all() for values in close.values()), {
            name: values.mean() for name, values in close.items() if not values.all()}
        assert np.array_equal(output.mask, mask)
    else:
        # A rounding error may move a potential across a threshold.
        assert np.mean([values.mean() for values in close.values()]) > 0.99
        assert (output.mask == mask).mean() > 0.9
        engine.write_state(stream, mask.shape,
                           {name: values.numpy() for name, values in state.items()})
    assert output.rates == pytest.approx(rates, rel=1e-5 if exact else 0.02, abs=1e-6)


@pytest.mark.parametrize('seed', range(16))
def test_random_networks_agree_to_the_last_bit(seed):
    config = random_config(seed)
    check_steps(exact_network(config, seed), 24, 32, seed, batch=1 + seed % 3)


@pytest.mark.parametrize('seed', range(200, 212))
def test_random_lite_networks_agree_to_the_last_bit(seed):
    network = exact_network(random_lite_config(seed), seed)
    check_steps(network, 32, 64, seed, batch=1 + seed % 3)


@pytest.mark.parametrize('seed', range(300, 308))
def test_signed_neurons_before_any_layer(seed):
    """Their silence at the edge of an image is no byte of 0, which kernels above 1x1 read."""
    network = exact_network(random_config(seed, levels=2 + seed % 7), seed, signed=0.5)
    check_steps(network, 24, 32, seed)


@pytest.mark.parametrize('size', [(1, 1), (1, 2), (2, 1), (3, 5), (7, 33), (31, 18), (45, 61)])
@pytest.mark.parametrize('seed', [100, 101])
def test_any_size(size, seed):
    config = random_config(seed, recall=True, events=4)
    check_steps(without_ties(exact_network(config, seed)), *size, seed, exact=False)
    config = random_lite_config(seed, recall=True, signed=True, levels=2 + seed % 7)
    check_steps(without_ties(exact_network(config, seed)), *size, seed, exact=False)


@pytest.mark.parametrize('kernels', library().kernels)
@pytest.mark.parametrize('levels', [1, 4, 8])
def test_all_kernels(kernels, levels):
    config = named_config('fast', 11, levels=levels, events=4, widths=(16, 20, 35))
    check_steps(exact_network(config), 16, 24, kernels=kernels)
    config = random_lite_config(205, levels=levels, signed=levels > 1)
    check_steps(exact_network(config), 16, 32, kernels=kernels)


def check_largest(network, kernels):
    """Compare a step whose stem drives the first layer to its largest spike."""
    engine = Engine(compile_network(network, half=False), kernels)
    stream = EngineState()
    image, events = exact_inputs(network.config, 0, 56, 56)
    mask, state, rates = by_torch(network, image, events, None, 1.0)
    output, = engine.step([stream], [EngineInput(image, events)], rates=True)
    assert rates['down.0.lif'] == network.config.levels
    for name, potential in engine.read_state(stream).items():
        assert np.array_equal(potential, state[name].numpy()), name
    assert np.array_equal(output.mask, mask)


@pytest.mark.parametrize('kernels', library().kernels)
@pytest.mark.parametrize('levels, signed', [(1, 0), (8, 0), (32, 0), (8, 1), (32, 1)])
@pytest.mark.parametrize('block', ['efs_res', 'ms_res'])
def test_largest_sums_do_not_saturate(kernels, levels, signed, block):
    config = named_config('fast', 5, levels=levels, block=block, widths=(4, 16, 24),
                          kernels=((), (7,), (7,)), events=2)
    check_largest(exact_network(config, extreme=True, signed=signed), kernels)


@pytest.mark.parametrize('kernels', library().kernels)
@pytest.mark.parametrize('last, flush', [(15, 49), (16, 16)])
def test_depthwise_sums_at_the_bound_of_16_bits(kernels, last, flush):
    """Bytes of signed spikes are at most 16, and 16 * 2047 = 32752 is the largest that fits."""
    config = named_config('fast', 5, levels=8, widths=(4, 16, 24), kernels=((), (7,), ()))
    network = exact_network(config, extreme=True, signed=1)
    conv = network.encoder[1][0].depthwise.conv
    with torch.no_grad():
        conv.weight.zero_().flatten(1)[:, :17] = torch.tensor([127.] * 16 + [last]) / 64
    program = compile_network(network)
    assert flush in [x.flush for x in program.operations if x.kernel == 7]
    check_largest(network, kernels)
