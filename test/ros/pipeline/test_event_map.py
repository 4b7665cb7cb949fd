# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters for the place of events in the image."""

import numpy as np
import pytest

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.events.types import Events
from mfs_seg_core.images.encoding import MessageError
from mfs_seg_core.streaming.step import Step
from mfs_seg_ros.node.parameters import ParameterError
from mfs_seg_ros.pipeline.event_map import EventMap

NONE = [0.0] * 9
# Twice as large, and 10 pixels to the right.
TWICE = [2.0, 0.0, 10.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]


def table(width: int, height: int) -> np.ndarray:
    """Return a map that moves each pixel by 1 to the right."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x + 1, y], 2).astype(np.float32)


def test_without_parameters_there_is_none():
    assert EventMap(NONE, '').pixel_map((64, 48), (640, 480)) is None


def test_homography():
    chosen = EventMap(TWICE, '')
    made = chosen.pixel_map((64, 48), (160, 120))
    cells = made.cells(160, 120).reshape(48, 64)
    assert cells[3, 5] == 6 * 160 + 20
    assert chosen.pixel_map((64, 48), (160, 120)) is made
    assert chosen.pixel_map((64, 48), (320, 240)) is not made
    # Until there is an image, in pixels of the sensor's own size.
    assert chosen.pixel_map((64, 48), None).cells(64, 48).reshape(48, 64)[3, 5] == 6 * 64 + 20


def test_table_of_numpy(tmp_path):
    np.save(tmp_path / 'map.npy', table(64, 48))
    chosen = EventMap(NONE, str(tmp_path / 'map.npy'))
    chosen.check((64, 48))
    cells = chosen.pixel_map((64, 48), (64, 48)).cells(64, 48).reshape(48, 64)
    assert cells[3, 5] == 3 * 64 + 6
    assert cells[3, 63] == -1
    with pytest.raises(MessageError, match='of a sensor of 64x48 pixels, the events come from '
                                           '48x64: give the map of this sensor'):
        chosen.check((48, 64))


def test_table_of_dsec(tmp_path):
    h5py = pytest.importorskip(
        'h5py', reason='h5py is not installed: pip install "mfs_seg_ros[data]"')
    path = tmp_path / 'rectify_map.h5'
    with h5py.File(path, 'w') as file:
        file['rectify_map'] = table(64, 48)
    cells = EventMap(NONE, str(path)).pixel_map((64, 48), None).cells(64, 48)
    assert cells[5] == 6
    with h5py.File(path, 'w') as file:
        file['other'] = table(64, 48)
    with pytest.raises(ParameterError, match="holds no rectify_map: give DSEC's rectify_map.h5"):
        EventMap(NONE, str(path))


def test_wrong_parameters_get_a_sentence(tmp_path):
    flat, objects, garbage = (tmp_path / name for name in ('flat.npy', 'objects.npy', 'x.npy'))
    np.save(flat, np.zeros((4, 4)))
    np.save(objects, np.array([None]), allow_pickle=True)
    garbage.write_bytes(b'nothing')
    for homography, path, sentence in (
        ([1.0] * 4, '', "'event_homography' has 4 numbers: give the 9 of a 3x3 matrix"),
        ([1.0] * 9, '', "the 3x3 matrix of 'event_homography' has no inverse"),
        ([float('nan')] * 9, '', "'event_homography' has no inverse"),
        (TWICE, str(flat), "give 'event_homography' or 'event_map', not both"),
        (NONE, '/nowhere.npy', "'event_map': /nowhere.npy cannot be read"),
        (NONE, '/nowhere.h5', "'event_map': /nowhere.h5 cannot be read"),
        (NONE, str(tmp_path), 'cannot be read'),
        (NONE, str(garbage), 'cannot be read'),
        (NONE, str(objects), 'cannot be read'),
        (NONE, str(flat), r'is float64 \[4, 4\]: give the place of each pixel'),
    ):
        with pytest.raises(ParameterError, match=sentence) as caught:
            EventMap(homography, path)
        assert '\n' not in str(caught.value)


def test_steps_are_aligned():
    window = EventWindow(Events.empty(), 0, 1000, (64, 48))
    step = Step('image', None, 0, window=window, image_size=(160, 120))
    chosen = EventMap(TWICE, '')
    aligned = chosen.align(step)
    assert aligned.window.pixel_map is chosen.pixel_map((64, 48), (160, 120))
    assert EventMap(NONE, '').align(step).window.pixel_map is None
    alone = Step('image', None, 0)
    assert chosen.align(alone) is alone
