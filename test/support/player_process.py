# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The player as a process, and a node that subscribes to its topics."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import rclpy
from event_camera_msgs.msg import EventPacket
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from mfs_seg_ros.tools.parameter_file import write_parameters

TIMEOUT_S = 60.0


class PlayerSubscriber:
    """Subscribes to the player's topics, and keeps messages and arrival times."""

    def __init__(self, qos: QoSProfile, events: bool = False):
        self.images = []
        self.labels = []
        self.packets = []
        self.times = []
        self.node = rclpy.create_node('subscriber')
        self.node.create_subscription(Image, 'camera/label', self.labels.append, qos)
        self.node.create_subscription(Image, 'camera/image_raw', self._on_image, qos)
        if events:
            # As drivers publish: best effort, with a long queue.
            self.node.create_subscription(
                EventPacket, 'event_camera/events', self.packets.append,
                QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT))
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)

    def _on_image(self, message: Image) -> None:
        self.times.append(time.monotonic())
        self.images.append(message)

    def listen(self, until) -> None:
        """Receive messages until a condition is true, and 0.3 s longer."""
        end = time.monotonic() + TIMEOUT_S
        while not until():
            assert time.monotonic() < end, 'the player did not meet the condition in time'
            self.executor.spin_once(timeout_sec=0.05)
        quiet = time.monotonic() + 0.3
        while time.monotonic() < quiet:
            self.executor.spin_once(timeout_sec=0.05)


@contextmanager
def players(folder: Path):
    """Yield a function that starts a player; all end on exit, and their parameters are kept."""
    processes = []

    def start_player(**parameters) -> subprocess.Popen:
        file = folder / f'{len(processes)}.yaml'
        write_parameters(file, {name: str(value) if isinstance(value, Path) else value
                                for name, value in parameters.items()})
        process = subprocess.Popen(
            [sys.executable, '-m', 'mfs_seg_ros.player', '--ros-args', '--params-file', str(file)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    try:
        yield start_player
    finally:
        for process in processes:
            process.kill()
            process.communicate()
