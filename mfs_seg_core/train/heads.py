# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads of a network for other classes than those of the weights that it starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

# Beginnings of the names of the layers whose outputs are class scores.
HEADS = ('heads.', 'head.')
# Ends of the names of their tensors with a row for each class.
ROWS = ('weight', 'bias')


def with_classes(start: Mapping[str, Tensor], start_names: Sequence[str],
                 network: Mapping[str, Tensor], names: Sequence[str]) -> dict[str, Tensor]:
    """
    Convert the tensors of weights to other classes.

    The scores of a class whose name both have are kept. Those of a new class are the network's own.

    :param start: tensors of the weights.
    :param start_names: names of their classes.
    :param network: tensors of a network for the new classes, with initial values.
    :param names: names of the new classes.
    :returns: the tensors of the weights, with rows of the new classes in the heads.
    """
    if tuple(names) == tuple(start_names):
        return dict(start)
    kept = [(row, start_names.index(name)) for row, name in enumerate(names)
            if name in start_names]
    converted = dict(start)
    for name, tensor in start.items():
        own = network.get(name)
        if (own is None or not name.startswith(HEADS) or not name.endswith(ROWS)
                or len(tensor) != len(start_names) or own.shape[1:] != tensor.shape[1:]):
            continue
        rows = own.detach().clone()
        if kept:
            new, old = (torch.tensor(column) for column in zip(*kept))
            rows[new] = tensor[old].to(rows)
        converted[name] = rows
    return converted
