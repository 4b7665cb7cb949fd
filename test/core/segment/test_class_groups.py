# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Groups of classes in the results of the command."""

from __future__ import annotations

import json
from collections import defaultdict

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import Reader
from support.masks import class_ids

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.segment.bag_types import typestore
from mfs_seg_core.segment.figures import Figures
from mfs_seg_core.segment.steps import StepHeader

FRAMES = 3
GROUPS = """
groups:
  - {name: free, classes: [Road, Pavement], colour: [1, 2, 3]}
  - {name: taken, classes: [Building, Car, Pedestrian]}
"""


@pytest.fixture
def file(tmp_path):
    """Return a file of groups that leave some classes out."""
    path = tmp_path / 'mine.yaml'
    path.write_text(GROUPS)
    return path


def messages_of(bag) -> dict[str, list]:
    """Return the messages of a bag by topic."""
    types = typestore(())
    found = defaultdict(list)
    with Reader(bag) as reader:
        for each, _, data in reader.messages():
            found[each.topic].append(types.deserialize_cdr(data, each.msgtype))
    return found


def test_all_results_have_groups(label, file, tmp_path):
    options = 'street', '--frames', FRAMES, '--masks', '--confidence', '--bag'
    assert label(*options, '--output', tmp_path / 'plain')[0] == 0
    code, _, errors = label(*options, '--output', tmp_path / 'out', '--class-groups', file)
    assert (code, errors) == (0, [])
    groups = load_groups(file, CAMVID)
    messages = messages_of(tmp_path / 'out/street/bag')
    assert [(each.class_id, each.class_name) for each in
            messages['/mfs_seg/label_info'][0].class_map] == [
        (0, 'free'), (1, 'taken'), (255, 'unlabelled')]
    matrix, masks = ConfusionMatrix(2), []
    for index in range(FRAMES):
        name = f'street/masks/{index:06d}.png'
        mask = groups.apply(class_ids(tmp_path / 'plain' / name))
        assert (class_ids(tmp_path / 'out' / name) == mask).all()
        assert (messages['/mfs_seg/mask'][index].data == mask.reshape(-1)).all()
        # The truth of the input keeps its classes.
        truth = messages['/camera/label'][index].data.reshape(mask.shape)
        matrix.update(mask, groups.apply(truth))
        masks.append(mask)
        name = f'street/confidence/{index:06d}.png'
        assert (tmp_path / 'out' / name).read_bytes() == (tmp_path / 'plain' / name).read_bytes()
    shown = cv2.imread(str(tmp_path / 'out/street/masks/000000.png'))[..., ::-1]
    assert (shown[masks[0] == 0] == (1, 2, 3)).all()
    summary = json.loads((tmp_path / 'out/street/summary.json').read_text())
    assert summary['miou'] == matrix.miou and 0 < matrix.miou < 1
    assert list(summary['shares']) == ['free', 'taken', 'unlabelled']
    assert summary['shares']['unlabelled'] == pytest.approx(
        np.mean([mask == 255 for mask in masks]), abs=1e-6)


def test_truth_is_drawn_in_groups(label, file, tmp_path):
    assert label('street', '--frames', 2, '--sensors', 'fusion', '--overlay', '--output',
                 tmp_path / 'out', '--class-groups', file)[0] == 0
    capture = cv2.VideoCapture(str(tmp_path / 'out/street/overlay.mp4'))
    image = capture.read()[1][..., ::-1]
    # Columns: camera, events, truth, mask.
    width = image.shape[1] // 4
    truth, mask = (image[:120, width * i + 8:width * (i + 1) - 8] for i in (2, 3))
    # The sky, above, is in no group: black. Without groups it is grey.
    for tile in (truth, mask):
        assert np.median(tile[:20]) < 30


def test_results_of_other_groups_are_refused(label, file, tmp_path):
    options = 'street', '--frames', 2, '--figures', '--output', tmp_path / 'out'
    assert label(*options, '--class-groups', file)[0] == 0
    assert label(*options, '--class-groups', file)[0] == 0
    file.write_text(GROUPS.replace('Car, ', ''))
    code, _, errors = label(*options, '--class-groups', file)
    assert code == 1 and len(errors) == 1 and '(class_groups_sha256 was ' in errors[0]
    code, _, errors = label(*options)
    assert code == 1 and "(class_groups was '" in errors[0]


def test_labels_of_other_classes_are_not_scored(file):
    figures = Figures(CAMVID, load_groups(file, CAMVID))
    mask = np.zeros((2, 2), np.uint8)
    for label in (np.full((2, 2), 11), np.zeros((2, 3)), np.full((2, 2), 3)):
        figures.add('a', StepHeader(0, '', 0, label=label.astype(np.uint8)), mask)
    assert figures.summary()['masks_with_truth'] == 1 and figures.summary()['miou'] == 1.0
    assert figures.remark.startswith('2 labels have another size or other classes than the masks')
    assert 'Road, Pavement' in figures.remark


def test_wrong_groups_are_said_once(label, folder, file, tmp_path):
    file.write_text(GROUPS.replace('Road', 'Street'))
    for groups, problem in ((file, "group 'free' lists the class 'Street'"),
                            ('nosuch', "there are no class groups 'nosuch'")):
        code, _, errors = label(folder, folder, '--output', tmp_path / 'out', '--class-groups',
                                groups)
        assert code == 1 and len(errors) == 1 and problem in errors[0]
    assert not (tmp_path / 'out').exists()
