# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a node until it finishes or receives a signal; report an error in one sentence."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Protocol

import rclpy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from mfs_seg_ros.node.malloc import retain_freed_memory

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
    make_node: Callable[[threading.Event], Runnable], name: str, args: list[str] | None
) -> int:
    """
    Create a node and run it.

    SIGINT and SIGTERM set an event, after which ``run`` of the node should return soon. If the node
    is not destroyed within ``DESTROY_TIMEOUT_S`` afterwards, SIGALRM ends the process.

    :param make_node: function that takes this event and returns the node.
    :param name: name of the logger for errors.
    :param args: arguments of the command line; None: those of the process.
    :returns: exit code of the node, or 1 after an error message.
    """
    retain_freed_memory()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    # The handlers of rclpy would shut down the context before the node has finished.
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:
        rclpy.logging.get_logger(name).fatal(f'the ROS arguments cannot be used: {error}')
        return 1
    node = None
    try:
        _reject_unknown_arguments(remove_ros_args(args))
        try:
            node = make_node(stopped)
        except RuntimeError as error:
            # For example, security is enforced and there are no keys.
            raise ValueError(f'the node cannot be created: {str(error).splitlines()[0]}') from None
        code = node.run() or 0
    except (ValueError, OSError) as error:
        rclpy.logging.get_logger(name).fatal(str(error))
        return 1
    finally:
        signal.alarm(DESTROY_TIMEOUT_S)
        if node:
            node.destroy_node()
        rclpy.shutdown()
        signal.alarm(0)
    return code


def _reject_unknown_arguments(arguments: list[str]) -> None:
    """Raise ValueError for arguments outside of ``--ros-args``, which ROS ignores silently."""
    if arguments[1:]:
        raise ValueError(
            f"'{' '.join(arguments[1:])}' is not understood: give parameters as "
            '--ros-args -p name:=value')
