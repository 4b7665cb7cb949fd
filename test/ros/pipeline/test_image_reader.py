# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of all kinds on their way to a step, and what is said about them."""

from array import array

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from support.camera import coarse_image
from support.pipeline import SETTINGS, START_NS, CameraPath

from mfs_seg_ros.diagnostics.drops import IMAGES_UNUSABLE
from mfs_seg_ros.diagnostics.health import Level
from mfs_seg_ros.messages.images import header_of, image_message

# Coarse, so that the colours of a mosaic can be told from one another.
RGB = coarse_image(3, 96, 64)
GREY = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)


def wide(factor: int):
    """Return a mono16 image of these grey values times a factor."""
    message = image_message((GREY * np.uint16(factor)).view(np.uint8), 'mono16', Header())
    message.width = GREY.shape[1]
    return message


def compressed(pixels: np.ndarray, form: str, extension: str = '.png') -> CompressedImage:
    data = array('B', cv2.imencode(extension, pixels)[1].tobytes())
    return CompressedImage(format=form, data=data)


def mosaic() -> np.ndarray:
    samples = np.empty(GREY.shape, np.uint8)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        samples[row::2, column::2] = RGB[row::2, column::2, channel]
    return samples


def step_of(path: CameraPath, message, ms: int = 0):
    """Return the step of an image; None: it gave none."""
    message.header = header_of(START_NS + ms * 1_000_000, '')
    path.queue.put_image(message)
    path.stream.receiver.receive(SETTINGS)
    return path.stream.receiver.next_step()


def test_mono16_of_12_bits():
    path = CameraPath()
    for ms in (0, 50):
        step = step_of(path, wide(16), ms)
        np.testing.assert_allclose(step.image.astype(int), np.dstack([GREY] * 3), atol=1)
        assert step.encoding == 'mono16'
    assert path.log.texts('info') == [
        "images of encoding 'mono16' use 12 bits, and are scaled by them; bit_depth can fix the "
        'number']
    path.health.answered(0.0, 0.01, 0.01, 1.0)
    level, _, values = path.health.report(0.5)
    assert level == Level.OK and values['image encoding'] == 'mono16, 12 bits in use'


def test_a_given_depth_that_is_too_small_is_a_warning():
    path = CameraPath(bit_depth=10)
    assert (step_of(path, wide(257)).image == 255).mean() > 0.9
    path.health.answered(0.0, 0.01, 0.01, 1.0)
    level, message, values = path.health.report(0.5)
    assert level == Level.WARN and 'more than the 10 bits of bit_depth' in message
    assert values['image encoding'] == 'mono16, 10 bits in use'
    assert path.log.texts('info') == [message]


def test_depth_is_that_of_each_camera():
    paths = CameraPath(), CameraPath()
    for path, factor in zip(paths, (16, 257)):
        step = step_of(path, wide(factor))
        np.testing.assert_allclose(step.image[..., 0].astype(int), GREY, atol=1)


@pytest.mark.parametrize('extension', ['.png', '.jpg'])
def test_compressed_mosaic_has_its_colours(extension):
    path = CameraPath()
    image = step_of(path, compressed(mosaic(), 'bayer_rggb8; jpeg compressed ', extension)).image
    centres = image[8::16, 8::16], RGB[8::16, 8::16]
    np.testing.assert_allclose(*(part.astype(int) for part in centres), atol=20)


def test_depth_images_are_refused():
    path = CameraPath()
    for form in ('16UC1; compressedDepth png', '16UC1; png compressed '):
        assert step_of(path, compressed(GREY, form)) is None
    assert path.health.totals[IMAGES_UNUSABLE] == 2
    assert all('is that of depth' in text for text in path.log.texts('error'))


def test_how_unclear_encodings_are_read_is_logged_once():
    path = CameraPath()
    message = image_message(RGB[..., ::-1].copy(), 'rgb8', Header())
    message.encoding = '8UC3'
    for ms in (0, 50):
        np.testing.assert_array_equal(step_of(path, message, ms).image, RGB)
    assert path.log.texts('info') == [
        "encoding '8UC3' names no colours: the images are read as 'bgr8'"]
