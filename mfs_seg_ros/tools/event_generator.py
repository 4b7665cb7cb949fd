# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node ``event_load``: publishes events at a given rate, for benchmarks."""

from __future__ import annotations

import sys
import time
from array import array
from pathlib import Path

import numpy as np
from event_camera_msgs.msg import EventPacket
from rclpy.node import Node
from rclpy.time import Time

from mfs_seg_core.events.evt3_encoder import HALF, HALF_BITS, TIME_HIGH, encode_evt3
from mfs_seg_core.events.types import Events
from mfs_seg_core.util.files import write_json
from mfs_seg_ros.messages.events import EVENT_QOS
from mfs_seg_ros.node.parameters import Setting, declare_all
from mfs_seg_ros.node.run import run_node
from mfs_seg_ros.node.stop import Stop

SENSOR = 1280, 720
# Range of the low half of the time: replacing the high half gives a packet another time.
PACKET_US = HALF + 1
# Different packets, sent in turn.
PATTERNS = 16
# Simultaneous events in a row, as a moving edge causes them.
RUN = 8
POLL_S = 0.1
# Best-effort subscribers miss messages until discovery is complete in both directions.
SETTLE_S = 0.5
EVENT_LOAD = (
    Setting('rate', 20.0, 'Million events a second.', (0.01, 1000.0)),
    Setting('seconds', 10.0, 'Length in seconds.', (0.1, 3600.0)),
    Setting('counts_file', '', 'JSON file for the counts of what was sent; empty: none.'),
)


class EventLoad(Node):
    """Publishes event_camera/events, EVT3 of 1280x720 pixels, once it has a subscriber."""

    def __init__(self, stopped: Stop) -> None:
        super().__init__('event_load')
        self._stopped = stopped
        given = declare_all(self, EVENT_LOAD, read_only=True)
        self._rate, self._seconds = given['rate'], given['seconds']
        self._counts_file = given['counts_file']
        self._publisher = self.create_publisher(EventPacket, 'event_camera/events', EVENT_QOS)
        self._patterns = [
            pattern(round(self._rate * PACKET_US), seed) for seed in range(PATTERNS)]

    def run(self) -> None:
        """Publish for the given time; then print the counts and the duration."""
        self._stopped.catch_signals()
        while not self._stopped.is_set() and not self._publisher.get_subscription_count():
            time.sleep(POLL_S)
        time.sleep(SETTLE_S)
        start, start_ns = time.monotonic(), self.get_clock().now().nanoseconds
        packets = events = 0
        while packets * PACKET_US < self._seconds * 1e6 and not self._stopped.is_set():
            words, count = self._patterns[packets % PATTERNS]
            # The time of its last event.
            due = start + (packets + 1) * PACKET_US / 1e6
            time.sleep(max(0.0, due - time.monotonic()))
            self._publisher.publish(packet(words, packets, start_ns))
            packets += 1
            events += count
        seconds = time.monotonic() - start
        print(f'events_sent: {events} packets_sent: {packets} seconds: {seconds:.3f}', flush=True)
        if self._counts_file:
            write_json(Path(self._counts_file), {
                'events_sent': events, 'packets_sent': packets, 'seconds': seconds})
        time.sleep(POLL_S)


def pattern(count: int, seed: int) -> tuple[np.ndarray, int]:
    """Return the words of a packet from time 0, uint16, and the number of its events."""
    random = np.random.default_rng(seed)
    runs = -(-count // RUN)
    t = np.sort(random.integers(0, PACKET_US, runs)).repeat(RUN)
    x = random.integers(0, SENSOR[0] - RUN, runs).repeat(RUN) + np.arange(runs * RUN) % RUN
    y = random.integers(0, SENSOR[1], runs).repeat(RUN)
    p = random.random(runs).repeat(RUN) < 0.5
    events = Events(t, x.astype(np.uint16), y.astype(np.uint16), p)
    return np.frombuffer(encode_evt3(events), '<u2').copy(), events.count


def packet(words: np.ndarray, index: int, start_ns: int) -> EventPacket:
    """Return the packet of this index; `start_ns` is the ROS time of the first."""
    is_high = words >> HALF_BITS == TIME_HIGH >> HALF_BITS
    data = array('B')
    data.frombytes(np.where(is_high, TIME_HIGH | (index & HALF), words).astype('<u2').tobytes())
    message = EventPacket(
        width=SENSOR[0], height=SENSOR[1], seq=index, encoding='evt3', events=data)
    message.header.stamp = Time(nanoseconds=start_ns + index * PACKET_US * 1000).to_msg()
    return message


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after logging an error."""
    return run_node(EventLoad, 'event_load', EVENT_LOAD, args)


if __name__ == '__main__':
    sys.exit(main())
