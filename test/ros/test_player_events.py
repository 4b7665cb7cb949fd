# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The player as an event camera, alone and with a camera: real processes, subscribers of rclpy."""

import time

import numpy as np
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from support.evt3_words import decode
from support.paths import NO_RECORDINGS, SHARED_DATA
from support.player_process import PlayerSubscriber

from mfs_seg_ros.messages.images import stamp_ns

pytestmark = pytest.mark.usefixtures('environment')
BAG = (SHARED_DATA / 'bags'
       / 'davis346_street_frames_and_events')
# What the player waits for at most before it moves all that follows.
MAX_LATE_US = 100_000


@pytest.fixture
def subscriber():
    """Subscribe to frames reliably, to events best effort."""
    made = PlayerSubscriber(QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE),
                            events=True)
    yield made
    made.node.destroy_node()


def offsets_us(pairs) -> np.ndarray:
    """Return ROS time minus source time of (message, source time in us), in order of stamps."""
    stamped = sorted((stamp_ns(message), time_us) for message, time_us in pairs)
    return np.array([stamp / 1000 - time_us for stamp, time_us in stamped])


def assert_one_mapping(pairs) -> None:
    """Check that stamps are source time plus one offset, which only a late player moves."""
    moves = np.diff(offsets_us(pairs))
    assert ((np.abs(moves) < 2) | (moves > MAX_LATE_US - 1)).all(), moves


def test_street_with_both_sensors(subscriber, start):
    player = start(sensors='fusion', width=96, height=72, rate=10.0, frames=5, wait_for=1,
                   frame_id='front', packet_ms=10)
    subscriber.listen(lambda: player.poll() is not None)
    output, errors = player.communicate()
    assert player.returncode == 0, errors
    assert 'frames_sent: 5 packets_sent: 40' in output
    assert len(subscriber.images) == len(subscriber.labels) == 5
    assert all(image.header == label.header
               for image, label in zip(subscriber.images, subscriber.labels))
    assert [packet.seq for packet in subscriber.packets] == list(range(40))
    for packet in subscriber.packets:
        assert (packet.encoding, packet.width, packet.height) == ('evt3', 96, 72)
        assert packet.header.frame_id == 'front'
    parts = [decode([packet.events]) for packet in subscriber.packets]
    for part in parts:
        assert part.t[0] // 10_000 == part.t[-1] // 10_000
        assert part.x.max() < 96 and part.y.max() < 72
    assert_one_mapping(
        [(packet, part.t[0]) for packet, part in zip(subscriber.packets, parts)]
        + [(image, 100_000 * index) for index, image in enumerate(subscriber.images)])


def test_events_alone_come_with_truth(subscriber, start):
    player = start(sensors='events', width=96, height=72, frames=3, wait_for=1)
    subscriber.listen(lambda: player.poll() is not None)
    assert 'frames_sent: 3 packets_sent: 20' in player.communicate()[0]
    assert not subscriber.images
    assert len(subscriber.labels) == 3 and subscriber.labels[0].height == 72
    assert len(subscriber.packets) == 20
    assert_one_mapping(
        [(packet, decode([packet.events]).t[0]) for packet in subscriber.packets]
        + [(label, 50_000 * index) for index, label in enumerate(subscriber.labels)])


def test_it_waits_for_subscribers_of_events(start):
    """A subscriber of the camera alone does not start an event camera."""
    without_events = PlayerSubscriber(QoSProfile(depth=10))
    player = start(sensors='events', width=96, height=72, frames=1, wait_for=1)
    assert any('waiting for 1 subscribers' in line for line in player.stderr)
    # The start would need the discovery of one more participant, and half a second.
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        without_events.executor.spin_once(timeout_sec=0.05)
    assert not without_events.labels and player.poll() is None
    with_events = PlayerSubscriber(QoSProfile(depth=10), events=True)
    with_events.listen(lambda: player.poll() is not None)
    assert player.returncode == 0
    for each in (without_events, with_events):
        each.node.destroy_node()


@pytest.mark.skipif(not BAG.is_dir(), reason=NO_RECORDINGS)
def test_a_bag_is_passed_on_in_its_own_time(subscriber, start):
    from mfs_seg_core.sources.open_source import open_source

    player = start(input=BAG, sensors='fusion', wait_for=1)
    subscriber.listen(lambda: player.poll() is not None)
    assert 'frames_sent: 4 packets_sent: 17' in player.communicate()[0]
    recorded = list(open_source(BAG, sensors='fusion'))
    batches = [item for item in recorded if hasattr(item, 'encoding')]
    frames = [item for item in recorded if not hasattr(item, 'encoding')]
    for packet, batch in zip(subscriber.packets, batches, strict=True):
        assert packet.events.tobytes() == batch.data
        for name in ('encoding', 'seq', 'time_base', 'width', 'height'):
            assert getattr(packet, name) == getattr(batch, name)
    assert_one_mapping([
        (message, item.time_s * 1e6)
        for message, item in zip(subscriber.packets + subscriber.images, batches + frames,
                                 strict=True)])
