# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags, images and videos as people have them, played by the demo: real processes, real ROS 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.bags import KINDS, ROS1, compressed, event_array, file_of, image, packet, write_bag
from support.event_camera import SENSOR, save_untrained, some_events
from support.event_encoders import evt3
from support.videos import jpeg, write_mkv

TIMEOUT_S = 240.0
STEP_NS = 100_000_000
START_NS = 1_700_000_000 * 10**9
WIDTH, HEIGHT = 48, 32


@pytest.fixture(scope='module')
def weights(tmp_path_factory) -> str:
    """Return the path of small weights for camera and events."""
    return save_untrained(tmp_path_factory.mktemp('weights') / 'both.safetensors')


@pytest.fixture
def play(tmp_path, monkeypatch, weights):
    """Return a function that plays an input in the demo."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(1 + (os.getpid() + 43) % 101))

    def run(path: Path, *options: str, status: int = 0) -> tuple[dict, str]:
        """Return the summary and the errors of a demo that ends with this status."""
        output = tmp_path / 'out'
        demo = subprocess.run(
            [sys.executable, '-m', 'mfs_seg_ros.demo', '--input', str(path), '--output',
             str(output), '--weights', weights, '--size', '64', '48', *options],
            capture_output=True, text=True, timeout=TIMEOUT_S)
        text = demo.stdout + demo.stderr
        assert demo.returncode == status, text
        assert 'Traceback' not in text
        summary = output / 'summary.json'
        return json.loads(summary.read_text()) if summary.exists() else {}, demo.stderr

    return run


def picture(value: int) -> np.ndarray:
    """Return a picture, uint8 [H, W, 3], with some structure."""
    return np.random.default_rng(value).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def frames(count: int, kind=KINDS[0]) -> list:
    """Return messages of a camera at 10 Hz."""
    return [(START_NS + index * STEP_NS, image(picture(index), 'rgb8', START_NS + index * STEP_NS,
                                               kind)) for index in range(count)]


def depths(count: int) -> list:
    """Return messages of a depth camera at 10 Hz."""
    return [(START_NS + index * STEP_NS, image(np.full((HEIGHT, WIDTH), 900, np.uint16), '16UC1',
                                               START_NS + index * STEP_NS))
            for index in range(count)]


def test_colour_is_chosen_before_depth(tmp_path, play):
    path = write_bag(tmp_path / 'bag', {
        '/camera/aligned_depth_to_color/image_raw': depths(10),
        '/camera/color/image_raw': frames(10)})
    summary, _ = play(path)
    assert (summary['frames_sent'], summary['skipped']) == (10, 0)


def test_a_bag_of_depth_alone_lists_its_topics(tmp_path, play):
    path = write_bag(tmp_path / 'bag', {'/camera/depth/image_raw': depths(3)})
    _, error = play(path, status=1)
    assert '/camera/depth/image_raw' in error and '16UC1' in error
    _, error = play(path, '--image-topic', '/camera/depth/image_raw', status=1)
    assert '16UC1' in error


@pytest.mark.parametrize('kind', [KINDS[0], ROS1], ids=['rosbag2', ROS1])
def test_camera_and_events_of_a_bag(kind, tmp_path, play):
    packets = []
    for index in range(30):
        start_us = START_NS // 1000 + index * 30_000
        events = some_events(start_us, start_us + 30_000)
        packets.append((start_us * 1000, event_array(events, SENSOR, start_us * 1000, kind)))
    path = write_bag(tmp_path / 'bag', {'/image_raw': frames(9, kind), '/dvs/events': packets},
                     kind)
    summary, _ = play(path, '--sensors', 'fusion')
    assert summary['frames_sent'] == 9
    assert summary['events_received'] == 30 * 600
    assert summary['masks_received'] > 5


@pytest.mark.parametrize('count, status', [(8, 1), (40, 0)])
def test_one_broken_message_is_left_out(count, status, tmp_path, play):
    path = write_bag(tmp_path / 'bag', {'/cam/compressed': [
        (START_NS + index * STEP_NS // 4, compressed(
            b'' if index == 5 else jpeg(index), 'jpeg', START_NS + index * STEP_NS // 4))
        for index in range(count)]})
    summary, _ = play(path, status=status)
    assert summary['frames_sent'] == count - 1 and summary['skipped'] == 1
    assert '/cam/compressed' in summary['first_skipped'][0]


def test_a_cut_recording_plays_to_its_cut(tmp_path, play):
    whole = file_of(write_bag(tmp_path / 'whole', {'/image_raw': frames(30)}))
    path = tmp_path / f'cut{whole.suffix}'
    path.write_bytes(whole.read_bytes()[:whole.stat().st_size // 2])
    summary, _ = play(path)
    assert 8 < summary['frames_sent'] < 20
    assert any('reindex' in text or 'recover' in text for text in summary['warnings'])


def test_a_bad_sector_plays_to_the_damage(tmp_path, play):
    file = file_of(write_bag(tmp_path / 'bag', {'/image_raw': frames(40, KINDS[1])}, KINDS[1]))
    data = bytearray(file.read_bytes())
    # Several pages: the last one of a message alone could pass for a dark part of its image.
    data[len(data) // 2:len(data) // 2 + 16384] = bytes(16384)
    file.write_bytes(data)
    summary, _ = play(file)
    assert 8 < summary['frames_sent'] < 40
    assert any(file.name in text for text in summary['warnings'])


def test_a_folder_without_metadata_is_read_from_its_files(tmp_path, play):
    path = write_bag(tmp_path / 'bag', {'/image_raw': frames(8)})
    (path / 'metadata.yaml').unlink()
    assert play(path)[0]['frames_sent'] == 8


def test_a_video_keeps_the_times_of_its_frames(tmp_path, play):
    times_ms = np.cumsum(np.random.default_rng(0).integers(20, 110, 30)).tolist()
    path = write_mkv(tmp_path / 'browser.webm', [(t, jpeg(t % 200)) for t in times_ms])
    summary, _ = play(path)
    assert summary['frames_sent'] == 30
    seconds = (times_ms[-1] - times_ms[0]) / 1000
    assert summary['rate_hz'] == pytest.approx(
        (summary['masks_received'] - 1) / seconds, rel=0.15)


def test_an_image_folder_of_a_mac(tmp_path, play):
    folder = tmp_path / 'Straße \U0001f697' / 'image_02' / 'data'
    folder.mkdir(parents=True)
    for index in range(6):
        cv2.imwrite(str(folder / f'{index}.png'), picture(index))
        (folder / f'._{index}.png').write_bytes(b'\0\5\x16\7Mac OS X')
    (folder / 'Thumbs.db').write_bytes(b'\xd0\xcf\x11\xe0')
    summary, _ = play(folder.parents[1])
    assert (summary['frames_sent'], summary['skipped']) == (6, 0)


def test_events_of_a_large_sensor(tmp_path, play):
    from support.event_files import hdf5

    t = np.arange(20_000) * 50
    random = np.random.default_rng(0)
    path = hdf5(tmp_path / 'a.h5', {
        'events/t': t, 'events/x': random.integers(0, 1280, t.size).astype(np.uint16),
        'events/y': random.integers(0, 720, t.size).astype(np.uint16),
        'events/p': random.integers(0, 2, t.size).astype(np.uint8)})
    summary, _ = play(path, '--sensors', 'events')
    assert summary['events_received'] == t.size and summary['warnings'] == []


def test_events_outside_the_sensor_are_said(tmp_path, play):
    events = some_events(0, 900_000)
    chunks = [events.where(slice(first, first + 600)) for first in range(0, events.count, 600)]
    path = write_bag(tmp_path / 'bag', {'/events': [
        (START_NS + int(part.t[0]) * 1000, packet(
            evt3(part), 'evt3', (SENSOR[0] // 2, SENSOR[1]), START_NS + int(part.t[0]) * 1000,
            index)) for index, part in enumerate(chunks)]})
    summary, _ = play(path, '--sensors', 'events')
    assert any('outside the sensor' in text for text in summary['warnings'])
