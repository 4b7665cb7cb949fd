# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams on the engine: batches, threads, states, masks of other sizes, wrong inputs."""

import multiprocessing
import threading
import time

import numpy as np
import pytest
import torch
from support.exact_networks import exact_inputs, exact_network, random_config, random_lite_config
from support.untrained import untrained

from mfs_seg_core.engine import engine as module
from mfs_seg_core.engine.compiler import UnsupportedNetworkError, compile_network
from mfs_seg_core.engine.engine import Engine, EngineInput, EngineState
from mfs_seg_core.engine.library import library
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import fold_norms
from mfs_seg_core.streaming.preprocess import mask_of
from mfs_seg_core.weights.file import build

CONFIG = named_config('fast', 11, events=4, widths=(16, 24, 40), kernels=((), (3,), (5, 7)))
SIZE = 45, 62


@pytest.fixture(scope='module')
def network():
    return exact_network(CONFIG)


@pytest.fixture(params=[True, False], ids=['half', 'single'])
def engine(request, network):
    return Engine(compile_network(network, half=request.param))


@pytest.fixture
def threads():
    yield module.set_threads
    module.set_threads(0)


def given(seed, sensors='ce', elapsed=1.0, mask_size=None):
    image, events = exact_inputs(CONFIG, seed, *SIZE)
    return EngineInput(image if 'c' in sensors else None, events if 'e' in sensors else None,
                       elapsed, mask_size)


def check_same_state(engine, one, other):
    one, other = engine.read_state(one), engine.read_state(other)
    for name, potential in one.items():
        assert np.array_equal(potential, other[name]), name


def test_a_batch_is_its_streams_alone(engine):
    together, alone = ([EngineState() for _ in range(3)] for _ in range(2))
    for step in range(3):
        inputs = [given(step), given(10 + step, 'c', 0.3), given(20 + step, 'e', 1.7, (90, 100))]
        outputs = engine.step(together, inputs, confidence=True, rates=True)
        for state, stream, each, output in zip(alone, together, inputs, outputs):
            expected, = engine.step([state], [each], confidence=True, rates=True)
            assert np.array_equal(output.mask, expected.mask)
            assert np.array_equal(output.confidence, expected.confidence)
            assert output.rates == expected.rates
            check_same_state(engine, stream, state)


@pytest.mark.parametrize('count', [2, 3, 7])
def test_the_number_of_threads_changes_nothing(engine, threads, count):
    streams = {number: EngineState() for number in (1, count)}
    for step in range(4):
        masks = []
        for number, stream in streams.items():
            threads(number)
            output, = engine.step([stream], [given(step)], rates=True)
            masks.append(output)
        assert np.array_equal(masks[0].mask, masks[1].mask)
        assert masks[0].rates == masks[1].rates
    check_same_state(engine, *streams.values())


def test_kernels_compute_the_same_bits(network):
    results = []
    for kernels in library().kernels:
        engine = Engine(compile_network(network), kernels)
        stream = EngineState()
        for step in range(3):
            # Leaks to odd powers, odd sizes and 16-bit potentials round.
            output, = engine.step([stream], [given(step, elapsed=0.7, mask_size=(80, 90))],
                                  confidence=True)
        results.append((*output[:2], *engine.read_state(stream).values()))
    for other in results[1:]:
        assert all(np.array_equal(x, y) for x, y in zip(results[0], other))


@pytest.mark.parametrize('mask_size', [None, (80, 90)])
def test_times_of_operations(network, mask_size):
    engine, stream = Engine(compile_network(network)), EngineState()
    expected, = Engine(engine.program).step([EngineState()], [given(0, mask_size=mask_size)])
    # Beyond the last operation nothing is written.
    times = np.full(len(engine.program.operations) + 1, -1)
    engine.nanoseconds = times[:-1]
    start = time.perf_counter_ns()
    output, = engine.step([stream], [given(0, mask_size=mask_size)])
    assert np.all(times[:-1] > 0) and times[-1] == -1
    assert times.sum() < time.perf_counter_ns() - start
    assert np.array_equal(output.mask, expected.mask)


def test_engines_of_two_threads_at_once(network, threads):
    threads(2)
    outputs = {}

    def run(name):
        engine, stream = Engine(compile_network(network)), EngineState()
        outputs[name] = [engine.step([stream], [given(step)])[0].mask for step in range(20)]

    workers = [threading.Thread(target=run, args=(name,)) for name in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for masks in outputs.values():
        assert all(np.array_equal(x, y) for x, y in zip(masks, outputs[0], strict=True))


def test_after_a_fork(network, threads):
    threads(2)
    engine, stream = Engine(compile_network(network)), EngineState()
    before = engine.step([stream], [given(0)])[0].mask
    context = multiprocessing.get_context('fork')
    ours, theirs = context.Pipe()

    def child():
        theirs.send(engine.step([EngineState()], [given(0)])[0].mask)

    process = context.Process(target=child)
    process.start()
    assert ours.poll(30), 'the child process hangs'
    assert np.array_equal(ours.recv(), before)
    process.join()


def test_state_is_readable_and_settable(engine):
    stream = EngineState()
    assert engine.read_state(stream) is None
    engine.step([stream], [given(0)])
    copy = EngineState()
    engine.write_state(copy, SIZE, engine.read_state(stream))
    check_same_state(engine, stream, copy)
    before = engine.read_state(stream)
    for state in (stream, copy):
        engine.step([state], [given(1)])
    check_same_state(engine, stream, copy)
    assert any((before[name] != after).any() for name, after in engine.read_state(stream).items())
    stream.reset()
    assert engine.read_state(stream) is None


def test_wrong_states_are_rejected(engine):
    stream = EngineState()
    engine.step([stream], [given(0)])
    potentials = engine.read_state(stream)
    with pytest.raises(ValueError, match='another network'):
        engine.write_state(stream, SIZE, {})
    with pytest.raises(ValueError, match=r'down.0.lif: the potential has shape'):
        engine.write_state(stream, (64, 64), potentials)
    image, events = exact_inputs(CONFIG, 0, 32, 32)
    with pytest.raises(ValueError, match='another image size'):
        engine.step([stream], [EngineInput(image, events)])
    check_potentials = engine.read_state(stream)
    assert all(np.array_equal(check_potentials[name], x) for name, x in potentials.items())


@pytest.mark.parametrize('inputs, message', [
    ([EngineInput(None, None)], 'an image, events or both'),
    ([EngineInput(np.zeros((3, 8, 8)), None)], 'float64'),
    ([EngineInput(np.zeros((4, 8, 8), np.float32), None)], '3 channels'),
    ([EngineInput(np.zeros((3, 8, 8), np.float32), np.zeros((4, 8, 9), np.float32))], '2 sizes'),
])
def test_wrong_inputs_are_rejected(engine, inputs, message):
    with pytest.raises(ValueError, match=message):
        engine.step([EngineState()], inputs)


@pytest.mark.parametrize('size', [SIZE, (20, 31), (90, 124), (300, 200), (77, 1)])
def test_masks_of_other_sizes_are_those_of_torch(network, size):
    engine = Engine(compile_network(network, half=False))
    image, events = exact_inputs(CONFIG, 0, *SIZE)
    with torch.no_grad():
        prediction = network(torch.from_numpy(image)[None, None],
                             events=torch.from_numpy(events)[None, None])
    mask, confidence = mask_of(prediction.logits[-1][0], size, True)
    output, = engine.step([EngineState()], [given(0, mask_size=size)], confidence=True)
    assert output.mask.shape == output.confidence.shape == size
    assert (output.mask == mask).mean() > 0.99
    assert (abs(output.confidence.astype(int) - confidence) <= 1).mean() > 0.99


@pytest.mark.parametrize('kernels', library().kernels)
@pytest.mark.parametrize('classes', [5, 19])
def test_larger_masks_have_the_highest_of_all_interpolated_scores(classes, kernels):
    """Without confidence, only the pixels at the edges of classes are interpolated."""
    network = exact_network(named_config('fast', classes))
    engine = Engine(compile_network(network), kernels)
    image, _ = exact_inputs(network.config, 0, 20, 230)
    for size in ((40, 460), (33, 231), (20, 230), (7, 230), (21, 229), (90, 1000)):
        given = EngineInput(image, None, 1.0, size)
        plain, = engine.step([EngineState()], [given], confidence=True)
        quick, = engine.step([EngineState()], [given])
        assert len(np.unique(plain.mask)) > 1
        assert np.array_equal(quick.mask, plain.mask), size


def test_a_mask_size_for_inputs_of_two_sizes(network):
    engines = [Engine(compile_network(network)) for _ in range(2)]
    # One engine has made such a mask before, from scores of another size.
    engines[0].step([EngineState()], [EngineInput(*exact_inputs(CONFIG, 0, 64, 64), 1.0, (50, 50))])
    masks = [engine.step([EngineState()], [given(0, mask_size=(50, 50))])[0].mask
             for engine in engines]
    assert np.array_equal(*masks)


@pytest.mark.parametrize('stride', [1, 2])
def test_padding_is_no_class(stride):
    """Its channels have no score, also where those of all classes are below 0."""
    network = exact_network(named_config('fast', 5, stem_stride=stride))
    with torch.no_grad():
        network.heads[2].conv.bias -= 1e4
    image, _ = exact_inputs(network.config, 0, 16, 24)
    output, = Engine(compile_network(network)).step([EngineState()], [EngineInput(image, None)])
    assert output.mask.max() < 5


def test_norms_are_folded_in_a_copy():
    network = untrained('fast', 4)
    before = {name: x.clone() for name, x in network.state_dict().items()}
    program = compile_network(network)
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(x, after[name]) for name, x in before.items())
    folded = compile_network(fold_norms(network))
    for one, other in zip(program.operations, folded.operations, strict=True):
        for name in ('weights', 'scale', 'bias'):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_pixels_are_normalised_as_by_torch():
    config = named_config('fast', 5)
    network = exact_network(config)
    mean, std = (0.41, 0.42, 0.43), (0.27, 0.26, 0.25)
    pixels = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    image = ((pixels.astype(np.float32) - np.float32(mean) * np.float32(255))
             / (np.float32(std) * np.float32(255))).transpose(2, 0, 1)
    states = []
    for program, x in ((compile_network(network, mean, std), pixels),
                       (compile_network(network), image)):
        engine, stream = Engine(program), EngineState()
        engine.step([stream], [EngineInput(x, None)])
        states.append(engine.read_state(stream))
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])


def test_planes_that_exist_together_lie_apart():
    for seed in range(40):
        config = random_config(seed) if seed < 30 else random_lite_config(seed)
        program = compile_network(exact_network(config, seed))
        plan = Engine(program)._plan(23, 41, seed % 2 == 0)
        memory = np.full(plan.arena_bytes, -1)
        for step, operation in enumerate(plan.operations):
            written = [*operation.stores, *(n.spikes for n in operation.neurons)]
            read = [operation.input, *(plane for plane, _ in operation.adds)]
            for index in read:
                part = None if index is None else plan.arena_slice(index)
                assert part is None or (memory[part] == index).all(), (seed, step)
            for index in written:
                part = plan.arena_slice(index)
                if part is not None:
                    memory[part] = index


@pytest.mark.parametrize('changes, message', [
    (dict(mimo=True), 'image pyramid'), (dict(full_spike=False), 'convolutions of currents'),
    (dict(steps=2), 'several steps'), (dict(levels=33), '33 levels'),
    (dict(name='lite_twin'), 'artificial network')])
def test_other_networks_are_rejected(changes, message):
    config = named_config(**{'name': 'fast', 'classes': 5, **changes})
    with pytest.raises(UnsupportedNetworkError, match=message):
        compile_network(build(config).eval())
