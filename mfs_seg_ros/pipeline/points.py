# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled points: depth images or point clouds with the masks of their stamps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo, PointCloud2
from std_msgs.msg import Header

from mfs_seg_core.images.encoding import MessageError
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.points.cells import packed_colours, write_cloud, write_depth
from mfs_seg_core.points.pinhole import PinholeCamera
from mfs_seg_core.util.text import printable
from mfs_seg_ros.diagnostics.drops import (
    POINTS_UNCALIBRATED,
    POINTS_UNMATCHED,
    POINTS_UNUSABLE,
    DropLog,
)
from mfs_seg_ros.diagnostics.qos_check import CheckedPublisher
from mfs_seg_ros.messages.images import stamp_ns
from mfs_seg_ros.messages.points import (
    cells_of,
    points_message,
    read_camera,
    read_cloud,
    read_depth,
)
from mfs_seg_ros.pipeline.input_queue import GEOMETRIES

# Masks that wait for a depth image or cloud of their stamp.
MASKS_KEPT = 8
# Names of the messages, for people.
NAMES = {'depth': 'depth image', 'cloud': 'point cloud'}


class LabelledPoints:
    """
    Publishes the points of depth images or clouds, once there is a mask of the same stamp.

    While there is no subscriber, nothing is kept. All methods are called by the worker's thread.

    :param publisher: publisher of the points.
    :param kind: 'depth' or 'cloud'.
    :param classes: classes of the masks.
    :param log: counts and logs masks without points.
    """

    def __init__(self, publisher: CheckedPublisher, kind: str, classes: ClassSet, log: DropLog
                 ) -> None:
        self._publisher, self._kind, self._log = publisher, kind, log
        self._colours = packed_colours(classes)
        # By stamp in nanoseconds, in the order of their arrival.
        self._masks: dict[int, tuple[Header, np.ndarray]] = {}
        self._geometries: dict[int, Any] = {}
        self._camera_info: CameraInfo | None = None
        # Used again: to fill fresh memory takes longer than to compute the points.
        self._message = points_message(0, 0)

    def receive(self, geometries: Sequence[Any], camera_info: CameraInfo | None) -> None:
        """
        Take messages, and publish the points of masks that waited for them.

        :param geometries: Image messages of depth, or PointCloud2.
        :param camera_info: the newest one; None: no new one.
        """
        self._camera_info = camera_info or self._camera_info
        if not self._is_subscribed():
            return
        for message in geometries:
            self._geometries[stamp_ns(message)] = message
        for stamp in list(self._masks):
            self._match(stamp)
        while len(self._geometries) > GEOMETRIES:
            del self._geometries[next(iter(self._geometries))]

    def add_mask(self, header: Header, mask: np.ndarray) -> None:
        """
        Publish the points of a mask, now or when the message with their geometry arrives.

        :param header: header of the image.
        :param mask: uint8 [H, W], as published.
        """
        if not self._is_subscribed():
            return
        stamp = header.stamp.sec * 1_000_000_000 + header.stamp.nanosec
        self._masks[stamp] = header, mask
        self._match(stamp)
        while len(self._masks) > MASKS_KEPT:
            del self._masks[next(iter(self._masks))]
            self._log.count(POINTS_UNMATCHED if self._camera_info else POINTS_UNCALIBRATED)

    def _is_subscribed(self) -> bool:
        if self._publisher.matched_count:
            return True
        self._masks.clear()
        self._geometries.clear()
        return False

    def _match(self, stamp: int) -> None:
        """Publish the points of a stamp if all their messages have arrived."""
        if self._camera_info is None or stamp not in self._geometries:
            return
        message, (header, mask) = self._geometries.pop(stamp), self._masks.pop(stamp)
        try:
            camera = self._camera(header, mask)
            self._check_frame(NAMES[self._kind], message, header)
            if self._kind == 'depth':
                depth = self._depth(message, mask)
                points = self._sized(*depth.shape)
                write_depth(cells_of(points), depth, mask, camera, self._colours)
            else:
                cloud = read_cloud(message)
                points = self._sized(*cloud.shape[:2])
                write_cloud(cells_of(points), cloud, mask, camera, self._colours)
        except MessageError as error:
            self._log.unusable(POINTS_UNUSABLE, str(error))
            return
        points.header = message.header
        self._publisher.publish(points)

    def _camera(self, header: Header, mask: np.ndarray) -> PinholeCamera:
        self._check_frame('camera_info', self._camera_info, header)
        camera = read_camera(self._camera_info)
        if (camera.height, camera.width) != mask.shape:
            raise MessageError(
                f'camera_info is of {camera.width}x{camera.height} pixels, the image has '
                f'{mask.shape[1]}x{mask.shape[0]}: send that of the image')
        return camera

    def _sized(self, height: int, width: int) -> PointCloud2:
        if (self._message.height, self._message.width) != (height, width):
            self._message = points_message(height, width)
        return self._message

    def _depth(self, message: Any, mask: np.ndarray) -> np.ndarray:
        depth = read_depth(message)
        if depth.shape != mask.shape:
            raise MessageError(
                f'the depth image has {depth.shape[1]}x{depth.shape[0]} pixels, the image '
                f'{mask.shape[1]}x{mask.shape[0]}: register the depth to the image')
        return depth

    def _check_frame(self, name: str, message: Any, header: Header) -> None:
        frame = message.header.frame_id
        if frame != header.frame_id:
            remedy = ('send that of the image' if name == 'camera_info' else
                      'register the depth to the image' if self._kind == 'depth' else
                      "transform the cloud to the image's frame")
            raise MessageError(f"the {name} is in the frame '{printable(frame)}', the image in "
                               f"'{printable(header.frame_id)}': {remedy}")
