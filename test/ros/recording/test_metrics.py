# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that the recorder writes from images, labels and masks, without ROS."""

import resource
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.segment import video
from mfs_seg_core.segment.video import RecordedFrame, tiles
from mfs_seg_ros.recording.metrics import MAX_WAITING, RunRecord

STEP_NS = 50_000_000


def image(height: int = 36, width: int = 48) -> np.ndarray:
    """Return a grey image."""
    return np.full((height, width, 3), 90, np.uint8)


def ids(value: int, height: int = 36, width: int = 48) -> np.ndarray:
    """Return one class everywhere."""
    return np.full((height, width), value, np.uint8)


def test_figures_of_a_run_with_truth(tmp_path):
    recording = RunRecord(tmp_path, CAMVID)
    for index in range(20):
        stamp = index * STEP_NS
        recording.add_image(stamp, image())
        recording.add_label(stamp, ids(3))
        recording.add_model_time(7.0 + index % 2)
        # Half of the masks say road, the truth, and half say sky.
        recording.add_mask(stamp, ids(3 if index % 2 else 0), stamp + 10_000_000 + index * 1000)
    figures = recording.finish('test')
    assert figures['images_received'] == figures['masks_received'] == 20
    assert figures['masks_with_truth'] == 20
    assert figures['rate_hz'] == pytest.approx(20.0, abs=0.01)
    assert figures['latency_ms_p50'] == pytest.approx(10.01, abs=0.01)
    assert figures['model_ms_p50'] == 7.5
    assert figures['iou']['Road'] == 0.5
    assert figures['iou']['Sky'] == 0.0
    assert figures['iou']['Car'] is None
    assert figures['miou'] == 0.25
    video = cv2.VideoCapture(str(tmp_path / 'overlay.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 20
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(20.0)
    assert cv2.imread(str(tmp_path / 'contact_sheet.png')) is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ['contact_sheet.png', 'overlay.mp4']


def test_order_of_arrival_does_not_matter(tmp_path):
    recording = RunRecord(tmp_path, CAMVID)
    recording.add_mask(1, ids(3), 5)
    recording.add_label(2, ids(3))
    recording.add_mask(2, ids(3), 6)
    recording.add_image(2, image())
    recording.add_label(1, ids(3))
    recording.add_image(1, image())
    figures = recording.finish('test')
    assert figures['miou'] == 1.0
    assert figures['masks_with_truth'] == 2


def test_frames_without_a_mask_are_let_go(tmp_path):
    recording = RunRecord(tmp_path, CAMVID)
    for index in range(3 * MAX_WAITING):
        recording.add_image(index, image())
        recording.add_label(index, ids(3))
        assert len(recording._frames) <= MAX_WAITING
    recording.add_mask(3 * MAX_WAITING - 1, ids(3), 3 * MAX_WAITING)
    figures = recording.finish('test')
    assert figures['masks_received'] == 1
    assert figures['masks_with_truth'] == 1
    assert figures['rate_hz'] is None


def test_nothing_received_gives_no_pictures(tmp_path):
    figures = RunRecord(tmp_path, CAMVID).finish('test')
    assert figures['masks_received'] == 0
    assert figures['miou'] is None
    assert figures['latency_ms_p99'] is None
    assert not list(tmp_path.iterdir())


def test_frames_of_other_sizes_fit_into_one_video(tmp_path):
    recording = RunRecord(tmp_path, CAMVID)
    for index, (height, width) in enumerate([(36, 48), (60, 60), (37, 53), (500, 300)] * 4):
        recording.add_image(index * STEP_NS, image(height, width))
        recording.add_mask(index * STEP_NS, ids(1, height, width), index * STEP_NS + 1)
    recording.finish('test')
    video = cv2.VideoCapture(str(tmp_path / 'overlay.mp4'))
    frames = 0
    while video.read()[0]:
        frames += 1
    assert frames == 16


def test_masks_of_events_have_the_label_of_the_nearest_stamp(tmp_path):
    recording = RunRecord(tmp_path, CAMVID, images=False)
    for index in range(1, 21):
        stamp = index * STEP_NS
        recording.add_label(stamp, ids(3 if index % 2 else 0))
        # The packets that complete a step begin before and after the moment of the label.
        early_ns = (-4_000_000, 3_000_000)[index % 2]
        recording.add_mask(stamp + early_ns, ids(3 if index % 2 else 0), stamp, image())
    recording.add_mask(21 * STEP_NS, ids(5), 21 * STEP_NS, image())
    figures = recording.finish('test')
    assert figures['masks_with_truth'] == 20
    assert figures['miou'] == 1.0
    assert figures['images_received'] == figures['masks_of_images'] == 0
    video = cv2.VideoCapture(str(tmp_path / 'overlay.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 21
    # Events, truth and mask.
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 3 * 320


def test_masks_of_events_beside_a_camera_are_counted_and_not_drawn(tmp_path):
    recording = RunRecord(tmp_path, CAMVID)
    for index in range(6):
        recording.add_mask(index * STEP_NS, ids(3), index * STEP_NS + 1, image())
        if index % 2:
            recording.add_image(index * STEP_NS, image())
            recording.add_decode_time(float(index))
    figures = recording.finish('test')
    assert (figures['masks_received'], figures['masks_of_images']) == (6, 3)
    assert figures['decode_ms_p50'] == 3.0
    video = cv2.VideoCapture(str(tmp_path / 'overlay.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3


def test_tiles_show_what_there_is():
    rgb, mask = image(60, 80), ids(3, 60, 80)
    assert list(tiles(RecordedFrame(rgb, None, mask, mask), 30, CAMVID)) == [
        'camera', 'truth', 'mask', 'overlay']
    drawn = tiles(RecordedFrame(None, image(20, 30), None, mask), 30, CAMVID)
    assert list(drawn) == ['events', 'mask']
    # Events are drawn in the shape of the image next to them.
    assert {tile.shape for tile in drawn.values()} == {(30, 40, 3)}
    assert tuple(drawn['mask'][0, 0]) == tuple(CAMVID.palette[3])


def noise(seed: int) -> np.ndarray:
    """Return an image that no encoder makes small."""
    return np.random.default_rng(seed).integers(0, 256, (360, 480, 3), np.uint8)


@contextmanager
def files_of_at_most(size: int):
    """Make writes beyond this size fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize('frames, file', [(30, 'overlay.mp4'), (1, 'contact_sheet.png')])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(tmp_path, frames, file):
    recording = RunRecord(tmp_path, CAMVID)
    # The video of one frame fits, the sheet does not.
    with files_of_at_most(300_000):
        for index in range(frames):
            recording.add_image(index * STEP_NS, noise(index))
            recording.add_mask(index * STEP_NS, ids(3, 360, 480), index * STEP_NS)
        with pytest.raises(OSError, match=rf"'.*/{file}' cannot be written.*: make room") as raised:
            recording.finish('test')
    recording.discard()
    assert '\n' not in str(raised.value)
    assert not [path.name for path in tmp_path.iterdir()
                if path.name == file or '.part' in path.name]


def test_a_disk_that_fills_up_ends_the_recording_early(tmp_path, monkeypatch):
    recording = RunRecord(tmp_path, CAMVID)
    monkeypatch.setattr(video, 'LEAST_FREE', 1 << 80)
    with pytest.raises(OSError, match='cannot be written: make room on the disk'):
        for index in range(30):
            recording.add_image(index, noise(0))
            recording.add_label(index, ids(3, 360, 480))
            recording.add_mask(index, ids(3, 360, 480), index)
    recording.discard()
    assert not list(tmp_path.iterdir())
