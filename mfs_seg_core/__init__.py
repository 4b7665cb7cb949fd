# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Semantic segmentation of camera and event streams by a spiking neural network.

The names below are imported on first use: importing the package alone loads neither torch nor
NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mfs_seg_core.events.recordings import open_recording
    from mfs_seg_core.events.tensor import EventWindow
    from mfs_seg_core.streaming.segmenter import Segmenter
    from mfs_seg_core.weights.file import load_weights

__all__ = ['EventWindow', 'Segmenter', 'load_weights', 'open_recording']

_MODULES = {
    'EventWindow': 'mfs_seg_core.events.tensor',
    'Segmenter': 'mfs_seg_core.streaming.segmenter',
    'load_weights': 'mfs_seg_core.weights.file',
    'open_recording': 'mfs_seg_core.events.recordings',
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
