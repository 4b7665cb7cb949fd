# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Untrained networks that fire: their batch norms have statistics of random data."""

import torch
from torch import nn

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.lite import LiteSeg
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.weights.file import build
from mfs_seg_core.weights.metadata import Metadata

# Changes of the configuration 'fast' that make its steps quick.
SMALL = dict(widths=(8, 16, 24), kernels=((), (3,), (5,)), detail=4)


def untrained(config: str, events: int = 0, **changes) -> MFSSeg | LiteSeg:
    """
    Return a network with random weights, in evaluation mode, the same on every call.

    events: channels of the event tensor, for a network that takes images and events.
    changes: values of other fields of the configuration, such as steps=2.
    """
    torch.manual_seed(0)
    network = build(named_config(config, classes=len(CAMVID), events=events, **changes))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network(torch.randn(2, 2, 3, 48, 64),
                events=torch.rand(2, 2, events, 48, 64) if events else None)
    return network.eval()


def metadata_of(network: MFSSeg | LiteSeg) -> Metadata:
    """Return metadata for a network, with 64x48 input."""
    bins = network.config.events // 2
    return Metadata('test', network.config, CAMVID, (64, 48), (0.4, 0.4, 0.4), (0.3, 0.3, 0.3),
                    0.05, 'fusion' if bins else 'camera', bins,
                    notes={'licence': 'none', 'data': 'none'})
