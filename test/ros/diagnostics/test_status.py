# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Contents of /diagnostics, and its arrival."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor

from mfs_seg_ros.diagnostics.health import Level, Report
from mfs_seg_ros.diagnostics.qos_check import TopicStatus
from mfs_seg_ros.diagnostics.status import Fault, diagnostic_array, process_facts, value_text

TIMEOUT_S = 30.0
GOOD = TopicStatus('/mfs_seg/mask', None, False, ('/rviz: reliable, volatile', '/nav: best_effort, '
                                           'volatile'))
BAD = TopicStatus('/mfs_seg/image', 'no publisher on /mfs_seg/image: start the driver', True, ())


def array_of(reports, facts=None, seen=()) -> DiagnosticArray:
    return diagnostic_array(Time(sec=5, nanosec=7), 'mfs_seg', 'cuda:0', reports, facts or {},
                            seen)


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def test_one_status_for_each_camera_and_one_for_the_node():
    array = array_of({'front': Report(Level.WARN, 'masks are late', {'latency p99 (ms)': 250.0}),
                      'left': Report(Level.STALE, 'no image for 3.0 s', {'images received': 4})},
                     {'weights': 'street'})
    assert [status.name for status in array.status] == [
        'mfs_seg: front', 'mfs_seg: left', 'mfs_seg: node']
    front, left, node = array.status
    assert (front.level, left.level, node.level) == (
        DiagnosticStatus.WARN, DiagnosticStatus.STALE, DiagnosticStatus.OK)
    assert front.message == 'masks are late' and front.hardware_id == 'cuda:0'
    assert values(front) == {'latency p99 (ms)': '250.000'}
    assert values(node) == {'weights': 'street'}
    assert array.header.stamp == Time(sec=5, nanosec=7)


def test_the_camera_without_a_name_has_one_here():
    assert array_of({'': Report(Level.OK, '', {})}).status[0].name == 'mfs_seg: camera'


@pytest.mark.parametrize('level, theirs', [
    (Level.OK, DiagnosticStatus.OK), (Level.WARN, DiagnosticStatus.WARN),
    (Level.ERROR, DiagnosticStatus.ERROR), (Level.STALE, DiagnosticStatus.STALE)])
def test_levels_are_those_of_the_message(level, theirs):
    assert array_of({'': Report(level, '', {})}).status[0].level == theirs


def test_what_the_topics_meet_is_the_node_s_status():
    node = array_of({}, {}, [BAD, GOOD]).status[-1]
    assert node.level == DiagnosticStatus.WARN and node.message == BAD.fault
    assert values(node) == {
        'QoS on /mfs_seg/image': 'no endpoint',
        'QoS on /mfs_seg/mask': '/rviz: reliable, volatile; /nav: best_effort, volatile'}


@pytest.mark.parametrize('state, seen, fault, level, message', [
    ('unconfigured', (), None, Level.OK, 'not active: unconfigured'),
    # Topics are not checked before their endpoints were discovered.
    ('active', (), None, Level.OK, 'active'),
    ('active', (GOOD,), None, Level.OK, 'all publishers and subscriptions match'),
    ('unconfigured', (), Fault(Level.ERROR, 'cannot configure: no weights'), Level.ERROR,
     'cannot configure: no weights'),
    ('active', (BAD, GOOD), Fault(Level.WARN, 'nothing publishes /clock'), Level.WARN,
     f'nothing publishes /clock; {BAD.fault}'),
])
def test_the_node_s_own_state_and_faults(state, seen, fault, level, message):
    node = diagnostic_array(Time(), 'mfs_seg', '', {}, {}, seen, fault, state).status[-1]
    assert (node.level, node.message) == (bytes([level]), message)


@pytest.mark.parametrize('value, text', [
    (None, 'unknown'), (0.19204, '0.192'), (12, '12'), ('street', 'street'), (True, 'True'),
    (np.float64(3), '3.000')])
def test_values_are_text(value, text):
    assert value_text(value) == text


# In a process in which nothing else comes and goes.
FACTS = """
import json, os, threading, time
import numpy as np
from mfs_seg_ros.diagnostics.status import process_facts
before = process_facts(time.monotonic() - 90)
block = np.ones(50_000_000, np.uint8)
wait = threading.Event()
threading.Thread(target=wait.wait).start()
with open(os.devnull):
    after = process_facts(time.monotonic() - 90)
wait.set()
print(json.dumps([before, after]))
"""


def test_memory_and_threads_are_those_of_the_process():
    said = subprocess.run([sys.executable, '-c', FACTS], capture_output=True, text=True, check=True)
    before, after = json.loads(said.stdout)
    assert before['uptime (s)'] == 90
    assert 45 < after['memory (MB)'] - before['memory (MB)'] < 70
    assert after['threads'] == before['threads'] + 1
    assert after['open files'] == before['open files'] + 1


def test_it_arrives(environment):
    node = rclpy.create_node('diagnosed')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    received = []
    node.create_subscription(DiagnosticArray, '/diagnostics', received.append, 10)
    publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
    sent = array_of({'front': Report(Level.ERROR, 'too late', {'image rate (Hz)': None})},
                    process_facts(time.monotonic()), [BAD, GOOD])
    end = time.monotonic() + TIMEOUT_S
    while not received:
        assert time.monotonic() < end, 'nothing arrived'
        publisher.publish(sent)
        executor.spin_once(timeout_sec=0.1)
    assert received[0] == sent
    executor.shutdown()
    node.destroy_node()
