# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images, point clouds and camera_info as arrays; messages of labelled points."""

from __future__ import annotations

import sys
from array import array

import numpy as np
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField

from mfs_seg_core.images.encoding import MessageError, check_pixels
from mfs_seg_core.points.cells import FIELDS
from mfs_seg_core.points.pinhole import PinholeCamera
from mfs_seg_core.util.text import printable

# Samples of depth images by encoding in small letters: type, and metres of one unit (REP 118).
DEPTHS = {'16uc1': ('u2', 0.001), 'mono16': ('u2', 0.001), '32fc1': ('f4', 1.0)}
FLOATS = {PointField.FLOAT32: 'f4', PointField.FLOAT64: 'f8'}
TYPES = {name: PointField.FLOAT32 for name in ('x', 'y', 'z', 'rgb')} | {
    'label': PointField.UINT32}
CELL_FIELDS = [PointField(name=name, offset=4 * place, datatype=TYPES[name], count=1)
               for place, name in enumerate(FIELDS)]


def read_depth(message: Image) -> np.ndarray:
    """
    Return a depth image in metres.

    :param message: Image of encoding 16UC1 or mono16, in millimetres, or 32FC1, in metres.
    :returns: float32 [H, W]; 0, negative or not finite where there is no depth.
    :raises MessageError: the encoding is another, or the fields contradict each other.
    """
    height, width = message.height, message.width
    try:
        kind, unit_m = DEPTHS[message.encoding.strip().lower()]
    except KeyError:
        raise MessageError(f"encoding '{printable(message.encoding)}' is not one of depth: send "
                           '16UC1 in millimetres or 32FC1 in metres') from None
    check_pixels(width, height)
    sample = np.dtype(_order(message.is_bigendian) + kind)
    _check_data('depth image', message.data, height, message.step, width * sample.itemsize)
    samples = np.ndarray((height, width), sample, message.data,
                         strides=(message.step, sample.itemsize))
    return (samples.astype(np.float32) if unit_m == 1 else
            np.multiply(samples, np.float32(unit_m), dtype=np.float32))


def read_cloud(message: PointCloud2) -> np.ndarray:
    """
    Return the points of a cloud.

    :param message: cloud with the fields x, y and z, of float32 or float64.
    :returns: float32 [H, W, 3]; H is 1 in an unorganised cloud.
    :raises MessageError: a field is missing or of another type, or the fields contradict each
        other.
    """
    height, width = message.height, message.width
    fields = {field.name: field for field in message.fields}
    for name in 'xyz':
        if name not in fields or fields[name].datatype not in FLOATS:
            raise MessageError(f'the point cloud has no field {name} of float32 or float64: send '
                               'the fields x, y and z')
    if not height or not width:
        return np.empty((height, width, 3), np.float32)
    order = _order(message.is_bigendian)
    try:
        cell = np.dtype({'names': list('xyz'), 'itemsize': message.point_step,
                         'formats': [order + FLOATS[fields[name].datatype] for name in 'xyz'],
                         'offsets': [fields[name].offset for name in 'xyz']})
    except ValueError:
        raise MessageError(f'the fields x, y and z of the point cloud reach beyond its point_step '
                           f'of {message.point_step} bytes: correct their offsets') from None
    row = width * message.point_step
    step = message.row_step if height > 1 else row
    _check_data('point cloud', message.data, height, step, row)
    cells = np.ndarray((height, width), cell, message.data, strides=(step, message.point_step))
    points = np.empty((height, width, 3), np.float32)
    for axis, name in enumerate('xyz'):
        points[..., axis] = cells[name]
    return points


def read_camera(message: CameraInfo) -> PinholeCamera:
    """
    Return the camera of rectified images.

    :param message: camera_info; its projection matrix counts, or where that is zero, its K.
    :returns: the camera.
    :raises MessageError: the camera is not calibrated.
    """
    matrix = np.reshape(message.p, (3, 4))
    if not matrix[0, 0]:
        matrix = np.reshape(message.k, (3, 3))
    fx, fy = matrix[0, 0], matrix[1, 1]
    if not (np.isfinite(matrix).all() and fx > 0 and fy > 0 and message.width and message.height):
        raise MessageError(f'camera_info has the focal lengths {fx:g} and {fy:g} and the size '
                           f'{message.width}x{message.height}: calibrate the camera')
    return PinholeCamera(message.width, message.height, float(fx), float(fy),
                         float(matrix[0, 2]), float(matrix[1, 2]))


def points_message(height: int, width: int) -> PointCloud2:
    """
    Return a message for labelled points, all zero; :func:`cells_of` are to be written.

    :param height: rows of points.
    :param width: points of a row.
    :returns: message without a header.
    """
    step = 4 * len(FIELDS)
    # rclpy copies any type other than array.array element by element.
    return PointCloud2(height=height, width=width, fields=CELL_FIELDS,
                       is_bigendian=sys.byteorder == 'big', point_step=step,
                       row_step=step * width, data=array('B', [0]) * (step * width * height),
                       is_dense=False)


def cells_of(message: PointCloud2) -> np.ndarray:
    """
    Return the cells of a message of labelled points.

    :param message: message of :func:`points_message`.
    :returns: float32 [H, W, 5] in the memory of the message, for
        :func:`mfs_seg_core.points.cells.write_depth`.
    """
    return np.frombuffer(message.data, np.float32).reshape(
        message.height, message.width, len(FIELDS))


def _order(is_bigendian: int) -> str:
    return '>' if is_bigendian else '<'


def _check_data(what: str, data: array, height: int, step: int, row: int) -> None:
    """Raise MessageError unless the data hold all rows of ``row`` bytes, ``step`` bytes apart."""
    if step < row:
        raise MessageError(f'a row of the {what} takes {row} bytes, but its step is {step}: set it '
                           'to the bytes of a row with its padding')
    # Padding may be missing after the last row.
    if len(data) < step * (height - 1) + row:
        raise MessageError(f'the {what} has {len(data)} bytes of data, but {height} rows of step '
                           f'{step} take {step * height}: send whole messages')
