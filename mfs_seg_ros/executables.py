# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Functions of the installed executables; importing them imports neither ROS nor PyTorch."""

from __future__ import annotations

from importlib import import_module

from mfs_seg_ros import stop_at_once


def segmenter() -> int:
    """Run the node ``mfs_seg``; return its exit code."""
    return _run('segmenter')


def player() -> int:
    """Run the node ``player``; return its exit code."""
    return _run('player')


def recorder() -> int:
    """Run the node ``recorder``; return its exit code."""
    return _run('recorder')


def _run(name: str) -> int:
    stop_at_once()
    return import_module(f'mfs_seg_ros.{name}').main()
