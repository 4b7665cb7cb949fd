# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every source on data made here, and on recordings where they are next to the repository."""

import os
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.bags import KINDS, compressed, file_of, image, store, write_bag
from support.camvid_tree import write_camvid
from support.paths import NO_RECORDINGS, SHARED_DATA

from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.sources.open_source import open_source

BAGS = SHARED_DATA / 'bags'
HEIGHT, WIDTH = 24, 32


def coarse_image(index: int) -> np.ndarray:
    """Return an RGB image that its index can be read from, also after JPEG."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 0] = 200
    image[..., 2] = 10 * index
    return image


def truth(index: int) -> np.ndarray:
    """Return class ids; the value 11 is void in CamVid's files."""
    label = np.full((HEIGHT, WIDTH), index % 11, np.uint8)
    label[0] = 11
    return label


def expected_label(index: int) -> np.ndarray:
    """Return what `truth` becomes: void is 255."""
    label = truth(index)
    label[0] = 255
    return label


def write_png(path: Path, image: np.ndarray) -> None:
    """Write an RGB image or class ids."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image)


def packed(array: np.ndarray, suffix: str, time_ns: int):
    """Return a CompressedImage of an RGB image or of class ids."""
    bgr = array[..., ::-1] if array.ndim == 3 else array
    return compressed(cv2.imencode(suffix, bgr)[1].tobytes(), suffix[1:], time_ns)


def test_street_is_endless_seeded_and_has_truth():
    first = list(islice(open_source('street', seed=3), 3))
    again = list(islice(open_source('street', seed=3), 3))
    other = next(iter(open_source('street', seed=4)))
    assert first[0].image.shape == (180, 240, 3)
    assert first[0].label.shape == (180, 240)
    assert [frame.time_s for frame in first] == pytest.approx([0.0, 0.05, 0.1])
    assert all((a.image == b.image).all() for a, b in zip(first, again))
    assert (first[0].image != other.image).any()


def test_street_size_and_rate():
    frames = list(islice(open_source('street', width=96, height=64, rate_hz=10.0), 2))
    assert frames[1].image.shape == (64, 96, 3)
    assert frames[1].time_s == pytest.approx(0.1)


def test_folder_of_images_counts_numbers_as_numbers(tmp_path):
    for index in (10, 9, 1):
        write_png(tmp_path / f'img_{index}.png', coarse_image(index))
    (tmp_path / 'notes.txt').write_text('not an image')
    frames = list(open_source(tmp_path, rate_hz=4.0))
    assert [int(frame.image[0, 0, 2]) // 10 for frame in frames] == [1, 9, 10]
    assert [frame.time_s for frame in frames] == [0.0, 0.25, 0.5]
    assert all(frame.label is None and frame.image[0, 0, 0] == 200 for frame in frames)


def test_camvid_folder(tmp_path):
    lines = []
    for index in range(2):
        write_png(tmp_path / 'val' / f'{index}.png', coarse_image(index))
        write_png(tmp_path / 'valannot' / f'{index}.png', truth(index))
        lines.append(f'val/{index}.png valannot/{index}.png\n')
    (tmp_path / 'val.txt').write_text(''.join(lines))
    frames = list(open_source(tmp_path))
    assert len(frames) == 2
    for index, frame in enumerate(frames):
        assert (frame.image == coarse_image(index)).all()
        assert (frame.label == expected_label(index)).all()


@pytest.mark.parametrize('kind', KINDS)
def test_bag_of_raw_images_matches_labels_by_stamp(tmp_path, kind):
    step = 100_000_000
    start = 5_000_000_000
    images = [(start + i * step, image(coarse_image(i), 'rgb8', start + i * step, kind, padding=4))
              for i in range(4)]
    # Labels come late, and the one of frame 2 never.
    labels = [(start + i * step + 3 * step // 2, image(truth(i), 'mono8', start + i * step, kind))
              for i in (0, 1, 3)]
    bag = write_bag(tmp_path / 'bag', {'/cam/image': images, '/cam/label': labels}, kind)
    for path in (bag, file_of(bag)):
        frames = list(open_source(path))
        assert len(frames) == 4
        for index, frame in enumerate(frames):
            assert (frame.image == coarse_image(index)).all()
            assert frame.time_s == pytest.approx(5.0 + 0.1 * index)
            if index == 2:
                assert frame.label is None
            else:
                assert (frame.label == expected_label(index)).all()


def test_bag_of_compressed_images(tmp_path):
    bag = write_bag(tmp_path / 'bag', {
        '/cam/compressed': [(i + 1, packed(coarse_image(i), '.jpg', i + 1)) for i in range(3)],
        '/cam/label/compressed': [(i + 1, packed(truth(i), '.png', i + 1)) for i in range(3)],
    })
    frames = list(open_source(bag))
    assert len(frames) == 3
    assert np.abs(frames[2].image.astype(int) - coarse_image(2)).mean() < 8.0
    assert (frames[2].label == expected_label(2)).all()


def test_bag_topics_by_name(tmp_path):
    bag = write_bag(tmp_path / 'bag', {
        '/a/image': [(1, image(coarse_image(1), 'rgb8', 1))],
        '/b/image': [(1, image(coarse_image(2), 'rgb8', 1))],
        '/b/truth': [(1, image(truth(2), 'mono8', 1))],
    })
    assert (next(iter(open_source(bag))).image == coarse_image(1)).all()
    frame = next(iter(open_source(bag, image_topic='/b/image', label_topic='/b/truth')))
    assert (frame.image == coarse_image(2)).all()
    assert (frame.label == expected_label(2)).all()
    with pytest.raises(SourceError, match="no image topic '/c'.*/a/image"):
        next(iter(open_source(bag, image_topic='/c')))


def test_bag_of_bgr_images_becomes_rgb(tmp_path):
    bgr = np.ascontiguousarray(coarse_image(1)[..., ::-1])
    bag = write_bag(tmp_path / 'bag', {'/image': [(1, image(bgr, 'bgr8', 1))]})
    assert (next(iter(open_source(bag))).image == coarse_image(1)).all()


def test_another_size_keeps_class_ids(tmp_path):
    bag = write_bag(tmp_path / 'bag', {
        '/image': [(1, image(coarse_image(1), 'rgb8', 1))],
        '/label': [(1, image(truth(9), 'mono8', 1))]})
    frame = next(iter(open_source(bag, width=48, height=40)))
    assert frame.image.shape == (40, 48, 3)
    assert set(np.unique(frame.label)) == {9, 255}


@pytest.mark.parametrize('make, sentence', [
    (lambda folder: folder / 'absent', 'does not exist'),
    (lambda folder: folder, 'holds nothing to play'),
    (lambda folder: '', 'the path is empty'),
    (lambda folder: folder / ('a' * 300), 'cannot be read .File name too long.*permissions'),
    (lambda folder: '~nobody_of_this_name/a', 'cannot be read .*home directory'),
    (lambda folder: '/dev/null', 'is a device, a pipe or a socket: start the ROS driver'),
    (lambda folder: _pipe(folder / 'camera'), 'is a device, a pipe or a socket'),
    # Reading from its start fails for every user.
    (lambda folder: '/proc/self/mem', 'cannot be read .Input/output error.*permissions'),
    (lambda folder: _file(folder / 'a.mp4', b''), "a.mp4' is empty: copy or record it again"),
    (lambda folder: _file(folder / 'a.mcap', b''), "a.mcap' is empty: copy or record it again"),
    (lambda folder: _file(folder / 'notes.md', b'words'), 'is a text file, not a video'),
    # FFmpeg would open what it names.
    (lambda folder: _file(folder / 'a.mp4', b'ffconcat version 1.0\nfile /etc/hosts\n'),
     'is a text file, not a video'),
    (lambda folder: _file(folder / 'a.mp4', bytes(range(256)) * 9), 'damaged, or not a video'),
    (lambda folder: _file(folder / 'a.zip', b'PK\3\4' + bytes(range(256))), 'unpack an archive'),
])
def test_what_cannot_be_opened_is_one_sentence(tmp_path, make, sentence):
    with pytest.raises(SourceError, match=sentence) as error:
        open_source(make(tmp_path))
    assert '\n' not in str(error.value)


def test_half_a_size_is_refused():
    with pytest.raises(SourceError, match='give width and height'):
        open_source('street', width=240)


def test_a_file_without_permission_is_one_sentence(tmp_path):
    path = _file(tmp_path / 'a.mp4', b'x')
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip('this user may read all files')
    with pytest.raises(SourceError, match="a.mp4' cannot be read .Permission denied"):
        open_source(path)


def test_a_damaged_pair_of_camvid_is_left_out(tmp_path):
    write_camvid(tmp_path, 'val', 4)
    _file(tmp_path / 'val' / '0001TP_00001.png', b'no png')
    _file(tmp_path / 'valannot' / '0001TP_00002.png', b'')
    source = open_source(tmp_path, rate_hz=10.0)
    assert [frame.time_s for frame in source] == pytest.approx([0.0, 0.3])
    assert source.report.skipped == {'frames': 2}
    assert ['val/0001TP_00001.png' in source.report.first_skipped[0],
            'valannot/0001TP_00002.png' in source.report.first_skipped[1]] == [True, True]


def test_a_wrong_list_of_camvid_is_one_sentence(tmp_path):
    write_camvid(tmp_path, 'val', 1)
    (tmp_path / 'val.txt').write_text('val/absent.png valannot/absent.png')
    with pytest.raises(SourceError, match='absent.png is missing: .*val.txt names it'):
        open_source(tmp_path)


@pytest.mark.parametrize('name', ['broken.mcap', 'broken.db3'])
def test_damaged_bag_is_one_sentence(tmp_path, name):
    _file(tmp_path / name, b'no bag at all')
    with pytest.raises(SourceError, match='cannot be read, .*: fetch or record it again'):
        list(open_source(tmp_path / name))


def test_bag_without_images_is_refused(tmp_path):
    text = store().types['std_msgs/msg/String']('hello')
    bag = write_bag(tmp_path / 'bag', {'/chatter': [(1, text)]})
    with pytest.raises(SourceError, match='no topic of camera images.*/chatter'):
        list(open_source(bag))


@pytest.mark.skipif(not BAGS.is_dir(), reason=NO_RECORDINGS)
@pytest.mark.parametrize('name, count, shape, labelled, step_s', [
    ('camvid_val_15hz', 101, (360, 480, 3), True, 1 / 15),
    ('udacity_test_video_640x360_25hz', 38, (360, 640, 3), False, 1 / 25),
    ('davis346_street_frames_and_events', 4, (260, 346, 3), False, None),
])
def test_real_recordings(name, count, shape, labelled, step_s):
    frames = list(open_source(BAGS / name))
    assert len(frames) == count
    for frame in frames:
        assert frame.image.shape == shape
        assert (frame.label is not None) == labelled
        if labelled:
            assert set(np.unique(frame.label)) <= {*range(11), 255}
    if step_s:
        assert np.diff([frame.time_s for frame in frames]) == pytest.approx(step_s, abs=1e-5)


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
