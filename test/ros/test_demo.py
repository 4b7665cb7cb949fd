# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo as a user starts it: real processes, real ROS 2."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.event_camera import save_untrained

SUMMARY_KEYS = {
    'frames_sent', 'masks_received', 'rate_hz', 'latency_ms_p50', 'latency_ms_p99',
    'model_ms_p50', 'miou', 'rmw', 'weights', 'sensors', 'masks_lost', 'skipped', 'first_skipped',
    'bad_share', 'warnings', 'backend'}
EVENT_KEYS = {'events_received', 'event_rate_mev_s', 'packets_lost', 'decode_ms_p50'}
TIMEOUT_S = 120.0


def start(output: Path, *options: str) -> subprocess.Popen:
    """Start a demo that writes into this folder."""
    return subprocess.Popen(
        [sys.executable, '-m', 'mfs_seg_ros.demo', '--output', str(output), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def domain_processes(domain: str) -> list[str]:
    """Return the command lines of our nodes in a ROS domain."""
    found = []
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            environment = (folder / 'environ').read_bytes().split(b'\0')
            command = (folder / 'cmdline').read_text().replace('\0', ' ')
        except OSError:
            continue
        if f'ROS_DOMAIN_ID={domain}'.encode() in environment and ' mfs_seg_ros.' in command:
            found.append(command)
    return found


@pytest.fixture
def domain(monkeypatch):
    """Return a ROS domain that identifies the processes of the demo."""
    number = str(1 + (os.getpid() + 17) % 101)
    monkeypatch.setenv('ROS_DOMAIN_ID', number)
    return number


def test_street_end_to_end(tmp_path, domain):
    output = tmp_path / 'out'
    demo = start(output, '--seconds', '2', '--rate', '7', '--seed', '1',
                 '--backend', 'torch')
    said, errors = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 0, errors
    summary = json.loads((output / 'summary.json').read_text())
    assert set(summary) == SUMMARY_KEYS
    # Fewer than 14 on a machine that is too busy to render them in time.
    assert 0 < summary['masks_received'] <= summary['frames_sent'] <= 14
    assert summary['rmw'] == 'rmw_fastrtps_cpp'
    assert summary['weights'] == 'street_lite'
    assert summary['sensors'] == 'camera'
    assert summary['backend'] == 'torch on cpu'
    assert summary['masks_lost'] == summary['frames_sent'] - summary['masks_received']
    assert 0.0 <= summary['miou'] <= 1.0
    assert 0.0 < summary['model_ms_p50'] < summary['latency_ms_p50'] <= summary['latency_ms_p99']
    assert said.count('frames sent') == 1, 'one table'
    assert re.search(rf"^masks received +{summary['masks_received']}$", said, re.MULTILINE)

    sheet = cv2.imread(str(output / 'contact_sheet.png'))
    assert sheet.shape[1] > 4 * 240
    video = cv2.VideoCapture(str(output / 'overlay.mp4'))
    assert 2.0 < video.get(cv2.CAP_PROP_FPS) < 12.0
    frames = 0
    while video.read()[0]:
        frames += 1
    assert frames == summary['masks_received']
    assert sorted(path.name for path in output.iterdir()) == [
        'contact_sheet.png', 'log', 'overlay.mp4', 'recording.json', 'summary.json']
    assert not domain_processes(domain)


def test_a_folder_with_a_bad_image_plays_once(tmp_path, domain):
    images = tmp_path / 'späte Fahrt \U0001f600' / 'image_02' / 'data'
    images.mkdir(parents=True)
    for index in range(7):
        image = np.full((60, 80, 3), 30 * index, np.uint8)
        cv2.imwrite(str(images / f'{index}.png'), image)
    (images / '3.png').write_bytes(b'no png')
    (images / '._4.png').write_bytes(b'no png')
    output = tmp_path / 'Ergebnis \U0001f697'
    demo = start(output, '--input', str(images.parents[1]), '--rate', '10', '--weights', 'street')
    said, errors = demo.communicate(timeout=TIMEOUT_S)
    # A seventh of the input is more than the 5 % that a good one may lack.
    assert demo.returncode == 1 and not errors, errors
    summary = json.loads((output / 'summary.json').read_text())
    assert summary['frames_sent'] == 6
    assert summary['miou'] is None
    assert summary['skipped'] == 1 and summary['bad_share'] == pytest.approx(1 / 7)
    assert len(summary['first_skipped']) == 1 and '/3.png' in summary['first_skipped'][0]
    assert [text.split("'")[0] for text in summary['warnings']] == [
        'the images of ', 'left out, because not readable, 1 frame: ']
    assert all(text in said for text in summary['warnings'])
    assert not domain_processes(domain)


def test_rejected_events_are_said(tmp_path, domain):
    path = tmp_path / 'events.csv'
    path.write_text(''.join(f'{t % 2},{t % 40},{t % 30},{100_000 + 50 * t}\n'
                            for t in range(1000)))
    demo = start(tmp_path / 'out', '--sensors', 'events', '--input', str(path), '--size', '64',
                 '48', '--weights', save_untrained(tmp_path / 'both.safetensors'),
                 '--columns', 'p,x,y,t', '--unit', 'us', '--sensor-size', '20', '30')
    said, errors = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 0, errors
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['events_received'] == 500
    assert summary['warnings'] == [
        '50% of the events were rejected, mainly outside the sensor (500 of 1,000): give the size '
        'of the sensor.']
    assert summary['warnings'][0] in said
    assert not domain_processes(domain)


def test_camera_and_events_of_street(tmp_path, domain):
    output = tmp_path / 'out'
    demo = start(output, '--sensors', 'fusion', '--seconds', '1', '--size', '64', '48',
                 '--weights', save_untrained(tmp_path / 'both.safetensors'))
    said, errors = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 0, errors
    summary = json.loads((output / 'summary.json').read_text())
    assert set(summary) == SUMMARY_KEYS | EVENT_KEYS
    assert summary['sensors'] == 'fusion'
    assert summary['backend'].startswith('native, ')
    assert 0 < summary['masks_received']
    assert 0 <= summary['masks_lost'] < summary['frames_sent'] <= 20
    assert summary['events_received'] > 1000
    assert 0.0 < summary['event_rate_mev_s'] < 5.0
    assert summary['decode_ms_p50'] > 0.0
    assert 0.0 <= summary['miou'] <= 1.0
    assert 'packets lost' in said
    # Camera, events, truth and mask.
    sheet = cv2.imread(str(output / 'contact_sheet.png'))
    assert 4 * 320 < sheet.shape[1] < 5 * 320
    video = cv2.VideoCapture(str(output / 'overlay.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 4 * 320
    assert not domain_processes(domain)


def test_a_recording_shorter_than_a_window_has_a_mask(tmp_path, domain):
    path = tmp_path / 'events.txt'
    path.write_text('40 30\n' + ''.join(f'{0.1 + t / 1e5:.6f} {t % 40} {t % 30} {t % 2}\n'
                                        for t in range(1000)))
    demo = start(tmp_path / 'out', '--sensors', 'events', '--input', str(path), '--size', '64',
                 '48', '--weights', save_untrained(tmp_path / 'both.safetensors'))
    _, errors = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 0, errors
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['events_received'] == 1000
    assert summary['masks_received'] >= 1
    assert (summary['frames_sent'], summary['masks_lost'], summary['packets_lost']) == (0, 0, 0)
    assert summary['miou'] is None
    # Events and mask.
    sheet = cv2.imread(str(tmp_path / 'out' / 'contact_sheet.png'))
    assert 2 * 320 < sheet.shape[1] < 3 * 320
    assert not domain_processes(domain)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_behind_when_stopped(tmp_path, domain, number):
    demo = start(tmp_path / 'out', '--seconds', '60')
    # Lines of progress, until one shows masks or the demo ends.
    progress = iter(demo.stdout.readline, '')
    assert any(re.search('[1-9][0-9]* masks published', line) for line in progress)
    assert len(domain_processes(domain)) == 4
    demo.send_signal(number)
    _, errors = demo.communicate(timeout=30.0)
    assert demo.returncode == (-number if number == signal.SIGKILL else 130)
    assert 'Traceback' not in errors
    end = time.monotonic() + 10.0
    while domain_processes(domain) and time.monotonic() < end:
        time.sleep(0.1)
    assert not domain_processes(domain)


@pytest.mark.parametrize('options, sentence', [
    (['--input', '/nowhere/at/all'], "player: '/nowhere/at/all' does not exist"),
    (['--weights', 'no_such_weights'], 'no_such_weights'),
    (['--weights', 'camvid', '--sensors', 'events'], 'needs weights that take events'),
])
def test_a_failing_process_ends_all_with_its_sentence(tmp_path, domain, options, sentence):
    # Files of a run before.
    counts = tmp_path / 'out' / 'log' / 'sent.json'
    counts.parent.mkdir(parents=True)
    for path in (counts, tmp_path / 'out' / 'summary.json'):
        path.write_text('{"frames_sent": 5}')
    demo = start(tmp_path / 'out', *options)
    _, errors = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 1
    assert sentence in errors
    assert len(errors.strip().splitlines()) == 1
    assert not (tmp_path / 'out' / 'summary.json').exists()
    assert not domain_processes(domain)
