# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages as drivers send them, segmented by the node: real processes, real ROS 2."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CompressedImage, Image
from support.camera import MODULE, Camera

from mfs_seg_core.data.street import Street
from mfs_seg_ros.diagnostics.drops import IMAGES_LATE, IMAGES_MISSING, IMAGES_UNUSABLE
from mfs_seg_ros.messages.images import image_message

RGB = Street(3, 160, 120, 20.0).frame(0.0).image
GREY = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
PERIOD_NS = 33_333_333


class Watched(Camera):
    """A camera that keeps the status of its segmenter."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.values: dict[str, str] = {}
        self.reports = 0
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_report, 10)

    def _on_report(self, array: DiagnosticArray) -> None:
        for status in array.status:
            if status.name == 'case/mfs_seg: camera':
                self.values = {pair.key: pair.value for pair in status.values}
                self.reports += 1

    def counts(self) -> dict[str, int]:
        """Return the counts of a report that was made after this call."""
        before = self.reports
        self.wait(lambda: self.reports > before + 1, 'a report')
        return {key: int(value) for key, value in self.values.items() if value.isdecimal()}


@pytest.fixture(scope='module')
def camera(children):
    children.start('case', MODULE, {'weights': 'street', 'input_width': 160, 'input_height': 120,
                                    'threads': 1}, {'__ns': '/case'})
    watched = Watched('/case/mfs_seg')
    with watched.connected():
        yield watched


def mosaic(rgb: np.ndarray) -> np.ndarray:
    """Return the samples of a sensor with the pattern rggb."""
    samples = rgb[..., 1].copy()
    samples[0::2, 0::2], samples[1::2, 1::2] = rgb[0::2, 0::2, 0], rgb[1::2, 1::2, 2]
    return samples


def message(pixels: np.ndarray, encoding: str) -> Image:
    """Return an Image of samples of 8 or 16 bits."""
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1).view(np.uint8)
    built = image_message(rows, 'mono8', Image().header)
    height = pixels.shape[0] * 2 // 3 if encoding in ('nv12', 'nv21', 'yuv420') else len(pixels)
    built.encoding, built.height, built.width = encoding, height, pixels.shape[1]
    return built


def packed(pixels: np.ndarray, extension: str, form: str) -> CompressedImage:
    """Return a CompressedImage of samples that are stored as they are."""
    return CompressedImage(format=form, data=cv2.imencode(extension, pixels)[1].tobytes())


def nv12(rgb: np.ndarray) -> np.ndarray:
    """Return the planes of NV12."""
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    height, width = rgb.shape[:2]
    chroma = planes[height:].reshape(2, -1)
    return np.vstack([planes[:height], chroma.T.reshape(height // 2, width)])


# Message, the picture that it shows, and the least share of pixels with the same class: a level of
# grey more or less changes a few.
KINDS = {
    # The number of bits is kept: it only grows, within one encoding.
    'mono16_10bit': (lambda: message(GREY.astype(np.uint16) * 4, 'mono16'), GREY, 0.9),
    'mono16_12bit': (lambda: message(GREY.astype(np.uint16) * 16, 'mono16'), GREY, 0.9),
    'mono16_left_justified': (lambda: message(GREY.astype(np.uint16) << 8, 'mono16'), GREY, 0.9),
    'bayer_16_12bit': (lambda: message(mosaic(RGB).astype(np.uint16) * 16, 'bayer_rggb16'), RGB,
                       0.9),
    'png_16_12bit': (lambda: packed(GREY.astype(np.uint16) * 16, '.png',
                                    'mono16; png compressed '), GREY, 0.9),
    'bayer_jpeg': (lambda: packed(mosaic(RGB), '.jpg', 'bayer_rggb8; jpeg compressed '), RGB, 0.85),
    'rgb8_jpeg': (lambda: packed(RGB[..., ::-1], '.jpg', 'rgb8; jpeg compressed bgr8'), RGB, 0.9),
    'rgb8_png': (lambda: packed(RGB[..., ::-1], '.png', 'rgb8; png compressed bgr8'), RGB, 1.0),
    '8UC1': (lambda: message(GREY, '8UC1'), GREY, 1.0),
    '8UC3': (lambda: message(RGB[..., ::-1], '8UC3'), RGB, 1.0),
    'nv12': (lambda: message(nv12(RGB), 'nv12'), RGB, 0.9),
}


@pytest.mark.parametrize('name', KINDS)
def test_image(camera, name):
    build, picture, share = KINDS[name]
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, 2)
    camera.reset()
    expected = camera.ask(picture)['mask']
    assert len(np.unique(expected)) > 3, 'a picture with several classes'
    camera.reset()
    found = camera.ask(build())['mask']
    assert (found == expected).mean() >= share


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
def test_depth_is_refused(camera, encoding):
    before = camera.counts()[f'lost: {IMAGES_UNUSABLE}']
    samples = np.full((120, 160), 900, np.uint16 if encoding == '16UC1' else np.float32)
    camera.send(message(samples, encoding))
    camera.wait(lambda: int(camera.values[f'lost: {IMAGES_UNUSABLE}']) == before + 1, 'its count')


def test_jitter_is_no_loss(camera):
    before = camera.counts()
    times = np.sort(np.arange(90) * PERIOD_NS
                    + np.random.default_rng(0).normal(0, 10e6, 90).astype(np.int64))
    for step_ns in np.maximum(np.diff(times), 1).tolist():
        camera.ask(RGB, step_ns, wait_for=('mask',))
    after = camera.counts()
    assert after[f'lost: {IMAGES_MISSING}'] == before[f'lost: {IMAGES_MISSING}']


def test_swapped_frames_do_not_reset(camera):
    camera.ask(RGB, PERIOD_NS)
    before = camera.counts()
    for _ in range(20):
        camera.ask(RGB, 2 * PERIOD_NS, wait_for=('mask',))
        # It was recorded before the last one, and has no mask.
        camera.send(message(RGB, 'rgb8'), -PERIOD_NS)
        camera.stamp_ns += PERIOD_NS
    camera.ask(RGB, 2 * PERIOD_NS)
    after = camera.counts()
    changed = {key: after[key] - before.get(key, 0) for key in after}
    assert not any(count for key, count in changed.items() if key.startswith('resets'))
    assert changed[f'lost: {IMAGES_LATE}'] == 20
