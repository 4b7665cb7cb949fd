# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of class groups: conversion of masks, the shipped ones, and mistakes."""

import numpy as np
import pytest
import yaml

from mfs_seg_core.class_groups import load_groups, shipped_groups
from mfs_seg_core.labels import CAMVID, DSEC, UNLABELLED

ROAD = {'name': 'drivable', 'classes': ['Road']}


@pytest.fixture
def load(tmp_path):
    """Return a function that writes groups to a file and loads it."""
    def load_written(groups, classes=CAMVID):
        path = tmp_path / 'mine.yaml'
        path.write_text(groups if isinstance(groups, str) else yaml.safe_dump({'groups': groups}))
        return load_groups(path, classes)

    return load_written


def grouped(groups) -> dict[str, str | None]:
    """Return the group of each of CamVid's classes; None: unlabelled."""
    ids = groups.apply(np.arange(len(CAMVID), dtype=np.uint8)[None])[0].tolist()
    return {name: None if group == UNLABELLED else groups.classes.names[group]
            for name, group in zip(CAMVID.names, ids)}


def test_classes_of_no_group_are_unlabelled(load):
    groups = load([{'name': 'vulnerable', 'classes': ['Pedestrian', 'Bicyclist']},
                   {**ROAD, 'colour': '#010203'}])
    assert groups.classes.name == 'mine' and groups.classes.names == ('vulnerable', 'drivable')
    # The colour of the first class, and the given one.
    assert groups.classes.palette.tolist() == [[64, 64, 0], [1, 2, 3]]
    assert grouped(groups) == {**dict.fromkeys(CAMVID.names), 'Pedestrian': 'vulnerable',
                               'Bicyclist': 'vulnerable', 'Road': 'drivable'}


def test_other_has_all_classes_that_no_group_lists(load):
    groups = load([{'name': 'rest', 'classes': 'other', 'colour': [9, 9, 9]}, ROAD])
    assert grouped(groups) == {**dict.fromkeys(CAMVID.names, 'rest'), 'Road': 'drivable'}
    # Without a colour, that of the first class left.
    assert load([{'name': 'rest', 'classes': 'other'}, ROAD]).classes.palette[0].tolist() == [
        128, 128, 128]


def test_masks_keep_shape_and_unlabelled_pixels(load):
    mask = np.array([[3, 255, 200], [0, 3, 11]], np.uint8)
    result = load([ROAD, {'name': 'rest', 'classes': 'other'}]).apply(mask)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, [[0, 255, 255], [1, 0, 255]])


def test_shipped_groups_are_for_the_shipped_weights():
    assert shipped_groups() == ['autoware', 'drivable']
    drivable = load_groups('drivable', CAMVID)
    assert None not in grouped(drivable).values()
    assert grouped(drivable)['Road'] == 'drivable'
    autoware = load_groups('autoware', CAMVID)
    assert [autoware.classes.names.index(name) for name in (
        'UNKNOWN', 'TRAFFIC_LIGHT', 'PERSON', 'ROAD', 'CROSSWALK', 'SKY')] == [0, 4, 6, 9, 13, 15]
    assert None not in grouped(autoware).values()
    for groups in (drivable, autoware):
        assert len(np.unique(groups.classes.palette, axis=0)) == len(groups.classes)
    with pytest.raises(ValueError, match="lists the class 'Road', which the weights lack: choose "
                                         'from background, building'):
        load_groups('drivable', DSEC)


@pytest.mark.parametrize('groups, sentence', [
    ([], r'mine.yaml lists 0 groups: list 1 to 255$'),
    ([{'name': f'g{n}', 'classes': [], 'colour': [n, 0, 0]} for n in range(256)],
     'lists 256 groups: list 1 to 255'),
    (['Road'], "group 0 must be a mapping with name and classes, not 'Road'"),
    ([{'name': 'x'}], "group 0: setting 'classes' is missing"),
    ([{**ROAD, 'color': 1}], "group 0: unknown setting 'color': choose from name, classes, colour"),
    ([{**ROAD, 'name': ''}], 'group 0: the name must have 1 to 100 printable letters'),
    ([ROAD, {**ROAD, 'classes': []}], "lists the group 'drivable' twice: merge the two, or rename"),
    ([{**ROAD, 'classes': ['Street']}], "group 'drivable' lists the class 'Street', which the "
     'weights lack: choose from Sky, Building'),
    ([ROAD, {'name': 'x', 'classes': ['Road']}],
     "the class 'Road' is in the groups 'drivable' and 'x': leave it in one"),
    ([{**ROAD, 'classes': 'Road'}], "has the classes 'Road': write a list of names, or 'other'"),
    ([{'name': n, 'classes': 'other'} for n in 'ab'], "has 2 groups with 'classes: other': leave"),
    ([{**ROAD, 'colour': [0, 0, 256]}], r"group 'drivable' has the colour \(0, 0, 256\): write"),
    ([{**ROAD, 'colour': 'red'}], "group 'drivable' has the colour 'red': write"),
    ([{'name': 'x', 'classes': []}], "group 'x' has no class whose colour it could take: add"),
    ('groups: [', 'cannot be read as YAML'),
    ('', 'holds no settings'),
])
def test_mistakes_are_one_sentence(load, groups, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        load(groups)
    assert '\n' not in str(caught.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"no class groups 'nosuch': name a YAML file, or one of "
                                         'autoware, drivable'):
        load_groups('nosuch', CAMVID)
    with pytest.raises(ValueError, match='there are no class groups'):
        load_groups(tmp_path, CAMVID)
