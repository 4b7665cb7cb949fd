# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of the recordings in a folder: which frames they hold, and how they follow one another."""

import cv2
import numpy as np
import pytest
from support.own_data import write_folder

from mfs_seg_core.data.clips.folder import FolderClips
from mfs_seg_core.data.folder.dataset import LabelledFolder
from mfs_seg_core.data.folder.settings import read_data_file
from mfs_seg_core.data.statistics import NOMINAL_STEP_S


def opened(root, names, unlabelled=()):
    """Open recordings at 10 Hz whose images are as bright as their frame number."""
    path = write_folder(root, names, unlabelled=unlabelled,
                        more="sequences: {names: '{recording}_{frame}', rate_hz: 10.0}")
    for name in names:
        grey = np.full((48, 64, 3), int(name.split('_')[1]), np.uint8)
        cv2.imwrite(str(root / f'images/{name}.png'), grey)
    described = read_data_file(path)
    return LabelledFolder(described.root, described.settings, 'all')


def shown(clips):
    """Return the frame numbers of each clip, and whether it follows the one before."""
    return [(clips[i].images[:, 0, 0, 0].tolist(), clips[i].follows) for i in range(len(clips))]


def test_sequences_follow_one_another_without_overlap(tmp_path):
    folder = opened(tmp_path, [f'a_{i}' for i in range(7)] + ['b_50', 'b_51'])
    clips = FolderClips(folder, length=2, frames=2)
    assert shown(clips) == [([0, 0], False), ([1, 2], True), ([3, 4], False), ([5, 6], True)]
    assert [round(clips[i].step_s, 6) for i in range(4)] == [NOMINAL_STEP_S, 0.1, 0.1, 0.1]
    assert clips[3].label.shape == (48, 64) and clips[3].label.dtype == np.uint8
    # The recording b has too few frames for two clips of two frames.
    assert shown(FolderClips(folder, 2, 1))[-2:] == [([50], False), ([51], True)]


def test_clips_end_at_labels(tmp_path):
    """As in data sets with a label for each third frame of a video."""
    names = [f'a_{i}' for i in range(10)]
    folder = opened(tmp_path, names, tuple(name for name in names if name not in ('a_5', 'a_8')))
    assert shown(FolderClips(folder, 1, 2)) == [([4, 5], False), ([7, 8], False)]
    assert shown(FolderClips(folder, 2, 3)) == [([3, 4, 5], False), ([6, 7, 8], True)]
    with pytest.raises(ValueError, match='no recording has 2 labels at distances of 2 frames'):
        FolderClips(folder, 2, 2)


def test_every_label_ends_a_clip_for_validation(tmp_path):
    folder = opened(tmp_path, [f'a_{i}' for i in range(3)])
    assert shown(FolderClips(folder, 1, 4, every_label=True)) == [
        ([0, 0, 0, 0], False), ([0, 0, 0, 1], False), ([0, 0, 1, 2], False)]


def test_images_of_one_recording_have_one_size(tmp_path):
    folder = opened(tmp_path, ['a_0', 'a_1'])
    cv2.imwrite(str(tmp_path / 'images/a_0.png'), np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(ValueError, match='a_0.png has another size than .*a_1.png'):
        _ = FolderClips(folder, 1, 2, every_label=True)[1]
