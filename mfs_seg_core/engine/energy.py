# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Energy of a step of a program, from the firing rates: as :mod:`mfs_seg_core.model.operations`."""

from __future__ import annotations

from collections.abc import Mapping

from mfs_seg_core.engine.program import Program
from mfs_seg_core.util.energy import AC_PJ, MAC_PJ


def energy_mj(program: Program, size: tuple[int, int], rates: Mapping[str, float],
              sensors: tuple[bool, bool]) -> float:
    """
    Return the energy of a step.

    :param program: the program.
    :param size: height and width of the input.
    :param rates: mean spikes of a neuron, by layer.
    :param sensors: whether camera and event camera had an input of real numbers. Pixels always are;
        a window without events adds nothing.
    :returns: energy in mJ.
    """
    sizes = [size]
    picojoules = 0.0
    for cost in program.costs:
        while len(sizes) <= cost.level:
            sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
        height, width = sizes[cost.level]
        each_pj = (AC_PJ * rates[cost.layer] if cost.layer
                   else MAC_PJ * sensors[max(cost.sensor, 1) - 1])
        picojoules += cost.products * height * width * each_pj
    return picojoules * 1e-9
