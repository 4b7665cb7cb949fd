# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the nodes run: until done or asked to stop, with one sentence on error."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Protocol

import rclpy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from mfs_seg_ros.node.malloc import keep_freed_memory

# Fast DDS at times spins for long while a node is taken down (eProsima/Fast-DDS issue 6513), and
# rclpy holds the interpreter's lock meanwhile: only the kernel can end such a process.
TAKE_DOWN_S = 5


class Runnable(Protocol):
    """A node that does its work in `run`, whose exit code is 0 or None when it went well."""

    def run(self) -> int | None: ...

    def destroy_node(self) -> None: ...


def run_node(
    make_node: Callable[[threading.Event], Runnable], name: str, args: list[str] | None
) -> int:
    """
    Make a node and run it; return its exit code, or 1 after a sentence about what is wrong.

    The node is given an event that SIGINT and SIGTERM set; it should end its work soon after.
    A process that then cannot take its node down ends by SIGALRM.
    """
    keep_freed_memory()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    # The handlers of rclpy would shut the context down in the middle of the work.
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:
        rclpy.logging.get_logger(name).fatal(f'the ROS arguments cannot be used: {error}')
        return 1
    node = None
    try:
        _refuse_others(remove_ros_args(args))
        try:
            node = make_node(stopped)
        except RuntimeError as error:
            # As where it is to be secure and has no keys.
            raise ValueError(f'the node cannot be made: {str(error).splitlines()[0]}') from None
        code = node.run() or 0
    except (ValueError, OSError) as error:
        rclpy.logging.get_logger(name).fatal(str(error))
        return 1
    finally:
        signal.alarm(TAKE_DOWN_S)
        if node:
            node.destroy_node()
        rclpy.shutdown()
        signal.alarm(0)
    return code


def _refuse_others(arguments: list[str]) -> None:
    """Refuse arguments that ROS does not take: a parameter given wrongly would go unnoticed."""
    if arguments[1:]:
        raise ValueError(
            f"'{' '.join(arguments[1:])}' is not understood: give parameters as "
            '--ros-args -p name:=value')
