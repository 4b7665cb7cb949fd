# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams that step through one network as a batch: each gets the results that it gets alone."""

import gc
import weakref

import numpy as np
import pytest
import torch
from support.event_trees import random_events
from support.untrained import metadata_of, untrained

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.streaming.segmenter import Segmenter, step_together

SIZES = (48, 64), (96, 128), (45, 71)
OPTIONS = dict(confidence=True, firing_rate=True)


def frame(seed, height=48, width=64):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, 3), dtype=np.uint8)


def window(seed, count=500, size=(64, 48)):
    return EventWindow(random_events(count, 50_000, size, seed), 0, 50_000, size)


def make_segmenter(config, events=0, backend='torch', **changes):
    network = untrained(config, events, **changes)
    if network.config.events:
        # Initially, the joint block is a sum.
        torch.nn.init.ones_(network.events.join.project.norm.weight)
    return Segmenter(network, metadata_of(network), backend=backend)


BY_TORCH = {'fast': ('fast', {}), 'paper': ('paper', {'steps': 2, 'widths': (8, 16, 32)}),
            'fusion': ('fast', {'events': 4})}
ALL = {**BY_TORCH, 'fast, native': ('fast', {'backend': 'native'}),
       'fusion, native': ('fast', {'events': 4, 'backend': 'native'})}


@pytest.fixture(params=ALL.values(), ids=ALL)
def segmenter(request):
    config, changes = request.param
    return make_segmenter(config, **changes)


@pytest.fixture(params=BY_TORCH.values(), ids=BY_TORCH)
def torch_segmenter(request):
    config, changes = request.param
    return make_segmenter(config, **changes)


@pytest.fixture
def fast():
    return make_segmenter('fast')


def streams_of(segmenter, count):
    return [segmenter] + [segmenter.sibling() for _ in range(count - 1)]


def together(streams, inputs, **options):
    """Step streams as one batch; ``inputs`` are the arguments of prepare()."""
    return step_together([(stream, stream.prepare(*given))
                          for stream, given in zip(streams, inputs)], **options)


def check_same(streams, alone, results, expected):
    """Compare the results and states of batched streams with those of streams that step alone."""
    for batched, single in zip(results, expected, strict=True):
        assert batched.mask.shape == single.mask.shape
        # Additions in another order decide between classes of equal probability.
        assert (batched.mask == single.mask).mean() > 0.999
        assert abs(batched.confidence.astype(int) - single.confidence).max() <= 1
        assert batched.firing_rate == pytest.approx(single.firing_rate, rel=1e-4)
        assert batched.model_ms == results[0].model_ms > 0
    for batched, single in zip(streams, alone):
        assert (batched.state is None) == (single.state is None)
        for name in batched.state or ():
            close = np.isclose(batched.state[name], single.state[name], atol=1e-4, rtol=1e-4)
            # Rounding may move a potential across the threshold of binary neurons.
            binary = batched.metadata.config.levels == 1
            assert close.all() or binary and close.mean() > 0.998, name


def test_as_alone(segmenter):
    """Streams differ in size, time and past; results have the order of the arguments."""
    streams, alone = streams_of(segmenter, 3), streams_of(segmenter.sibling(), 3)
    # The streams of each step, in order; the third is at rest when the others are not.
    for step, chosen in enumerate([(0, 1), (0, 1), (1, 2, 0), (2, 0, 1), (2,), (1, 0), (0, 2, 1)]):
        if step == 3:
            streams[1].reset()
            alone[1].reset()
        inputs = [(frame((step, i), *SIZES[i]), None if step < 2 else 0.03 + 0.01 * i)
                  for i in chosen]
        results = together([streams[i] for i in chosen], inputs, **OPTIONS)
        expected = [alone[i].step(*given, **OPTIONS) for i, given in zip(chosen, inputs)]
        check_same(streams, alone, results, expected)


def test_modalities_in_one_batch():
    """Camera, events, or both, in one batch."""
    segmenter = make_segmenter('fast', 4)
    streams, alone = streams_of(segmenter, 3), streams_of(segmenter.sibling(), 3)
    for step in range(4):
        inputs = [(frame(step), None, None), (None, 0.05, window(step)),
                  (frame(step + 9), 0.02, window(step))]
        # Rotated, so that each stream gets every modality.
        inputs = inputs[step % 3:] + inputs[:step % 3]
        results = together(streams, inputs, **OPTIONS)
        check_same(streams, alone, results,
                   [one.step(*given[:2], events=given[2], **OPTIONS)
                    for one, given in zip(alone, inputs)])


def test_another_size_keeps_the_state(fast):
    """The caller of step_together decides on resets; masks follow the size of the frames."""
    small, large = frame(0), frame(1, 96, 128)
    control = fast.sibling()
    for stream in (fast, control):
        stream.step(small)
    batched = together([fast], [(large,)], confidence=True)[0]
    assert batched.mask.shape == (96, 128)
    control._sizes['camera'] = (96, 128)
    continued = control.step(large, confidence=True)
    assert np.array_equal(batched.confidence, continued.confidence)
    from_rest = fast.sibling().step(large, confidence=True)
    assert not np.array_equal(batched.confidence, from_rest.confidence)


def test_rest_is_zeros(segmenter):
    """A stream at rest in a batch is exactly a new stream."""
    streams, others = streams_of(segmenter, 2), streams_of(segmenter.sibling(), 2)
    together(streams, [(frame(0),), (frame(1),)])
    together(others, [(frame(0),), (frame(2),)])
    for _, second in (streams, others):
        second.reset()
    streams[0].reset()
    still = [(frame(3),), (frame(4),)]
    with_rest, with_others = (together(batch, still, confidence=True)[1]
                              for batch in (streams, others))
    assert np.array_equal(with_rest.confidence, with_others.confidence)
    for name, potential in streams[1].state.items():
        assert np.array_equal(potential, others[1].state[name]), name


def test_wrong_inputs_change_no_stream(segmenter):
    """An invalid step is rejected before any stream has changed."""
    streams, alone = streams_of(segmenter, 2), streams_of(segmenter.sibling(), 2)
    for step in range(2):
        inputs = [(frame((step, i)),) for i in range(2)]
        with pytest.raises(ValueError, match='a frame is uint8'):
            streams[1].prepare(np.zeros((48, 64), np.uint8))
        with pytest.raises(ValueError, match='elapsed_s is'):
            streams[0].prepare(frame(0), -1.0)
        # Prepared, then dropped for a newer frame.
        streams[0].prepare(frame(5, 96, 128))
        results = together(streams, inputs, **OPTIONS)
        check_same(streams, alone, results,
                   [one.step(*given, **OPTIONS) for one, given in zip(alone, inputs)])


def test_wrong_batches_are_rejected(fast):
    foreign = Segmenter(untrained('fast'), fast.metadata, backend='torch')
    larger = fast.sibling((128, 96))
    fast.step(frame(0))
    before = fast.state
    for other in (foreign, larger):
        with pytest.raises(ValueError, match='one network, backend and input size'):
            together([fast, other], [(frame(1),), (frame(2),)])
    with pytest.raises(ValueError, match='a stream occurs twice'):
        together([fast, fast], [(frame(1), 0.05), (frame(2, 96, 128), 0.05)])
    assert all(np.array_equal(potential, before[name]) for name, potential in fast.state.items())
    assert step_together([]) == []


def state_bytes(segmenter):
    """Return the bytes of memory that the state of a stream keeps allocated."""
    storages = {}
    for potential in segmenter._state.tensors().values():
        storage = potential.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def test_a_row_keeps_no_others_in_memory(torch_segmenter):
    """A stream outside the batch keeps its own row only, and deleted streams keep nothing."""
    streams = streams_of(torch_segmenter, 3)
    torch_segmenter.step(frame(0))
    own = state_bytes(torch_segmenter)
    together(streams, [(frame(i),) for i in range(3)])
    assert state_bytes(streams[2]) == 3 * own
    together(streams[:2], [(frame(i),) for i in range(2)])
    assert [state_bytes(stream) for stream in streams] == [2 * own, 2 * own, own]
    # Reference counts alone must free tens of megabytes, without waiting for the collector.
    gc.disable()
    try:
        batch = weakref.ref(torch_segmenter._state._batch)
        del streams[:]
        assert batch() is not None
        torch_segmenter.reset()
        assert batch() is None
    finally:
        gc.enable()


def test_the_same_streams_copy_no_state(torch_segmenter):
    """While the same streams step, in any order, the state of one step is that of the next."""
    streams = streams_of(torch_segmenter, 3)
    frames = [(frame(i),) for i in range(3)]
    together(streams, frames)
    before = torch_segmenter._state._batch.tensors
    states = []
    hook = torch_segmenter.network.register_forward_pre_hook(
        lambda network, inputs, named: states.append(named['state']), with_kwargs=True)
    together(streams[::-1], frames)
    together(streams[:2], frames[:2])
    hook.remove()
    assert states[0] is before
    assert {len(potential) for potential in states[1].values()} == {2}
