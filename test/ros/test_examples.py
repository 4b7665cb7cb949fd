# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The examples of nodes run, each as a process that receives messages."""

import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from support.paths import REPOSITORY
from vision_msgs.msg import LabelInfo, VisionClass

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
REPORT = {'image rate (Hz)': '20.0', 'mask rate (Hz)': '10.0', 'latency p50 (ms)': 'unknown',
          'latency p99 (ms)': '30.0', 'max_latency (ms)': '200',
          'lost: images dropped for newer ones': '3', 'lost: images lost in the transport': '0'}
REPORTS = 3
WAIT_S = 60.0


def mask() -> Image:
    """Return a mask, three quarters of class 1."""
    ids = np.zeros((8, 8), np.uint8)
    ids[2:] = 1
    message = Image(height=8, width=8, encoding='mono8', step=8)
    message.data = ids.tobytes()
    return message


@pytest.fixture
def start(environment, tmp_path):
    """Return a function that starts an example; its output goes to a file, which is returned."""
    processes = []

    def start_example(name: str, *arguments: str):
        log = tmp_path / f'{name}.log'
        with log.open('wb') as output:
            processes.append(subprocess.Popen(
                [sys.executable, '-u', str(REPOSITORY / 'examples' / name), *arguments],
                env=environment, stdout=output, stderr=subprocess.STDOUT))
        return processes[-1], log

    yield start_example
    for process in processes:
        process.kill()
        process.wait()


def test_nodes_of_the_examples(start, tmp_path):
    _, shares = start('mask_subscriber.py')
    picture = tmp_path / 'diagnostics.png'
    plotting, reports = start('plot_diagnostics.py', str(picture), str(REPORTS))
    node = rclpy.create_node('examples')
    names = node.create_publisher(LabelInfo, '/mfs_seg/label_info', LATCHED)
    masks = node.create_publisher(Image, '/mfs_seg/mask', 5)
    statuses = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
    names.publish(LabelInfo(class_map=[VisionClass(class_id=1, class_name='Road')]))
    status = DiagnosticStatus(name='mfs_seg: camera', message='masks are late', values=[
        KeyValue(key=key, value=value) for key, value in REPORT.items()])
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s and (
            'Road 75%' not in shares.read_text() or plotting.poll() is None):
        masks.publish(mask())
        statuses.publish(DiagnosticArray(status=[status]))
        time.sleep(0.1)
    node.destroy_node()
    assert 'Road 75%' in shares.read_text()
    assert plotting.returncode == 0, reports.read_text()
    assert reports.read_text() == 'report 1: masks are late\n'
    # The curves are in colours.
    assert np.ptp(cv2.imread(str(picture)), axis=2).max() > 50
