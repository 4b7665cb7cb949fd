# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of images and labels as data sets, with own settings and with presets."""

import cv2
import numpy as np
import pytest
from support.camvid_tree import write_camvid
from support.own_data import FORMS, values_of, write_folder, write_label
from support.paths import SHARED_DATA

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.camvid_list import read_pairs
from mfs_seg_core.data.folder.dataset import LabelledFolder
from mfs_seg_core.data.folder.settings import folder_settings, presets, read_data_file

CAMVID_480 = SHARED_DATA / 'camvid/480x360'
# Image and label of CamVid in its original form, by name.
CAMVID_ORIGINAL = ('701_StillsRaw_full/{}.png', 'LabeledApproved_full/{}_L.png')


def opened(path, split='all', root=None):
    described = read_data_file(path, root)
    return LabelledFolder(described.root, described.settings, split)


def write_pair(root, image, label, values, form='ids'):
    (root / image).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / image), np.full((*values.shape, 3), 90, np.uint8))
    write_label(root / label, values, form)


@pytest.mark.parametrize('form', FORMS)
def test_all_forms_of_labels_give_the_same_items(tmp_path, form):
    folder = opened(write_folder(tmp_path, ['a', 'b'], form))
    assert folder.classes.names == ('floor', 'shelf') and len(folder) == 2
    image, label, name = folder[1]
    assert (image.shape, image.dtype, name) == ((48, 64, 3), np.uint8, 'b')
    expected = np.full(256, 255)
    expected[[4, 9]] = 0, 1
    assert label.dtype == np.uint8 and (label == expected[values_of(1)]).all()
    # RGB: the shelf is more red than blue.
    assert image[0, 0, 0] > image[0, 0, 2] + 50


def test_paths_are_relative_to_the_file_or_the_root(tmp_path):
    path = write_folder(tmp_path / 'data', ['a'])
    elsewhere = tmp_path / 'own.yaml'
    elsewhere.write_text(path.read_text().replace('classes.yaml', 'data/classes.yaml'))
    assert len(opened(elsewhere, root=tmp_path / 'data')) == 1
    elsewhere.write_text(elsewhere.read_text() + f'root: {tmp_path / "data"}\n')
    assert len(opened(elsewhere)) == 1


def test_folder_of_each_split(tmp_path):
    path = write_folder(tmp_path, ['train/a', 'train/b', 'val/c'])
    path.write_text(path.read_text().replace('*', '{split}/*'))
    assert [opened(path, split)[0][2] for split in ('train', 'val')] == ['a', 'c']
    with pytest.raises(ValueError, match=r"no file matches images 'images/test/\*.png'"):
        opened(path, 'test')


def test_recordings_are_in_temporal_order(tmp_path):
    folder = opened(write_folder(
        tmp_path, ['b_2', 'a_10', 'a_9'], unlabelled=('a_10',),
        more="sequences: {names: '{recording}_{frame}', rate_hz: 10.0}"))
    assert [[frame.pair.name for frame in each] for each in folder.recordings] == [
        ['a_9', 'a_10'], ['b_2']]
    assert [frame.pair.name for frame in folder.labelled] == ['a_9', 'b_2']


def test_labels_of_another_size(tmp_path):
    path = write_folder(tmp_path, ['a'])
    write_label(tmp_path / 'labels/a.png', values_of(0, (32, 24)))
    with pytest.raises(ValueError, match=r'labels/a.png has 32x24 pixels, its image .* 64x48: res'):
        _ = opened(path)[0]


@pytest.mark.parametrize('change, message', [
    ({'type': 'kitti'}, 'type must be one of folder, bdd100k, camvid_original, cityscapes'),
    ({'type': 'folder', 'image': 'x'}, "data: unknown setting 'image': choose from type, images"),
    ({'type': 'folder', 'images': '*'}, "data: setting 'labels' is missing"),
    ({'type': 'cityscapes', 'split': 'x'}, "'split' must be a number or a mapping or empty"),
    ({'type': 'cityscapes', 'sequences': {}}, 'sequences needs either names'),
    ({'type': 'cityscapes', 'stills': 1}, "'stills' must be true or false")])
def test_mistakes_in_settings(change, message):
    with pytest.raises(ValueError, match=message):
        folder_settings(change)


def test_files_without_a_folder(tmp_path):
    path = tmp_path / 'own.yaml'
    for text, message in (('data: street\n', 'describes no folder of images: give it a mapping'),
                          ('data: {type: cityscapes}\nsize: 3\n', r'size is 3: write \[WIDTH')):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_data_file(path)


def test_cityscapes(tmp_path):
    for split, city in (('train', 'aachen'), ('val', 'bonn')):
        name = f'{split}/{city}/{city}_000000_000019'
        values = np.array([[7, 33, 0, 34 - 1]], np.uint8)
        write_pair(tmp_path, f'leftImg8bit/{name}_leftImg8bit.png',
                   f'gtFine/{name}_gtFine_labelIds.png', values)
    folder = LabelledFolder(tmp_path, folder_settings({'type': 'cityscapes'}), 'val')
    assert folder[0][1].tolist() == [[0, 18, 255, 18]]
    assert folder[0][2] == 'bonn/bonn_000000_000019' and len(folder.classes) == 19


def test_bdd100k(tmp_path):
    write_pair(tmp_path, 'images/10k/train/0.jpg', 'labels/sem_seg/masks/train/0.png',
               np.array([[0, 18, 255]], np.uint8))
    folder = LabelledFolder(tmp_path, folder_settings({'type': 'bdd100k'}), 'train')
    assert folder[0][1].tolist() == [[0, 18, 255]]


def test_camvid_in_its_original_form(tmp_path):
    """Coloured labels of all classes; the drives and parts of SegNet's split."""
    colours = {'0001TP_006690': (64, 128, 192), '0006R0_f00930': (192, 128, 64),
               '0016E5_07959': (0, 0, 0), '0016E5_08190': (0, 128, 64),
               'Seq05VD_f00000': (128, 0, 192)}
    for name, colour in colours.items():
        flat = np.full((4, 6, 3), colour[::-1], np.uint8)
        for path in CAMVID_ORIGINAL:
            path = tmp_path / path.format(name)
            path.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(path), flat)
    settings = folder_settings({'type': 'camvid_original'})
    parts = {part: LabelledFolder(tmp_path, settings, part) for part in ('train', 'val', 'test')}
    # Car, Pedestrian and Building; void; Road.
    assert {folder[i][2]: folder[i][1][0, 0] for folder in parts.values()
            for i in range(len(folder))} == {
        '0001TP_006690': 8, '0006R0_f00930': 9, '0016E5_08190': 1, '0016E5_07959': 255,
        'Seq05VD_f00000': 3}
    all_classes = LabelledFolder(
        tmp_path, folder_settings({'type': 'camvid_original', 'classes': 'camvid_32'}), 'test')
    assert all_classes.classes.names[all_classes[0][1][0, 0]] == 'LaneMkgsDriv'


def test_every_preset_is_valid():
    for name in presets():
        assert folder_settings({'type': name}).classes


def test_the_layout_of_segnet_by_settings(tmp_path):
    """The same items as its own loader reads."""
    root = write_camvid(tmp_path, 'val', 3)
    (tmp_path / 'own.yaml').write_text(
        "data: {type: folder, images: '{split}/*.png', labels: '{split}annot/*.png', classes: "
        f"{{name: camvid, classes: [{', '.join(CamVid.classes.names)}], ignore: [11]}}}}\n")
    ours, theirs = opened(tmp_path / 'own.yaml', 'val'), CamVid(root, 'val')
    assert len(ours) == len(theirs) == 3
    for mine, item in zip(ours, theirs):
        assert all(np.array_equal(a, b) for a, b in zip(mine, item))


@pytest.mark.skipif(not CAMVID_480.is_dir(), reason=f'no CamVid in {CAMVID_480}')
@pytest.mark.parametrize('part', ['train', 'val'])
def test_the_split_of_the_original_form_is_that_of_segnet(tmp_path, part):
    lists = {split: {image.stem for image, _ in read_pairs(CAMVID_480, split)}
             for split in ('train', 'val')}
    for name in set().union(*lists.values()):
        for path in CAMVID_ORIGINAL:
            path = tmp_path / path.format(name)
            path.parent.mkdir(exist_ok=True)
            path.touch()
    folder = LabelledFolder(tmp_path, folder_settings({'type': 'camvid_original'}), part)
    assert {frame.pair.name for frame in folder.labelled} == lists[part]
