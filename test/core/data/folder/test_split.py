# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Splits by share, by patterns of names and by lists."""

from pathlib import Path

import pytest

from mfs_seg_core.data.folder.frame import FolderFrame
from mfs_seg_core.data.folder.path_pairs import PathPair
from mfs_seg_core.data.folder.split import check_split, part_of


def stills(*names, root=Path('root')):
    return [FolderFrame(PathPair(root / f'{name}.png', Path('l.png'), name)) for name in names]


def names(frames):
    return [frame.pair.name for frame in frames]


def test_share_of_stills_is_spread_evenly():
    frames = stills(*(f'{i:02d}' for i in range(20)))
    val = names(part_of(frames, 0.25, 'val', Path('root')))
    assert val == ['03', '07', '11', '15', '19']
    train = names(part_of(frames, 0.25, 'train', Path('root')))
    assert sorted(train + val) == names(frames)


def test_share_of_recordings_is_their_end():
    """Frames next to each other are alike, so no frame between those of training validates."""
    frames = [FolderFrame(PathPair(Path(f'{r}{i}'), Path('l'), f'{r}{i}'), r, i)
              for r in 'ab' for i in range(4)]
    assert names(part_of(frames, 0.5, 'train', Path('root'))) == ['a0', 'a1', 'b0', 'b1']
    assert names(part_of(frames, 0.5, 'val', Path('root'))) == ['a2', 'a3', 'b2', 'b3']


def test_patterns_match_the_name_of_the_pair():
    frames = stills('aachen/1', 'bonn/1', 'bonn/2')
    split = {'train': ['bonn/*'], 'val': ['aachen/*', '*/2']}
    assert names(part_of(frames, split, 'train', Path('root'))) == ['bonn/1', 'bonn/2']
    assert names(part_of(frames, split, 'val', Path('root'))) == ['aachen/1', 'bonn/2']
    assert part_of(frames, split, 'all', Path('root')) == frames


def test_lists(tmp_path):
    frames = stills('images/a', 'images/b', 'other/b', 'other/c', root=tmp_path)
    (tmp_path / 'val.txt').write_text('\ufeff# a comment\n\nc\n./images/b.png\na.png\n')
    assert names(part_of(frames, {'val': 'val.txt'}, 'val', tmp_path)) == [
        'images/a', 'images/b', 'other/c']
    (tmp_path / 'val.txt').write_text('images/a\nb\n')
    with pytest.raises(ValueError, match="val.txt, line 2: 'b': several images have this name"):
        part_of(frames, {'val': 'val.txt'}, 'val', tmp_path)
    (tmp_path / 'val.txt').write_text('x y\n')
    with pytest.raises(ValueError, match="val.txt, line 1: 'x y': no image has this name"):
        part_of(frames, {'val': 'val.txt'}, 'val', tmp_path)
    with pytest.raises(ValueError, match=r'no.txt cannot be read \(No such file'):
        part_of(frames, {'val': 'no.txt'}, 'val', tmp_path)


@pytest.mark.parametrize('split, part, message', [
    (None, 'train', 'the data has no split .train.: add a setting split, for example "split: 0.2"'),
    (0.5, 'test', "no split 'test': choose from train, val, all"),
    ({'val': ['x*']}, 'val', "split 'val' has no image with a label")])
def test_missing_parts(split, part, message):
    with pytest.raises(ValueError, match=message):
        part_of(stills('a', 'b'), split, part, Path('root'))


@pytest.mark.parametrize('split, message', [
    (1.5, 'between 0 and 1'), ({'val': 3}, "'val' is 3: write the path of a list"),
    ({'val': []}, r"'val' is \[\]"), ({'val': [1]}, "'val' is")])
def test_mistakes(split, message):
    with pytest.raises(ValueError, match=message):
        check_split(split)
