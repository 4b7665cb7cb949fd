# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled points: messages and masks of one stamp, in any order, and what is refused."""

from collections import Counter

import numpy as np
import pytest
from support.pipeline import START_NS, KeptLog
from support.points import camera_info, cloud_message, depth_message

from mfs_seg_core.labels import CAMVID
from mfs_seg_ros.diagnostics.drops import (
    POINTS_UNCALIBRATED,
    POINTS_UNMATCHED,
    POINTS_UNUSABLE,
    DropLog,
)
from mfs_seg_ros.diagnostics.health import Health, Limits
from mfs_seg_ros.messages.images import header_of, stamp_ns
from mfs_seg_ros.messages.points import cells_of
from mfs_seg_ros.pipeline.input_queue import GEOMETRIES
from mfs_seg_ros.pipeline.points import MASKS_KEPT, LabelledPoints

WIDTH, HEIGHT = 12, 8
MASK = (np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH) % 12).astype(np.uint8)
INFO = camera_info(WIDTH, HEIGHT, 'camera')


class KeptPoints:
    """A publisher that keeps the stamps and cells of its messages."""

    def __init__(self):
        self.matched_count, self.stamps, self.cells, self.frames = 1, [], [], []

    def publish(self, message) -> None:
        self.stamps.append(stamp_ns(message) - START_NS)
        self.frames.append(message.header.frame_id)
        # A message is used again for the next points.
        self.cells.append(cells_of(message).copy())

    @property
    def labels(self) -> np.ndarray:
        """Labels of the last message."""
        return self.cells[-1].view(np.uint32)[..., 4]


class Labelling:
    """Labelled points, and what they publish, count and log."""

    def __init__(self, kind: str = 'depth'):
        self.published, self.log = KeptPoints(), KeptLog()
        self.health = Health(('image',), 4, Limits(), 0.0)
        self.points = LabelledPoints(self.published, kind, CAMVID,
                                     DropLog(self.log, '', self.health))

    def mask(self, stamp: int, mask: np.ndarray = MASK, frame: str = 'camera') -> None:
        self.points.add_mask(header_of(START_NS + stamp, frame), mask)

    def send(self, *stamps: int, message=None, info=INFO, frame: str = 'camera') -> None:
        messages = []
        for stamp in stamps:
            metres = np.full((HEIGHT, WIDTH), stamp + 1, np.float32)
            messages.append(message or depth_message(metres, '32FC1'))
            messages[-1].header = header_of(START_NS + stamp, frame)
        self.points.receive(messages, info)

    @property
    def counts(self) -> Counter:
        return self.health.totals


def test_messages_of_one_stamp_meet_in_any_order():
    labelling = Labelling()
    labelling.send(1, 2)
    labelling.mask(2)
    labelling.mask(3)
    labelling.mask(1)
    labelling.send(4, 3)
    assert labelling.published.stamps == [2, 1, 3]
    assert labelling.published.frames == ['camera'] * 3
    np.testing.assert_array_equal(labelling.published.labels, MASK)
    assert [cells[0, 0, 2] for cells in labelling.published.cells] == [3, 2, 4]
    assert not labelling.counts and labelling.log.lines == []


def test_a_message_is_used_once():
    labelling = Labelling()
    labelling.send(1)
    labelling.mask(1)
    labelling.mask(1)
    assert labelling.published.stamps == [1]


def test_camera_info_may_come_last():
    labelling = Labelling()
    labelling.send(1, info=None)
    labelling.mask(1)
    assert labelling.published.stamps == []
    labelling.points.receive([], INFO)
    assert labelling.published.stamps == [1]
    # It holds for the next ones.
    labelling.send(2, info=None)
    labelling.mask(2)
    assert labelling.published.stamps == [1, 2]


@pytest.mark.parametrize('info, cause', [(INFO, POINTS_UNMATCHED), (None, POINTS_UNCALIBRATED)])
def test_masks_without_a_message_are_counted(info, cause):
    labelling = Labelling()
    labelling.send(100, info=info)
    for stamp in range(MASKS_KEPT + 3):
        labelling.mask(stamp)
    assert labelling.counts == {cause: 3}
    labelling.points._log.report({})
    unmatched, uncalibrated = (3, 0) if info else (0, 3)
    assert labelling.log.texts('warn') == [
        f'of 0 masks so far, {unmatched} had no depth image or cloud of the same stamp and '
        f'{uncalibrated} no camera_info; 0 depth images or clouds were unusable']


def test_only_the_newest_messages_are_kept():
    labelling = Labelling()
    labelling.send(*range(GEOMETRIES + 1))
    labelling.mask(0)
    assert labelling.published.stamps == []
    labelling.mask(1)
    assert labelling.published.stamps == [1]


def test_nothing_is_kept_without_a_subscriber():
    labelling = Labelling()
    labelling.mask(1)
    labelling.published.matched_count = 0
    for stamp in range(20):
        labelling.mask(stamp)
        labelling.send(stamp)
    labelling.published.matched_count = 1
    labelling.send(1, 19)
    labelling.mask(18)
    assert labelling.published.stamps == [] and not labelling.counts
    labelling.mask(19)
    assert labelling.published.stamps == [19]


def test_points_of_a_cloud():
    labelling = Labelling('cloud')
    # On the pixel of row 2 and column 3 at any distance, behind the camera, and beside the image.
    points = np.array([[(-3 / WIDTH, -2 / WIDTH, 1), (-30 / WIDTH, -20 / WIDTH, 10), (0, 0, -1),
                        (9, 0, 1)]])
    labelling.send(1, message=cloud_message(points))
    labelling.mask(1)
    assert labelling.published.labels.tolist() == [[MASK[2, 3], MASK[2, 3], 255, 255]]
    np.testing.assert_allclose(labelling.published.cells[0][..., :3], points, rtol=1e-6)
    # The next cloud has another size.
    labelling.send(2, message=cloud_message(points[:, :2]))
    labelling.mask(2)
    assert labelling.published.labels.shape == (1, 2)


@pytest.mark.parametrize('kind, changes, sentence', [
    ('depth', {'message': depth_message(np.ones((4, 6), np.float32), '32FC1')},
     'the depth image has 6x4 pixels, the image 12x8: register the depth to the image'),
    ('depth', {'frame': 'depth'},
     "the depth image is in the frame 'depth', the image in 'camera': register the depth to"),
    ('cloud', {'message': cloud_message(np.ones((1, 2, 3))), 'frame': 'lidar'},
     "the point cloud is in the frame 'lidar', the image in 'camera': transform the cloud to"),
    ('depth', {'info': camera_info(WIDTH, HEIGHT, 'depth')},
     "the camera_info is in the frame 'depth', the image in 'camera': send that of the image"),
    ('depth', {'info': camera_info(6, 4, 'camera')},
     'camera_info is of 6x4 pixels, the image has 12x8: send that of the image'),
    ('depth', {'message': depth_message(np.ones((HEIGHT, WIDTH), np.float32), 'rgb8')},
     "encoding 'rgb8' is not one of depth"),
])
def test_what_does_not_fit_is_counted_and_said_once(kind, changes, sentence):
    labelling = Labelling(kind)
    for stamp in (1, 2):
        labelling.send(stamp, **changes)
        labelling.mask(stamp)
    assert labelling.published.stamps == []
    assert labelling.counts == {POINTS_UNUSABLE: 2}
    line, = labelling.log.texts('error')
    assert line.startswith(f'unusable message: {sentence}')
