# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several streams that step through one network together: each takes what it would take alone."""

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


def frame(seed, height=48, width=64):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, 3), dtype=np.uint8)


def window(seed, count=500, size=(64, 48)):
    return EventWindow(random_events(count, 50_000, size, seed), 0, 50_000, size)


@pytest.fixture(params=[('fast', 0), ('paper', 0), ('fast', 4)], ids=['fast', 'paper', 'fusion'])
def segmenter(request):
    network = untrained(*request.param)
    if network.config.events:
        # As it starts, the join is a sum.
        torch.nn.init.ones_(network.events.join.project.norm.weight)
    return Segmenter(network, metadata_of(network))


def family(segmenter, count):
    return [segmenter] + [segmenter.sibling() for _ in range(count - 1)]


def together(streams, inputs, **asked):
    """Step streams as one batch; ``inputs`` are what each prepares."""
    return step_together([(stream, stream.prepare(*given))
                          for stream, given in zip(streams, inputs)], **asked)


def check_same(streams, alone, results, expected):
    """The order in which a batch is added up may differ, but nothing else."""
    for ours, theirs in zip(results, expected, strict=True):
        assert ours.mask.shape == theirs.mask.shape
        # Where two classes are equally likely, the order decides.
        assert (ours.mask == theirs.mask).mean() > 0.999
        assert abs(ours.confidence.astype(int) - theirs.confidence).max() <= 1
        assert ours.firing_rate == pytest.approx(theirs.firing_rate, rel=1e-4)
        assert ours.model_ms == results[0].model_ms > 0
    for one, other in zip(streams, alone):
        assert one.steps_since_reset == other.steps_since_reset
        ours, theirs = one._memory.state(), other._memory.state()
        assert (ours is None) == (theirs is None)
        for name in ours or ():
            torch.testing.assert_close(ours[name], theirs[name], atol=1e-4, rtol=1e-4, msg=name)


def test_as_alone(segmenter):
    """Sizes, times and pasts of their own; masks come in the order of the streams given."""
    streams, alone = family(segmenter, 3), family(segmenter.sibling(), 3)
    asked = dict(confidence=True, firing_rate=True)
    # Who comes, in which order; the third stream is at rest when the others are not.
    for step, company in enumerate([(0, 1), (0, 1), (1, 2, 0), (2, 0, 1), (2,), (1, 0), (0, 2, 1)]):
        if step == 3:
            streams[1].reset()
            alone[1].reset()
        inputs = [(frame((step, i), *SIZES[i]), None if step < 2 else 0.03 + 0.01 * i)
                  for i in company]
        results = together([streams[i] for i in company], inputs, **asked)
        expected = [alone[i].step(*given, **asked) for i, given in zip(company, inputs)]
        check_same(streams, alone, results, expected)


def test_each_sees_its_own_senses():
    """Camera, events, or both, in one batch."""
    network = untrained('fast', 4)
    torch.nn.init.ones_(network.events.join.project.norm.weight)
    segmenter = Segmenter(network, metadata_of(network))
    streams, alone = family(segmenter, 3), family(segmenter.sibling(), 3)
    asked = dict(confidence=True, firing_rate=True)
    for step in range(4):
        inputs = [(frame(step), None, None), (None, 0.05, window(step)),
                  (frame(step + 9), 0.02, window(step))]
        # By turns, so that each comes to see every sense.
        inputs = inputs[step % 3:] + inputs[:step % 3]
        results = together(streams, inputs, **asked)
        check_same(streams, alone, results,
                   [one.step(*given[:2], events=given[2], **asked)
                    for one, given in zip(alone, inputs)])


def test_rest_is_zeros(segmenter):
    """A stream at rest beside others is exactly one that never saw anything."""
    streams, others = family(segmenter, 2), family(segmenter.sibling(), 2)
    together(streams, [(frame(0),), (frame(1),)])
    together(others, [(frame(0),), (frame(2),)])
    for _, second in (streams, others):
        second.reset()
    streams[0].reset()
    still = [(frame(3),), (frame(4),)]
    at_rest = together(streams, still, confidence=True)[1]
    beside = together(others, still, confidence=True)[1]
    assert np.array_equal(at_rest.confidence, beside.confidence)
    for name, potential in streams[1]._memory.state().items():
        assert torch.equal(potential, others[1]._memory.state()[name]), name


def test_a_bad_message_hurts_nobody(segmenter):
    """What cannot be a step is refused before any stream has changed."""
    streams, alone = family(segmenter, 2), family(segmenter.sibling(), 2)
    asked = dict(confidence=True, firing_rate=True)
    for step in range(2):
        inputs = [(frame((step, i)),) for i in range(2)]
        with pytest.raises(ValueError, match='a frame is uint8'):
            streams[1].prepare(np.zeros((48, 64), np.uint8))
        with pytest.raises(ValueError, match='elapsed_s is'):
            streams[0].prepare(frame(0), -1.0)
        # Prepared, and dropped for a newer one; another size is no reason to rest before its step.
        streams[0].prepare(frame(5, 96, 128))
        results = together(streams, inputs, **asked)
        check_same(streams, alone, results,
                   [one.step(*given, **asked) for one, given in zip(alone, inputs)])


def test_a_company_that_cannot_be_is_refused(segmenter):
    stranger = Segmenter(untrained('fast'), segmenter.metadata)
    larger = Segmenter(segmenter.network, segmenter.metadata, input_size=(128, 96))
    segmenter.step(frame(0))
    for other in (stranger, larger):
        with pytest.raises(ValueError, match='one network and one input size'):
            together([segmenter, other], [(frame(1),), (frame(2),)])
    with pytest.raises(ValueError, match='a stream comes twice'):
        together([segmenter, segmenter], [(frame(1), 0.05), (frame(2, 96, 128), 0.05)])
    assert segmenter.steps_since_reset == segmenter.network.config.steps
    assert step_together([]) == []


def kept_bytes(segmenter):
    storages = {}
    for potential in segmenter._memory.state().values():
        storage = potential.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def test_a_row_keeps_no_others_in_memory(segmenter):
    """A stream that stays away keeps what is its own, and streams that are gone keep nothing."""
    streams = family(segmenter, 3)
    segmenter.step(frame(0))
    own = kept_bytes(segmenter)
    together(streams, [(frame(i),) for i in range(3)])
    assert kept_bytes(streams[2]) == 3 * own
    together(streams[:2], [(frame(i),) for i in range(2)])
    assert [kept_bytes(stream) for stream in streams] == [2 * own, 2 * own, own]
    gc.disable()  # What waits for it waits with tens of megabytes.
    try:
        company = weakref.ref(segmenter._memory._company)
        del streams[:]
        assert company() is not None
        segmenter.reset()
        assert company() is None
    finally:
        gc.enable()


def test_the_same_company_copies_no_state(segmenter):
    """While the same streams come, in any order, the state of their last step is the next one's."""
    streams = family(segmenter, 3)
    frames = [(frame(i),) for i in range(3)]
    together(streams, frames)
    before = segmenter._memory._company.state
    states = []
    hook = segmenter.network.register_forward_pre_hook(
        lambda network, inputs, named: states.append(named['state']), with_kwargs=True)
    together(streams[::-1], frames)
    together(streams[:2], frames[:2])
    hook.remove()
    assert states[0] is before
    assert {len(potential) for potential in states[1].values()} == {2}
