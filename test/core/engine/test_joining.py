# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Operations that run together depend on the same row of each other only."""

import numpy as np
import pytest
from support.exact_networks import (
    exact_inputs,
    exact_network,
    random_config,
    random_lite_config,
)

from mfs_seg_core.engine import engine as module
from mfs_seg_core.engine.compiler import compile_network
from mfs_seg_core.engine.engine import Engine, EngineInput, EngineState
from mfs_seg_core.engine.joining import joined_operations
from mfs_seg_core.engine.program import Operation


def operation(**changes):
    return Operation(**{'source': 'dense', 'level': 0, 'channels': 16, **changes})


@pytest.mark.parametrize('second, joins', [
    (dict(input=1, stores=[2]), True),
    (dict(input=1, kernel=3, stores=[2]), False),
    (dict(input=1, stride=2, stores=[2]), False),
    (dict(input=1, level=1, stores=[2]), False),
    (dict(input=0, kernel=3, stores=[2]), True),
    (dict(input=0, adds=[(1, False)], stores=[2]), True),
    (dict(input=0, adds=[(1, True)], stores=[2]), False),
    (dict(input=1, adds=[(1, True)], stores=[2]), False),
    # The operation before it reads other rows of this plane.
    (dict(input=1, stores=[3]), False),
    (dict(input=1, stores=[0]), True)])
def test_which_operations_join(second, joins):
    first = operation(input=0, adds=[(3, True)], stores=[1])
    joined = joined_operations([first, operation(**second)], lambda each: 8 >> each.level)
    assert joined == [False, joins]


def test_even_and_odd_rows_are_read_by_a_later_loop():
    halves = [operation(input=0, part=part, stores=[1]) for part in (0, 1)]
    reader = operation(input=1, level=1, stores=[2])
    assert joined_operations([*halves, reader], lambda each: 4) == [False, True, False]


def test_an_operation_joins_all_before_it_or_none():
    first, second = operation(input=0, stores=[1]), operation(input=1, stores=[2])
    third = operation(input=1, kernel=3, stores=[3])
    assert joined_operations([first, second, third, second], lambda each: 8) == [
        False, True, False, True]


@pytest.mark.parametrize('config', [*map(random_config, range(30, 34)),
                                    *map(random_lite_config, range(30, 34))])
@pytest.mark.parametrize('streams, threads', [(1, 1), (1, 3), (3, 2), (5, 2)])
def test_results_are_those_of_one_operation_after_the_other(config, streams, threads):
    program = compile_network(exact_network(config), half=True)
    together, apart = Engine(program), Engine(program)
    apart.nanoseconds = np.zeros(len(program.operations), np.int64)
    states, others = ([EngineState() for _ in range(streams)] for _ in range(2))
    module.set_threads(threads)
    try:
        for step in range(3):
            inputs = [EngineInput(*exact_inputs(config, 10 * step + stream, 43, 62))
                      for stream in range(streams)]
            outputs = (engine.step(state, inputs, confidence=True, rates=True)
                       for engine, state in ((together, states), (apart, others)))
            for one, other in zip(*outputs):
                assert np.array_equal(one.mask, other.mask)
                assert np.array_equal(one.confidence, other.confidence)
                assert one.rates == other.rates
    finally:
        module.set_threads(0)
    for one, other in zip(states, others):
        potentials = together.read_state(one)
        for name, potential in apart.read_state(other).items():
            assert np.array_equal(potential, potentials[name]), name
