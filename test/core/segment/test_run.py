# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks, video and figures of an input; continuation after an interruption; wrong inputs."""

from __future__ import annotations

import csv
import json
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from support.bags import image, write_bag
from support.event_files import text
from support.event_trees import random_events
from support.masks import class_ids, contents

from mfs_seg_core import Segmenter
from mfs_seg_core.bags.bag import Bag
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.segment.__main__ import main

ALL = ('--masks', '--confidence', '--overlay', '--bag')


def test_masks_are_those_of_a_stream_with_its_state(folder, frames, label, tmp_path):
    code, lines, errors = label(folder, '--output', tmp_path, '--masks', '--confidence')
    assert (code, errors) == (0, [])
    assert lines == [f"'{folder}': 40 masks", f"Results in '{tmp_path}'"]
    stream = Segmenter.from_weights('street')
    for index, frame in enumerate(frames):
        result = stream.step(frame.image, 1 / 15 if index else None, confidence=True)
        mask = tmp_path / f'drive/masks/frame{index}.png'
        assert (class_ids(mask) == result.mask).all()
        confidence = tmp_path / f'drive/confidence/frame{index}.png'
        assert (cv2.imread(str(confidence), cv2.IMREAD_UNCHANGED) == result.confidence).all()
    # A viewer shows the colours of the classes.
    shown = cv2.cvtColor(cv2.imread(str(mask)), cv2.COLOR_BGR2RGB)
    assert (shown == CAMVID.palette[result.mask]).all()
    assert not (tmp_path / 'drive/unfinished').exists()


def test_figures_are_those_of_the_masks(label, tmp_path):
    code, lines, _ = label('street', '--frames', 5, '--output', tmp_path, '--masks')
    assert code == 0
    summary = json.loads((tmp_path / 'street/summary.json').read_text())
    assert f"mIoU {summary['miou']:.3f}" in lines[0]
    assert (summary['masks'], summary['masks_with_truth'], summary['duration_s']) == (5, 5, 0.2)
    rows = list(csv.DictReader((tmp_path / 'street/shares.csv').open()))
    assert [row['time_s'] for row in rows] == [f'{index * 0.05:.6f}' for index in range(5)]
    masks = [class_ids(tmp_path / f'street/masks/{index:06d}.png') for index in range(5)]
    for number, name in enumerate(CAMVID.names):
        assert [float(row[name]) for row in rows] == [
            pytest.approx((mask == number).mean(), abs=1e-6) for mask in masks]
        assert summary['shares'][name] == pytest.approx(
            np.mean([mask == number for mask in masks]), abs=1e-6)


@pytest.mark.parametrize('sensors', ['events', 'fusion'])
def test_events_are_labelled_alone_and_with_images(sensors, label, tmp_path):
    code, _, errors = label('street', '--frames', 4, '--sensors', sensors, '--output', tmp_path,
                            *ALL)
    assert (code, errors) == (0, [])
    summary = json.loads((tmp_path / 'street/summary.json').read_text())
    assert summary['sensors'] == sensors and summary['masks'] == 4
    assert summary['masks_with_truth'] >= 3 and summary['resets'] == {}
    capture = cv2.VideoCapture(str(tmp_path / 'street/overlay.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 4
    # The bag has the events, to segment it again.
    again = tmp_path / 'again'
    code, _, errors = label(tmp_path / 'street/bag', '--frames', 4, '--sensors', sensors,
                            '--output', again, '--masks')
    assert (code, errors) == (0, [])
    assert contents(again / 'bag/masks') == contents(tmp_path / 'street/masks')


def test_a_recording_of_events_needs_no_option(label, tmp_path):
    path = tmp_path / 'events.txt'
    path.write_bytes(text(random_events(4000, 200_000, (346, 260))))
    code, lines, errors = label(path, '--output', tmp_path / 'out', '--figures')
    assert code == 0, errors
    summary = json.loads((tmp_path / 'out/events/summary.json').read_text())
    assert summary['sensors'] == 'events' and summary['masks'] in (4, 5)
    assert not (tmp_path / 'out/events/masks').exists()


def test_a_gap_and_another_size_reset_the_state(label, tmp_path):
    pixels = np.full((24, 32, 3), 90, np.uint8)
    times = [0, 50, 100, 2100, 2150, 2200]
    sizes = [1, 1, 1, 1, 2, 2]
    bag = write_bag(tmp_path / 'bag', {'/image': [
        (time * 10**6, image(np.tile(pixels, (size, 1, 1)), 'rgb8', time * 10**6))
        for time, size in zip(times, sizes)]})
    assert label(bag, '--output', tmp_path / 'out', '--masks')[0] == 0
    summary = json.loads((tmp_path / 'out/bag/summary.json').read_text())
    assert summary['resets'] == {'gap': 1, 'size changed': 1}
    masks = [class_ids(tmp_path / f'out/bag/masks/{index:06d}.png') for index in range(6)]
    assert [mask.shape for mask in masks] == [(24, 32)] * 4 + [(48, 32)] * 2
    assert (masks[3] == masks[0]).all()


def test_a_killed_run_continues_with_the_same_results(folder, label, tmp_path):
    broken, whole = tmp_path / 'broken', tmp_path / 'whole'
    command = [sys.executable, '-m', 'mfs_seg_core', 'segment', str(folder), '--weights', 'street',
               '--output', str(broken), *ALL]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 60
    while not (broken / 'drive/masks/frame27.png').exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert {path.name for path in (broken / 'drive').iterdir()} & {
        'overlay.mp4', 'bag', 'summary.json', 'shares.csv'} == set()
    first = broken / 'drive/masks/frame0.png'
    before = first.stat().st_mtime_ns
    for output in (broken, whole):
        assert label(folder, '--output', output, *ALL)[0] == 0
    # The steps before the last checkpoint did not run again.
    assert first.stat().st_mtime_ns == before
    assert contents(broken / 'drive') == contents(whole / 'drive')


def test_finished_results_stay_and_other_options_are_refused(folder, label, tmp_path):
    assert label(folder, '--output', tmp_path, '--masks', '--frames', 3)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*')}
    code, lines, errors = label(folder, '--output', tmp_path, '--masks', '--frames', 3)
    assert (code, lines[0], errors) == (0, f"'{folder}': 3 masks", [])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*')} == before
    code, _, errors = label(folder, '--output', tmp_path, '--masks', '--frames', 4)
    assert code == 1
    assert errors == [
        f"segment: the results in '{tmp_path}/drive' are of another input or other options (frames "
        'was 3 and is 4): choose another --output, or remove that folder']


def test_a_folder_with_other_files_stays(folder, label, tmp_path):
    (tmp_path / 'drive').mkdir()
    (tmp_path / 'drive/mine.txt').touch()
    code, _, errors = label(folder, '--output', tmp_path)
    assert code == 1 and errors == [
        f"segment: '{tmp_path}/drive' holds other files: choose another --output"]
    assert [path.name for path in tmp_path.rglob('*')] == ['drive', 'mine.txt']


def test_inputs_that_cannot_be_used_are_one_sentence_each(folder, label, tmp_path):
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'noise.xyz').write_bytes(bytes(range(256)) * 20)
    (tmp_path / 'text.txt').write_text('no events\n')
    bag = write_bag(tmp_path / 'depth', {'/depth': [
        (0, image(np.zeros((8, 8), np.float32), '32FC1', 0))]})
    names = ['empty.mp4', 'noise.xyz', 'text.txt', 'depth', 'nowhere', '/dev/video63']
    code, lines, errors = label(
        *(tmp_path / name for name in names[:2]), folder, *(tmp_path / name for name in names[2:]),
        '--output', tmp_path / 'out', '--figures', '--frames', 2)
    assert code == 1 and bag.exists()
    assert lines == [f"'{folder}': 2 masks", f"Results in '{tmp_path / 'out'}'"]
    assert len(errors) == len(names)
    for name, error in zip(names, errors):
        assert name in error and error.startswith('segment: ')
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['drive']


def test_of_a_cut_bag_the_rest_is_labelled(label, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', {'/image': [
        (index * 10**8, image(pixels, 'rgb8', index * 10**8)) for index in range(4)]})
    file = bag / 'bag.mcap'
    file.write_bytes(file.read_bytes()[:6000])
    code, lines, errors = label(file, '--output', tmp_path / 'out', '--masks', '--bag')
    assert code == 1
    assert lines[0] == f"'{file}': 2 masks"
    assert len(errors) == 1 and 'is cut or damaged' in errors[0]
    assert len(list(Bag(tmp_path / 'out/bag/bag').messages(
        Bag(tmp_path / 'out/bag/bag').channels))) == 2 + 2 * 2 + 1


@contextmanager
def disk_of(size: int):
    """Make writes beyond this size of a file fail, as on a full disk."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_is_one_sentence_and_the_run_continues_afterwards(folder, label, tmp_path):
    options = folder, '--masks', '--bag', '--frames', 30
    # Masks and checkpoints fit, the bag does not.
    with disk_of(400_000):
        code, _, errors = label(*options, '--output', tmp_path / 'full')
    assert code == 1 and len(errors) == 1
    assert 'cannot be written' in errors[0] and 'make room on the disk' in errors[0]
    assert not (tmp_path / 'full/drive/bag').exists()
    for name in ('full', 'free'):
        assert label(*options, '--output', tmp_path / name)[0] == 0
    assert contents(tmp_path / 'full/drive') == contents(tmp_path / 'free/drive')


@pytest.mark.parametrize('options, problem', [
    (('--frames', -1), '--frames is -1: give 0 or more'),
    (('--jobs', 0), '--jobs is 0: give 1 or more'),
    (('--rate', -2), '--rate is -2.0: give images per second'),
    (('--window', 0), '--window is 0.0: give seconds, 0.001 or more'),
    (('--shard', '3/2'), "--shard is '3/2': give i/n with i from 1 to n, such as 1/4"),
    (('--weights', 'none'), "no weights 'none'")])
def test_wrong_options_are_one_sentence(options, problem, tmp_path, capsys):
    words = ['street', '--weights', 'street', '--output', str(tmp_path / 'out')]
    assert main([*words, *map(str, options)]) == 1
    error, = capsys.readouterr().err.splitlines()
    assert error.startswith(f'segment: {problem}')
    assert not (tmp_path / 'out').exists()


def test_street_needs_a_number_of_frames(label, tmp_path):
    assert label('street', '--output', tmp_path)[::2] == (
        1, ['segment: Street has no end: give --frames, such as 200.'])
