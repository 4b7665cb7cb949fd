# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live view and recording of the command, read back by Rerun."""

from __future__ import annotations

import sys
from itertools import pairwise

import cv2
import numpy as np
import pytest
from support.event_files import text
from support.event_trees import random_events
from support.masks import class_ids, contents
from support.rrd import column, logged


def test_a_recording_has_the_steps_of_all_inputs(label, folder, tmp_path):
    """Images at 15 Hz, and then a recording of events, with groups of classes."""
    events = tmp_path / 'events.txt'
    events.write_bytes(text(random_events(4000, 200_000, (64, 48))))
    options = folder, events, '--frames', 31, '--masks', '--class-groups', 'drivable'
    assert label(*options, '--output', tmp_path / 'plain')[0] == 0
    code, lines, errors = label(*options, '--output', tmp_path / 'out', '--record',
                                tmp_path / 'a.rrd')
    assert (code, errors) == (0, []) and len(lines) == 3
    for name in ('drive', 'events'):
        assert contents(tmp_path / 'out' / name / 'masks') == contents(
            tmp_path / 'plain' / name / 'masks')
    path, masks = tmp_path / 'a.rrd', sorted((tmp_path / 'out/events/masks').iterdir())
    count = 31 + len(masks)
    # Rates of the first image, of those 1 and 2 s later, and of the second input's first step.
    assert logged(path) == {
        'camera': 31, 'events': len(masks), 'mask': count, 'confidence': count, 'times': count,
        'firing_rates': 4, 'status': 2}
    assert column(path, 'mask', 'frame') == list(range(1, count + 1))
    assert column(path, 'firing_rates', 'frame') == [1, 16, 31, 32]
    # The second input goes back in time.
    assert any(after < before for before, after in pairwise(column(path, 'mask', 'stamp')))
    shown = column(path, 'mask', 'SegmentationImage:buffer')[-1][0]
    assert (np.array(shown, np.uint8) == class_ids(masks[-1]).reshape(-1)).all()
    # Events have the size of the mask that lies over them.
    data = np.frombuffer(bytes(column(path, 'events', 'EncodedImage:blob')[-1][0]), np.uint8)
    assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == (*class_ids(masks[-1]).shape, 3)
    context, = column(path, 'mask', 'AnnotationContext:context')
    assert context[0][0]['class_description']['info']['label'] == 'drivable'
    assert [value for value, in column(path, 'status', 'TextDocument:text')] == [
        f'input: {folder}', f'input: {events}']


def test_a_page_is_named_before_the_first_result(label, tmp_path):
    code, lines, errors = label('street', '--frames', 2, '--figures', '--output',
                                tmp_path / 'out', '--live', '--record', tmp_path / 'a.rrd')
    assert (code, errors) == (0, [])
    assert lines[0].startswith('Live view: http://127.0.0.1:')
    assert logged(tmp_path / 'a.rrd')['mask'] == 2


@pytest.mark.parametrize('options, problem', [
    (('--jobs', 2), '--live and --record show the inputs of one process: leave out --jobs'),
    (('--ray',), '--live and --record show the inputs of one process: leave out --jobs'),
    (('--shard', '1/2'), '--live and --record show the inputs of one process: leave out --jobs'),
    ((), "'out.mp4' is no name of a recording of Rerun: let it end with .rrd")])
def test_a_view_that_cannot_be_opened_is_one_sentence(label, tmp_path, options, problem):
    code, lines, errors = label('street', '--frames', 1, '--output', tmp_path / 'out',
                                '--record', 'out.mp4', *options)
    assert (code, lines) == (1, []) and len(errors) == 1
    assert errors[0].startswith(f'segment: {problem}')
    assert not list(tmp_path.iterdir())


def test_without_rerun_the_extra_is_named(label, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'rerun', None)
    assert label('street', '--frames', 1, '--output', tmp_path / 'out', '--live') == (1, [], [
        "segment: a view needs rerun, of the extra 'view': pip install rerun-sdk, or pip install "
        '".[view]" in the repository'])
    assert not (tmp_path / 'out').exists()
