# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled points of the segmenter as a real process."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from support.camera import MODULE, QUICK, Camera, coarse_image
from support.points import camera_info, depth_message

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.labels import CAMVID, UNLABELLED
from mfs_seg_ros.diagnostics.drops import POINTS_UNMATCHED, POINTS_UNUSABLE
from mfs_seg_ros.messages.points import cells_of

QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
DEPTH = np.full((32, 48), 2000, np.uint16)


class DepthCamera(Camera):
    """A camera with depth, which keeps the last points."""

    def __init__(self):
        super().__init__()
        self.depth = self.node.create_publisher(Image, f'{self.name}/depth', QOS)
        self.info = self.node.create_publisher(CameraInfo, f'{self.name}/camera_info', QOS)
        self.points: PointCloud2 | None = None
        self.node.create_subscription(PointCloud2, f'{self.name}/points', self._keep, 5)
        self.values: dict[str, str] = {}
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_report, 10)

    def ask_with_depth(self, shown: np.ndarray, depth: Image) -> dict[str, np.ndarray]:
        """Publish camera_info, an image and, after its mask, a depth image of its stamp."""
        self.info.publish(camera_info(48, 32))
        answer = self.ask(shown)
        depth.header = self.answers['mask'].header
        self.depth.publish(depth)
        return answer

    def answered(self) -> bool:
        """Return whether the last points are those of the last mask."""
        return self.points is not None and self.points.header == self.answers['mask'].header

    def count(self, cause: str) -> int:
        """Return a count of the last diagnostics."""
        return int(self.values.get(f'lost: {cause}', 0))

    def _keep(self, message: PointCloud2) -> None:
        self.points = message

    def _on_report(self, array: DiagnosticArray) -> None:
        for status in array.status:
            if status.name == 'mfs_seg: camera':
                self.values = {pair.key: pair.value for pair in status.values}


@pytest.fixture(scope='module')
def camera(children):
    """Start a segmenter with labelled points of depth images; yield its camera."""
    children.start('segmenter', MODULE,
                   {**QUICK, 'sensors': 'camera', 'points': 'depth', 'report_period': 0.5,
                    'class_groups': 'drivable', 'min_confidence': 0.4})
    with DepthCamera().connected() as camera:
        def points_arrive() -> bool:
            camera.ask_with_depth(coarse_image(1), depth_message(DEPTH, '16UC1'))
            return camera.points is not None

        camera.wait(points_arrive, 'the first points')
        yield camera


def test_points_have_the_labels_of_the_mask(camera):
    answer = camera.ask_with_depth(coarse_image(2), depth_message(DEPTH, '16UC1'))
    camera.wait(camera.answered, 'the points')
    cells = cells_of(camera.points)
    np.testing.assert_array_equal(cells.view(np.uint32)[..., 4], answer['mask'])
    groups = load_groups('drivable', CAMVID).classes
    ids = set(np.unique(answer['mask']))
    assert UNLABELLED in ids and len(ids) > 2 and ids <= {*range(len(groups)), UNLABELLED}
    colours = np.ascontiguousarray(cells[..., 3]).view(np.uint8).reshape(32, 48, 4)[..., 2::-1]
    known = answer['mask'] != UNLABELLED
    np.testing.assert_array_equal(colours[known], groups.palette[answer['mask'][known]])
    np.testing.assert_allclose(cells[..., 2], 2, rtol=1e-6)
    np.testing.assert_allclose(cells[16, :, 0], 2 * (np.arange(48) - 24) / 48, rtol=1e-6)


def test_unusable_and_missing_depth_is_counted_and_said(camera, children):
    before = camera.count(POINTS_UNUSABLE)
    camera.ask_with_depth(coarse_image(3), depth_message(DEPTH[::2, ::2], '16UC1'))
    sentence = 'the depth image has 24x16 pixels, the image 48x32: register the depth'
    camera.wait(lambda: children.last_match('segmenter', sentence), 'the log line')
    camera.wait(lambda: camera.count(POINTS_UNUSABLE) == before + 1, 'its count')
    before = camera.count(POINTS_UNMATCHED)
    for seed in range(10):
        camera.ask(coarse_image(seed))
    camera.wait(lambda: camera.count(POINTS_UNMATCHED) > before, 'the masks without depth')
    camera.wait(lambda: children.last_match(
        'segmenter', r'[1-9]\d* had no depth image or cloud of the same stamp'), 'the report')
