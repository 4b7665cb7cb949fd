# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of images: which files are played, from which folder, and what a bad one changes."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mfs_seg_core.sources.image_files import image_files, image_folder
from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.sources.open_source import open_source

# As macOS writes next to each file on a foreign disk.
APPLE_DOUBLE = b'\0\5\x16\7\0\2\0\0Mac OS X' + bytes(100)


def write(path: Path, value: int = 90) -> None:
    """Write a grey image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((24, 32, 3), value, np.uint8))


def values(path: Path, **options) -> list[int]:
    """Return the grey values of the images of a source."""
    return [int(frame.image[0, 0, 0]) for frame in open_source(path, **options)]


def test_hidden_files_are_ignored(tmp_path):
    for index in range(3):
        write(tmp_path / f'{index}.png', index)
        (tmp_path / f'._{index}.png').write_bytes(APPLE_DOUBLE)
        write(tmp_path / '@eaDir' / f'{index}.png' / 'THUMB.jpg', 7)
        (tmp_path / '__MACOSX').mkdir(exist_ok=True)
        (tmp_path / '__MACOSX' / f'._{index}.png').write_bytes(APPLE_DOUBLE)
    for name in ('.DS_Store', 'Thumbs.db', 'desktop.ini', '.hidden.jpg'):
        (tmp_path / name).write_bytes(b'no image')
    source = open_source(tmp_path)
    assert [int(frame.image[0, 0, 0]) for frame in source] == [0, 1, 2]
    assert not source.report.skipped and not source.report.sentences()


@pytest.mark.parametrize('content', [b'', b'no png', APPLE_DOUBLE, None])
def test_a_bad_image_is_left_out_and_named(tmp_path, content):
    for index in range(30):
        write(tmp_path / f'{index}.png', index)
    whole = (tmp_path / '7.png').read_bytes()
    (tmp_path / '7.png').write_bytes(whole[:len(whole) // 2] if content is None else content)
    source = open_source(tmp_path, rate_hz=10.0)
    frames = list(source)
    good = [index for index in range(30) if index != 7]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == good
    # The others keep their times.
    assert [frame.time_s for frame in frames] == pytest.approx([index / 10 for index in good])
    assert source.report.skipped == {'frames': 1}
    assert len(source.report.first_skipped) == 1 and '7.png' in source.report.first_skipped[0]


def test_all_bad_images_are_counted_and_the_first_are_named(tmp_path):
    for index in range(20):
        write(tmp_path / f'{index}.png', index)
        if index % 2:
            (tmp_path / f'{index}.png').write_bytes(b'no png')
    source = open_source(tmp_path)
    assert len(list(source)) == 10
    assert source.report.skipped == {'frames': 10}
    assert [text.split("'")[1] for text in source.report.first_skipped] == [
        str(tmp_path / f'{index}.png') for index in (1, 3, 5, 7, 9)]
    assert source.report.sentences()[0].startswith('left out, because not readable, 10 frames: ')


def test_images_of_sixteen_bits_are_scaled_by_those_in_use(tmp_path):
    # The first one is dark: a camera of 12 bits is known from the second one on.
    for index, value in enumerate((200, 4095, 2048)):
        image = np.full((24, 32), value, np.uint16)
        image[0] = 0
        assert cv2.imwrite(str(tmp_path / f'{index}.png'), image)
    source = open_source(tmp_path)
    found = [int(frame.image[-1, -1, 0]) for frame in source]
    assert found[1:] == [255, 128]
    assert source.report.notes == [
        f"the images of '{tmp_path}' have 16 bits, and are scaled by the 12 in use"]


def test_a_folder_without_a_good_image_is_one_sentence(tmp_path):
    for name in ('a.png', 'b.jpg'):
        (tmp_path / name).write_bytes(b'no image')
    with pytest.raises(SourceError, match="none of 2 images can be read: '.*a.png' is damaged"):
        list(open_source(tmp_path))


@pytest.mark.parametrize('place', ['image_02/data', 'images/left/rectified', 'a/b/c/d/e'])
def test_images_of_a_subfolder_are_played(tmp_path, place):
    for index in (10, 9, 1):
        write(tmp_path / place / f'img_{index}.png', index)
    (tmp_path / 'timestamps.txt').write_text('0\n')
    source = open_source(tmp_path)
    assert [int(frame.image[0, 0, 0]) for frame in source] == [1, 9, 10]
    assert source.report.notes == [
        f"the images of '{tmp_path / place}' are played, the only ones of a camera"]


def test_deeper_folders_are_not_searched(tmp_path):
    write(tmp_path / 'a/b/c/d/e/f' / '0.png')
    with pytest.raises(SourceError, match='holds nothing to play'):
        open_source(tmp_path)


@pytest.mark.parametrize('other', [
    'label', 'valannot', 'image_02/Masks', 'depth_map', 'semantic', 'gt_image_2', 'SEG', 'a/gt'])
def test_labels_and_depth_are_no_camera(tmp_path, other):
    write(tmp_path / 'image_02/data/0.png', 5)
    write(tmp_path / other / '0.png', 9)
    assert values(tmp_path, split='train') == [5]
    assert image_folder(tmp_path / other) == tmp_path / other


def test_several_cameras_are_one_sentence_that_lists_them(tmp_path):
    for camera in range(4):
        write(tmp_path / f'image_{camera:02d}' / 'data' / '0.png', camera)
    with pytest.raises(SourceError) as error:
        open_source(tmp_path)
    assert str(error.value) == (
        f"'{tmp_path}' has images in several subfolders (image_00/data, image_01/data, "
        'image_02/data, image_03/data): give one of them, for example '
        f"'{tmp_path}/image_00/data'.")
    assert values(tmp_path / 'image_02') == [2]


def test_words_within_names_are_no_labels(tmp_path):
    write(tmp_path / 'length_of_segovia' / '0.png', 1)
    write(tmp_path / 'mask' / '0.png', 2)
    assert values(tmp_path) == [1]


def test_a_link_to_a_missing_file_is_a_bad_image(tmp_path):
    write(tmp_path / '0.png', 1)
    (tmp_path / '1.png').symlink_to(tmp_path / 'absent.png')
    # A pipe is no image, and reading it would block.
    os.mkfifo(tmp_path / '2.png')
    source = open_source(tmp_path)
    assert len(list(source)) == 1
    assert source.report.skipped == {'frames': 1} and '1.png' in source.report.first_skipped[0]


def test_images_of_the_folder_itself_come_first(tmp_path):
    write(tmp_path / '0.png', 1)
    write(tmp_path / 'more' / '0.png', 2)
    assert values(tmp_path) == [1]


def test_links_in_a_circle_end(tmp_path):
    write(tmp_path / 'real' / 'frames' / '0.png', 3)
    (tmp_path / 'drive').mkdir()
    (tmp_path / 'drive' / 'frames').symlink_to(tmp_path / 'real' / 'frames')
    (tmp_path / 'drive' / 'again').symlink_to(tmp_path / 'drive')
    assert values(tmp_path / 'drive') == [3]


def test_digits_that_are_no_numbers_sort_as_letters(tmp_path):
    for name in ('\u00b210.png', '\u00b29.png', '\u06639.png'):
        write(tmp_path / name)
    assert [path.name for path in image_files(tmp_path)] == [
        '\u06639.png', '\u00b29.png', '\u00b210.png']


def test_one_image_file_is_one_frame(tmp_path):
    # OpenCV would play all files of the same pattern.
    for index in range(3):
        write(tmp_path / f'img_{index}.png', index)
    assert values(tmp_path / 'img_1.png') == [1]


def test_a_folder_with_nothing_to_play_says_what_it_holds(tmp_path):
    for name in ('a.docx', 'b.docx', 'c', '.d.png'):
        (tmp_path / name).write_bytes(b'x')
    with pytest.raises(SourceError, match=r'holds nothing to play \(its files: 2 .docx, 1 without'):
        open_source(tmp_path)
