# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Functions of the installed executables; importing them imports neither ROS nor PyTorch."""

from __future__ import annotations

from importlib import import_module
from typing import NoReturn

from mfs_seg_ros import stop_at_once
from mfs_seg_ros.node.stop import end_process


def segmenter() -> NoReturn:
    """Run the node ``mfs_seg``, and end the process with its exit code."""
    _run('segmenter')


def player() -> NoReturn:
    """Run the node ``player``, and end the process with its exit code."""
    _run('player')


def recorder() -> NoReturn:
    """Run the node ``recorder``, and end the process with its exit code."""
    _run('recorder')


def viewer() -> NoReturn:
    """Run the node ``viewer``, and end the process with its exit code."""
    _run('viewer')


def _run(name: str) -> NoReturn:
    stop_at_once()
    end_process(import_module(f'mfs_seg_ros.{name}').main())
