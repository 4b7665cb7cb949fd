# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a measurement of a segmenter, with its processes, its files and its exit code."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions

from mfs_seg_core.util.files import write_json
from mfs_seg_ros.node.fastdds_environment import local_environment
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.tools.argument_types import positive
from mfs_seg_ros.tools.processes import ChildFailed, Children

# Takes the processes, a folder for their files, the options, and the request to stop.
Run = Callable[[Children, Path, argparse.Namespace, Stop], dict[str, Any]]


def parser(prog: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all measurements have."""
    options = argparse.ArgumentParser(prog=prog, description=description,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--weights', default='street', help='name of shipped weights or a file')
    options.add_argument('--backend', choices=('native', 'torch'), default='native',
                         help='backend of the network (default: native)')
    options.add_argument('--seconds', type=positive, default=10.0)
    options.add_argument('--core', type=int, default=max(os.sched_getaffinity(0)),
                         help='of the node (default: the last)')
    options.add_argument('--json', type=Path, default=None, metavar='FILE')
    return options


def measure(run: Run, show: Callable[[Mapping[str, Any]], str], options: argparse.Namespace,
            name: str = 'benchmark',
            judge: Callable[[Mapping[str, Any]], list[str]] = lambda figures: []) -> int:
    """
    Run a measurement, print its figures, and write them to the file of the options.

    :param run: starts the processes and returns the figures.
    :param show: returns the figures as text.
    :param options: the command line.
    :param name: name of the measurement, for messages.
    :param judge: returns a sentence for each figure that is wrong.
    :returns: 0; 1 after an error message; 130 when interrupted.
    """
    stop = Stop()
    stop.catch_signals()
    environment = local_environment()
    os.environ.update(environment)
    try:
        with (tempfile.TemporaryDirectory() as folder,
              Children(Path(folder) / 'log', environment) as children):
            figures = run(children, Path(folder), options, stop)
    except (ChildFailed, OSError) as error:
        print(f'The {name} ended early: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(show(figures))
    if options.json:
        write_json(options.json, figures)
    wrong = judge(figures)
    for sentence in wrong:
        print(f'{name}: {sentence}', file=sys.stderr)
    return 1 if wrong else 0


@contextmanager
def ros():
    """Use rclpy while the context is open."""
    # Its handlers would stop this process before its children.
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        yield
    finally:
        rclpy.shutdown()


@contextmanager
def pinned(core: int):
    """Let processes that start in the context run on this core; this one then uses the others."""
    cores = os.sched_getaffinity(0)
    if core not in cores:
        raise ChildFailed(f'there is no core {core}: give one of {sorted(cores)}.')
    # A child has the cores of its parent, in all its threads.
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores - {core} or cores)
