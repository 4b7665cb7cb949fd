# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages made of arrays; conversion by cv_bridge where it is installed, else by OpenCV."""

from array import array

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionClass

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.images import to_rgb
from mfs_seg_core.images.conversion import convert_by_opencv
from mfs_seg_core.images.encoding import LAYOUTS
from mfs_seg_core.labels import CAMVID, ClassSet, default_colour
from mfs_seg_ros.messages import images as messages
from mfs_seg_ros.messages.images import class_set, image_message, label_info_message

# 4 rows of 6 pixels: every pixel and every channel differs.
RGB = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3
GREY = RGB[..., 0]


@pytest.mark.parametrize('pixels, encoding', [(GREY, 'mono8'), (RGB, 'rgb8')])
def test_array_to_message(pixels, encoding):
    header = Header(frame_id='front')
    header.stamp.sec, header.stamp.nanosec = 7, 8
    image = image_message(pixels, encoding, header)
    assert image.header == header
    assert (image.height, image.width) == pixels.shape[:2]
    assert image.step == image.width * (3 if encoding == 'rgb8' else 1)
    assert image.encoding == encoding
    assert image.is_bigendian == 0
    assert isinstance(image.data, array) and image.data.typecode == 'B'
    assert image.data.tobytes() == pixels.tobytes()


def test_array_of_other_strides_to_message():
    flipped = RGB[:, ::-1, ::-1]
    np.testing.assert_array_equal(to_rgb(image_message(flipped, 'rgb8', Header())), flipped)


def test_label_info_names_every_class():
    header = Header(frame_id='front')
    info = label_info_message(CAMVID, header)
    assert info.header == header
    assert info.threshold == 0.0
    found = {item.class_id: item.class_name for item in info.class_map}
    assert found == {**dict(enumerate(CAMVID.names)), 255: 'unlabelled'}


def test_classes_of_a_label_info():
    info = label_info_message(CAMVID, Header())
    assert class_set(info) is CAMVID
    groups = load_groups('drivable', CAMVID).classes
    shown = class_set(label_info_message(groups, Header()))
    assert shown.names == groups.names and shown.palette.tolist() == groups.palette.tolist()
    grouped = ClassSet('groups', ('drivable', 'other'), np.zeros((2, 3), np.uint8))
    found = class_set(label_info_message(grouped, Header()))
    assert found.names == ('drivable', 'other')
    # The message has no colours.
    assert found.palette.tolist() == [list(default_colour(0)), list(default_colour(1))]
    assert len(class_set(LabelInfo())) == 0 and class_set(LabelInfo()).palette.shape == (0, 3)
    gap = LabelInfo(class_map=[VisionClass(class_id=1, class_name='second')])
    assert class_set(gap).names == ('0', 'second')


@pytest.mark.parametrize('encoding', LAYOUTS)
def test_cv_bridge_gives_the_pixels_of_opencv(encoding):
    try:
        by_cv_bridge = messages.cv_bridge_converter()
    except ImportError:
        pytest.skip('cv_bridge is not installed: its conversion was not tested')
    layout = LAYOUTS[encoding]
    pixels = np.random.default_rng(0).integers(0, 256, layout.size(12 * layout.pixel, 8), np.uint8)
    image = Image(height=8, width=12, encoding=encoding, step=12 * layout.pixel,
                  data=array('B', pixels.tobytes()))
    found = to_rgb(image, convert=by_cv_bridge)
    np.testing.assert_allclose(found.astype(int), to_rgb(image), atol=1)


@pytest.fixture
def uncached_converter():
    """Clear the cached converter before and after a test."""
    messages.converter.cache_clear()
    yield
    messages.converter.cache_clear()


def test_cv_bridge_is_preferred(uncached_converter, monkeypatch):
    monkeypatch.setattr(messages, 'cv_bridge_converter', lambda: 'cv_bridge')
    assert messages.converter() == 'cv_bridge'


@pytest.mark.parametrize('error', [ImportError, SystemError])
def test_opencv_replaces_a_missing_or_broken_cv_bridge(error, uncached_converter, monkeypatch):
    def broken():
        raise error

    monkeypatch.setattr(messages, 'cv_bridge_converter', broken)
    assert messages.converter() is convert_by_opencv
    image = Image(height=4, width=6, encoding='rgb8', step=18, data=array('B', RGB.tobytes()))
    np.testing.assert_array_equal(to_rgb(image, convert=messages.converter()), RGB)
