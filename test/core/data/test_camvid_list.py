# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lists of CamVid as they are found: with marks, blanks, other line ends, other folders."""

import codecs
from pathlib import Path

import cv2
import numpy as np
import pytest

from mfs_seg_core.data.camvid_list import read_pairs

NAMES = ('a', 'b')


def write_tree(root: Path, suffix: str = '.png', folders: tuple[str, str] = ('val', 'valannot'),
               names: tuple[str, ...] = NAMES) -> None:
    """Write empty images and labels of these names; the list is missing."""
    for folder, ending in zip(folders, (suffix, '.png')):
        (root / folder).mkdir(parents=True)
        for name in names:
            cv2.imwrite(str(root / folder / f'{name}{ending}'), np.zeros((4, 4), np.uint8))


def found(root: Path, text: str | bytes) -> list[tuple[str, str]]:
    """Write the list, and return its pairs relative to the root."""
    (root / 'val.txt').write_bytes(text.encode() if isinstance(text, str) else text)
    return [tuple(str(path.relative_to(root)) for path in pair)
            for pair in read_pairs(root, 'val')]


PLAIN = 'val/a.png valannot/a.png\nval/b.png valannot/b.png\n'
PAIRS = [('val/a.png', 'valannot/a.png'), ('val/b.png', 'valannot/b.png')]


@pytest.mark.parametrize('text', [
    PLAIN, PLAIN.rstrip(), PLAIN.replace('\n', '\r\n'), PLAIN.replace(' ', '\t'),
    PLAIN.replace(' ', ','), PLAIN.replace(' ', ' , '), f'\n\n# val\n{PLAIN}\n  \n',
    codecs.BOM_UTF8 + PLAIN.encode(), PLAIN.encode('utf-16'),
    PLAIN.replace('val', '/SegNet/CamVid/val', 1).replace(' val', ' /SegNet/CamVid/val'),
    PLAIN.replace('/', '\\'), PLAIN.replace('val', 'C:\\data\\val').replace('/', '\\'),
    '"val/a.png" "valannot/a.png"\n\'val/b.png\' \'valannot/b.png\'\n',
    './val/a.png ./valannot/a.png\nval/b.png valannot/b.png',
    # Names alone, of both or of the image.
    'a.png a.png\nb.png b.png\n', 'a.png\nb.png\n', 'a\nb\n', 'val/a.png\nval/b.png\n',
    '/SegNet/CamVid/val/a.png\n/SegNet/CamVid/val/b.png\n'])
def test_ways_to_write_a_list(tmp_path, text):
    write_tree(tmp_path)
    assert found(tmp_path, text) == PAIRS


def test_absolute_paths_of_this_computer(tmp_path):
    write_tree(tmp_path / 'my data')
    root = tmp_path / 'lists'
    root.mkdir()
    folder = tmp_path / 'my data'
    (root / 'val.txt').write_text(f'{folder}/val/a.png {folder}/valannot/a.png\n')
    assert read_pairs(root, 'val') == [(folder / 'val/a.png', folder / 'valannot/a.png')]


@pytest.mark.parametrize('text', [
    'val 1/drive one.png label of val/drive one.png\n',
    '"val 1/drive one.png"  "label of val/drive one.png"\n'])
def test_blanks_in_paths(tmp_path, text):
    write_tree(tmp_path, folders=('val 1', 'label of val'), names=('drive one',))
    assert found(tmp_path, text) == [('val 1/drive one.png', 'label of val/drive one.png')]


def test_a_name_with_blanks_is_not_taken_for_two(tmp_path):
    write_tree(tmp_path, names=('a', 'b', 'a b'))
    assert found(tmp_path, 'val/a b.png\n') == [('val/a b.png', 'valannot/a b.png')]


def test_the_label_of_a_jpeg_is_a_png(tmp_path):
    write_tree(tmp_path, suffix='.jpg')
    assert found(tmp_path, 'val/a.jpg\nb\n') == [
        ('val/a.jpg', 'valannot/a.png'), ('val/b.jpg', 'valannot/b.png')]


@pytest.mark.parametrize('text, sentence', [
    ('val/c.png valannot/c.png', 'val/c.png is missing: .*val.txt names it'),
    ('val/a.png valannot/c.png', 'valannot/c.png is missing: .*val.txt names it'),
    (b'val/a.png \xff\xfe\xfd', 'val.txt is not text in UTF-8'),
    ('a b c', "expected the paths of an existing image and its label per line, not 'a b c'")])
def test_lists_that_cannot_be_followed_are_one_sentence(tmp_path, text, sentence):
    write_tree(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        found(tmp_path, text)


def test_an_image_without_its_label_is_one_sentence(tmp_path):
    write_tree(tmp_path)
    (tmp_path / 'valannot/a.png').unlink()
    with pytest.raises(ValueError, match='valannot/a.png is missing.*same name'):
        found(tmp_path, 'val/a.png\n')
