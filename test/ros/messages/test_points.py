# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images, point clouds and camera_info, and what is refused of them."""

import sys
from array import array

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from support.points import camera_info, cloud_message, depth_message

from mfs_seg_core.images.encoding import MessageError
from mfs_seg_core.points.pinhole import PinholeCamera
from mfs_seg_ros.messages.points import (
    cells_of,
    points_message,
    read_camera,
    read_cloud,
    read_depth,
)

METRES = np.array([[0.5, 1.25, 0], [60, np.nan, 2]], np.float32)
POINTS = np.random.default_rng(0).normal(0, 9, (4, 5, 3)).astype(np.float32)


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 3])
def test_depth(padding, bigendian):
    read = read_depth(depth_message(METRES, '32FC1', padding, bigendian))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, METRES)
    millimetres = np.nan_to_num(1000 * METRES).astype(np.uint16)
    for encoding in ('16UC1', 'mono16'):
        read = read_depth(depth_message(millimetres, encoding, padding, bigendian))
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, np.nan_to_num(METRES), rtol=1e-6)


def depth(**changes) -> Image:
    message = depth_message(METRES, '32FC1')
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize('message, sentence', [
    (depth(encoding='rgb8'), "encoding 'rgb8' is not one of depth: send 16UC1 in millimetres or"),
    (depth(encoding=''), "encoding '' is not one of depth"),
    (depth(width=0), 'the image is empty'),
    (depth(step=8), 'a row of the depth image takes 12 bytes, but its step is 8: set it'),
    (depth(data=array('B', bytes(23))),
     'the depth image has 23 bytes of data, but 2 rows of step 12 take 24: send whole messages'),
    (depth(height=100_000, width=100_000), 'more than 64 million'),
])
def test_unusable_depth(message, sentence):
    with pytest.raises(MessageError, match=sentence):
        read_depth(message)


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('kind', ['f4', 'f8'])
def test_clouds(kind, padding, bigendian):
    read = read_cloud(cloud_message(POINTS, kind, padding, bigendian))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, POINTS)


def test_the_row_of_an_unorganised_cloud_needs_no_step():
    message = cloud_message(POINTS.reshape(1, -1, 3))
    message.row_step = 0
    np.testing.assert_array_equal(read_cloud(message), POINTS.reshape(1, -1, 3))


def test_a_cloud_may_have_no_points():
    assert read_cloud(cloud_message(np.empty((1, 0, 3)))).shape == (1, 0, 3)


def cloud(**changes) -> PointCloud2:
    message = cloud_message(POINTS)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize('message, sentence', [
    (PointCloud2(height=1, width=1), 'the point cloud has no field x of float32 or float64: send'),
    (cloud(fields=cloud().fields[:3]), 'no field z of float32'),
    (cloud(fields=[PointField(name=name, datatype=PointField.INT16, count=1) for name in 'xyz']),
     'no field x of float32'),
    (cloud(point_step=13), 'reach beyond its point_step of 13 bytes: correct their offsets'),
    (cloud(point_step=0), 'reach beyond its point_step of 0 bytes'),
    (cloud(row_step=69), 'a row of the point cloud takes 70 bytes, but its step is 69'),
    (cloud(width=4_000_000_000), 'a row of the point cloud takes 56000000000 bytes'),
    (cloud(data=array('B', bytes(279))), 'has 279 bytes of data, but 4 rows of step 70 take 280'),
])
def test_unusable_clouds(message, sentence):
    with pytest.raises(MessageError, match=sentence):
        read_cloud(message)


def test_the_projection_matrix_counts_before_k():
    info = camera_info(64, 48)
    assert read_camera(info) == PinholeCamera(64, 48, 64.0, 64.0, 32.0, 24.0)
    info.p = [50.0, 0.0, 30.0, 0.0, 0.0, 51.0, 20.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    assert read_camera(info) == PinholeCamera(64, 48, 50.0, 51.0, 30.0, 20.0)


@pytest.mark.parametrize('change', [{'k': [0.0] * 9}, {'k': [float('nan')] * 9}, {'width': 0}])
def test_a_camera_must_be_calibrated(change):
    info = camera_info(64, 48)
    for name, value in change.items():
        setattr(info, name, value)
    with pytest.raises(MessageError, match='calibrate the camera'):
        read_camera(info)
    with pytest.raises(MessageError, match='camera_info has the focal lengths 0 and 0 and the size '
                                           '0x0'):
        read_camera(CameraInfo())


def test_labelled_points_have_the_fields_of_pcl():
    message = points_message(4, 5)
    assert (message.height, message.width, message.is_dense) == (4, 5, False)
    assert message.is_bigendian == (sys.byteorder == 'big')
    assert [(each.name, each.offset, each.datatype, each.count) for each in message.fields] == [
        ('x', 0, 7, 1), ('y', 4, 7, 1), ('z', 8, 7, 1), ('rgb', 12, 7, 1), ('label', 16, 6, 1)]
    cells_of(message)[..., :3] = POINTS
    np.testing.assert_array_equal(read_cloud(message), POINTS)
