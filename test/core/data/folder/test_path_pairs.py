# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images and labels are paired by the text that wildcards match."""

import pytest

from mfs_seg_core.data.folder.path_pairs import find_pairs


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(root, images, labels):
    return [(pair.image.relative_to(root).as_posix(),
             pair.label and pair.label.relative_to(root).as_posix(), pair.name)
            for pair in find_pairs(root, images, labels).pairs]


def test_suffixes_differ_and_numbers_are_in_numerical_order(tmp_path):
    touch(tmp_path, 'images/b10.jpg', 'images/b9.jpg', 'images/notes.txt',
          'labels/b9_L.png', 'labels/b10_L.png', 'labels/c_L.png', 'images/.hidden.jpg')
    assert names(tmp_path, 'images/*.jpg', 'labels/*_L.png') == [
        ('images/b9.jpg', 'labels/b9_L.png', 'b9'), ('images/b10.jpg', 'labels/b10_L.png', 'b10')]
    found = find_pairs(tmp_path, './images/*.jpg', 'labels/*_L.png')
    assert [path.name for path in found.lonely] == ['c_L.png'] and len(found.pairs) == 2


def test_images_without_labels_are_kept(tmp_path):
    touch(tmp_path, 'a1.jpg', 'a2.jpg', 'a2.png')
    assert names(tmp_path, '*.jpg', '*.png') == [('a1.jpg', None, 'a1'), ('a2.jpg', 'a2.png', 'a2')]


def test_folders_pair_too(tmp_path):
    """As in Cityscapes: the same name in two cities is not the same image."""
    touch(tmp_path, 'left/aachen/x_left.png', 'left/bonn/x_left.png', 'gt/bonn/x_gt.png')
    assert names(tmp_path, 'left/*/*_left.png', 'gt/*/*_gt.png') == [
        ('left/aachen/x_left.png', None, 'aachen/x'),
        ('left/bonn/x_left.png', 'gt/bonn/x_gt.png', 'bonn/x')]


def test_any_depth_and_sets_of_letters(tmp_path):
    touch(tmp_path, 'images/a/b/1.png', 'images/2.png', 'labels/a/b/1.png', 'labels/2.png')
    assert names(tmp_path, 'images/**/[0-9].png', 'labels/**/?.png') == [
        ('images/2.png', 'labels/2.png', '2'), ('images/a/b/1.png', 'labels/a/b/1.png', 'a/b/1')]


@pytest.mark.parametrize('images, labels, message', [
    ('images/*.jpg', 'labels/*/*.png', r"has 1 wildcards and labels 'labels/\*/\*.png' 2"),
    ('images/a.jpg', 'labels/a.png', 'has 0 wildcards'),
    ('image/*.jpg', 'labels/*.png', r"no file matches images 'image/\*.jpg' in .*--root DIR"),
    ('images/*.jpg', 'labels/*_L.png', 'none of 1 images has a label: .*a.jpg needs .*/a_L.png')])
def test_mistakes(tmp_path, images, labels, message):
    touch(tmp_path, 'images/a.jpg', 'labels/a.png')
    with pytest.raises(ValueError, match=message):
        find_pairs(tmp_path, images, labels)
    with pytest.raises(ValueError, match='nowhere is no folder: name'):
        find_pairs(tmp_path / 'nowhere', '*.jpg', '*.png')
