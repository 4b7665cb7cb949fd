# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the node under events, and its event generator."""

import json
import subprocess
import sys

import numpy as np
from support.event_camera import save_untrained

from mfs_seg_core.events.decoders import open_decoder
from mfs_seg_ros.tools.event_generator import PACKET_US, SENSOR, packet, pattern


def test_packets_follow_one_another():
    words, count = pattern(1000, seed=0)
    decoder = open_decoder('evt3', *SENSOR)
    times = []
    # Across the wrap of the time.
    for index in range(4094, 4099):
        message = packet(words, index, 0)
        events = decoder.decode_packet(bytes(message.events))
        assert events.count == count >= 1000
        assert message.seq == index
        stamp_us = (message.header.stamp.sec * 10**9 + message.header.stamp.nanosec) // 1000
        times.append((events.t, stamp_us))
    moved = times[0][1] - times[0][0][0] + times[0][0][0] % PACKET_US
    for t, stamp_us in times:
        assert (t + moved >= stamp_us).all() and (t + moved < stamp_us + PACKET_US).all()
    assert sum(decoder.faults.values()) == 0
    assert len(np.unique(events.y)) > 100


def test_benchmark_measures_a_node(tmp_path):
    file = tmp_path / 'figures.json'
    run = subprocess.run(
        [sys.executable, '-m', 'mfs_seg_ros.benchmark.events', '--rate', '0.5', '--seconds', '2',
         '--weights', save_untrained(tmp_path / 'both.safetensors'), '--json', str(file)],
        capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    figures = json.loads(file.read_text())
    assert figures['packets_sent'] == -(-2_000_000 // PACKET_US)
    assert figures['events_sent'] >= 990_000
    assert 0 <= figures['events_decoded'] <= figures['events_sent']
    assert 0.0 < figures['node_cpu_s_per_s'] < 1.2
    assert figures['backend'].startswith('native, ')
    assert 'node_cpu_s_per_s' in run.stdout
