# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a node until it finishes or receives a signal; report an error in one sentence."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from mfs_seg_ros import stop_at_once
from mfs_seg_ros.node.malloc import retain_freed_memory
from mfs_seg_ros.node.parameters import Setting
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.node.usage import usage

# Fast DDS sometimes spins for a long time while a node is destroyed (eProsima/Fast-DDS issue 6513).
# rclpy holds the interpreter lock meanwhile, so only the kernel can end the process.
DESTROY_TIMEOUT_S = 5


class Runnable(Protocol):
    """Node with a blocking method ``run``."""

    def run(self) -> int | None:
        """Run the node; return its exit code, where None is success."""

    def destroy_node(self) -> None:
        """Release the resources of the node."""


def run_node(
    make_node: Callable[[Stop], Runnable],
    name: str,
    settings: Sequence[Setting],
    args: list[str] | None,
) -> int:
    """
    Create a node and run it, or print its parameters for ``--help``.

    SIGINT and SIGTERM end the process until ``run`` of the node catches them; then they set a flag,
    after which ``run`` should return soon. If the node is not destroyed within
    ``DESTROY_TIMEOUT_S`` afterwards, SIGALRM ends the process.

    :param make_node: function that takes this flag and returns the node.
    :param name: name of the logger for errors.
    :param settings: declarations of the parameters of the node, for ``--help``.
    :param args: arguments of the command line; None: those of the process.
    :returns: exit code of the node, or 1 after an error message.
    """
    if {'-h', '--help'} & set(sys.argv[1:] if args is None else args):
        print(usage(Path(sys.argv[0]).stem, make_node.__doc__, settings))
        return 0
    stop_at_once()
    retain_freed_memory()
    stop = Stop()
    node = None
    try:
        node = _created(make_node, stop, args)
        return node.run() or 0
    except (ValueError, OSError) as error:
        rclpy.logging.get_logger(name).fatal(str(error))
        return 1
    finally:
        signal.alarm(DESTROY_TIMEOUT_S)
        if node:
            node.destroy_node()
        if rclpy.ok():
            rclpy.shutdown()
        # The middleware leaves when nothing refers to the node any more, not even itself.
        node = None
        gc.collect()
        signal.alarm(0)


def _created(make_node: Callable[[Stop], Runnable], stop: Stop, args: list[str] | None) -> Runnable:
    """Initialise ROS and return the node; raise ValueError with one sentence where that fails."""
    try:
        # The handlers of rclpy would shut down the context before the node has finished.
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:
        raise ValueError(f'the ROS arguments cannot be used: {error}') from None
    if unknown := remove_ros_args(args)[1:]:
        # ROS ignores them silently.
        raise ValueError(f"'{' '.join(unknown)}' is not understood: give parameters as "
                         '--ros-args -p name:=value')
    try:
        node = make_node(stop)
    except RuntimeError as error:
        # For example, security is enforced and there are no keys.
        raise ValueError(f'the node cannot be created: {str(error).splitlines()[0]}') from None
    _warn_of_undeclared_parameters(node)
    return node


def _warn_of_undeclared_parameters(node: Node) -> None:
    """Log the parameters that were given, but do not exist: ROS ignores them silently."""
    declared = node._parameters
    for name in sorted(set(node._parameter_overrides) - set(declared)):
        similar = get_close_matches(name, declared, n=1)
        remedy = f"did you mean '{similar[0]}'?" if similar else '--help lists all parameters'
        node.get_logger().warn(f"the parameter '{name}' does not exist and is ignored: {remedy}")
