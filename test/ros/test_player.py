# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The player as a real process, with subscribers of rclpy."""

import json
import re
import signal
import time

import cv2
import numpy as np
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import Image
from support.player_process import TIMEOUT_S, PlayerSubscriber

from mfs_seg_ros.messages.images import stamp_ns

pytestmark = pytest.mark.usefixtures('environment')


@pytest.fixture
def subscriber():
    """Subscribe reliably to the player."""
    made = PlayerSubscriber(QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE))
    yield made
    made.node.destroy_node()


def write_images(folder, count: int) -> None:
    """Write small images whose red is their index."""
    for index in range(count):
        image = np.zeros((24, 32, 3), np.uint8)
        image[..., 2] = index
        cv2.imwrite(str(folder / f'{index}.png'), image)


def seconds(message: Image) -> float:
    """Return the header stamp of a message."""
    return stamp_ns(message) / 1e9


def test_street_comes_with_truth_under_the_same_header(subscriber, start):
    player = start(frames=12, wait_for=1, frame_id='front', seed=5)
    subscriber.listen(lambda: player.poll() is not None)
    output, errors = player.communicate()
    assert player.returncode == 0, errors
    assert 'frames_sent: 12' in output
    assert len(subscriber.images) == len(subscriber.labels) == 12
    for image, label in zip(subscriber.images, subscriber.labels):
        assert image.header == label.header
        assert (image.encoding, image.height, image.width, image.step) == ('rgb8', 180, 240, 720)
        assert (label.encoding, label.height, label.width, label.step) == ('mono8', 180, 240, 240)
        assert len(image.data) == 180 * 720 and len(label.data) == 180 * 240
        assert image.header.frame_id == 'front'
    assert abs(seconds(subscriber.images[-1]) - time.time()) < 60.0


def test_rate_keeps_to_deadlines(subscriber, start, tmp_path):
    write_images(tmp_path, 3)
    player = start(input=tmp_path, loop=True, rate=20.0, seconds=1.0, wait_for=1)
    subscriber.listen(lambda: player.poll() is not None)
    stamps = [seconds(image) for image in subscriber.images]
    assert len(stamps) == pytest.approx(20, abs=3)
    # Single frames may be late on a busy machine; that must not add up.
    assert stamps[-1] - stamps[0] == pytest.approx(19 / 20.0, abs=0.2)
    assert np.median(np.diff(stamps)) == pytest.approx(0.05, abs=0.01)


def test_best_effort_consumers_are_served(start):
    subscriber = PlayerSubscriber(qos_profile_sensor_data)
    player = start(frames=10, wait_for=1)
    subscriber.listen(lambda: player.poll() is not None)
    subscriber.node.destroy_node()
    assert len(subscriber.images) >= 9


def test_folder_in_a_loop_has_no_truth(subscriber, start, tmp_path):
    write_images(tmp_path, 3)
    player = start(input=tmp_path, loop=True, frames=8, rate=50.0, wait_for=1)
    subscriber.listen(lambda: player.poll() is not None)
    assert player.returncode == 0
    assert [image.data[0] for image in subscriber.images] == [0, 1, 2, 0, 1, 2, 0, 1]
    assert not subscriber.labels


def test_folder_once_ends_by_itself(subscriber, start, tmp_path):
    write_images(tmp_path, 3)
    player = start(input=tmp_path, rate=50.0, wait_for=1, width=16, height=12)
    subscriber.listen(lambda: player.poll() is not None)
    assert 'frames_sent: 3' in player.communicate()[0]
    assert {(image.width, image.height) for image in subscriber.images} == {(16, 12)}


def test_as_fast_as_possible(subscriber, start, tmp_path):
    write_images(tmp_path, 30)
    player = start(input=tmp_path, rate=1.0, fast=True, wait_for=1)
    subscriber.listen(lambda: player.poll() is not None)
    assert len(subscriber.images) >= 29
    assert subscriber.times[-1] - subscriber.times[0] < 5.0


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_ends_well(subscriber, start, number):
    player = start(rate=20.0)
    subscriber.listen(lambda: subscriber.images or player.poll() is not None)
    player.send_signal(number)
    output, errors = player.communicate(timeout=10.0)
    assert player.returncode == 0
    assert re.search(r'frames_sent: \d+', output)
    assert 'Traceback' not in errors


def test_stop_while_waiting_for_subscribers(start):
    player = start(wait_for=9)
    # How long it takes to start depends on what else the machine does.
    assert any('waiting for 9 subscribers' in line for line in player.stderr)
    player.send_signal(signal.SIGINT)
    output, errors = player.communicate(timeout=10.0)
    assert player.returncode == 0
    assert 'frames_sent: 0' in output
    assert 'Traceback' not in errors


WRONG = [
    ({'input': '/nowhere/at/all'}, "'/nowhere/at/all' does not exist"),
    ({'rate': -1.0}, 'rate'),
    ({'rate': 'fast'}, 'rate'),
    ({'width': 100}, 'give width and height'),
    ({'sensor_width': 100}, 'give sensor_width and sensor_height'),
    ({'input': '/dev/null'}, 'is a device, a pipe or a socket'),
    ({'sensors': 'ears'}, 'give one of camera, events, fusion'),
    ({'sensors': 'events', 'packet_ms': 0}, 'packet_ms'),
]


def test_wrong_parameters_end_with_one_sentence(start):
    # Started together: each takes a second to import its modules.
    started = [(start(**parameters), sentence) for parameters, sentence in WRONG]
    for player, sentence in started:
        output, errors = player.communicate(timeout=TIMEOUT_S)
        fatal = [line for line in errors.splitlines() if '[FATAL]' in line]
        assert len(fatal) == 1, errors
        assert sentence in fatal[0]
        assert 'Traceback' not in errors
        assert 'frames_sent' not in output


def test_counts_file_has_what_was_sent(start, tmp_path):
    write_images(tmp_path, 3)
    file = tmp_path / 'sent.json'
    player = start(input=tmp_path, fast=True, counts_file=file)
    player.communicate(timeout=TIMEOUT_S)
    assert json.loads(file.read_text()) == {
        'frames_sent': 3, 'packets_sent': 0, 'bad_share': 0.0, 'skipped': 0, 'first_skipped': [],
        'events_rejected': '', 'warnings': []}


@pytest.mark.parametrize('number, code', [(30, 0), (10, 1)])
def test_a_bad_image_is_left_out_and_named(start, tmp_path, number, code):
    write_images(tmp_path, number)
    (tmp_path / '7.png').write_bytes(b'no png')
    (tmp_path / '._7.png').write_bytes(b'no png')
    file = tmp_path / 'sent.json'
    player = start(input=tmp_path, fast=True, counts_file=file)
    output, errors = player.communicate(timeout=TIMEOUT_S)
    assert player.returncode == code, errors
    assert f'frames_sent: {number - 1}' in output
    sent = json.loads(file.read_text())
    assert (sent['skipped'], sent['bad_share']) == (1, pytest.approx(1 / number))
    assert len(sent['first_skipped']) == 1 and '/7.png' in sent['first_skipped'][0]
    warning = r'\[WARN\].*left out, because not readable, 1 frame: .*/7.png'
    assert len(re.findall(warning, errors)) == 1
    assert len(re.findall(r'\[ERROR\].* 10% of .* cannot be read: repair it', errors)) == code
    assert 'Traceback' not in errors


def test_rejected_events_are_a_warning_with_the_cause(start, tmp_path):
    path = tmp_path / 'events \U0001f600.txt'
    path.write_text(''.join(f'{index} {index % 40} {index % 30} {index % 2}\n'
                            for index in range(2000)))
    file = tmp_path / 'sent.json'
    options = {'input': path, 'sensors': 'events', 'fast': True, 'columns': 't,x,y,p', 'unit': 'us'}
    small = start(**options, sensor_width=20, sensor_height=30, counts_file=file)
    large = start(**options, sensor_width=64, sensor_height=48)
    _, errors = small.communicate(timeout=TIMEOUT_S)
    assert small.returncode == 0
    rejected = json.loads(file.read_text())['events_rejected']
    assert rejected.startswith('50% of the events were rejected, mainly outside the sensor')
    assert f'{rejected}.' in errors
    _, errors = large.communicate(timeout=TIMEOUT_S)
    assert large.returncode == 0 and '[WARN]' not in errors
