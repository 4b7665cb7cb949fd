# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image files of all kinds become RGB of 8 bits."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.image_messages import oriented

from mfs_seg_core.images import BitDepth, MessageError, read_image

HEIGHT, WIDTH = 40, 60
RGB = (200, 100, 50)


def picture() -> np.ndarray:
    """Return RGB [H, W, 3]: a colour above, black below."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:HEIGHT // 2] = RGB
    return image


def read(path: Path) -> np.ndarray:
    """Read one image."""
    return read_image(path, BitDepth())


def write(path: Path, image: np.ndarray) -> Path:
    """Write an image, RGB or RGBA or grey."""
    code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if image.ndim == 3:
        image = cv2.cvtColor(image, code[image.shape[2]])
    assert cv2.imwrite(str(path), image)
    return path


@pytest.mark.parametrize('suffix', ['png', 'bmp', 'ppm', 'tif', 'jp2', 'webp', 'jpg'])
def test_formats(tmp_path, suffix):
    found = read(write(tmp_path / f'a.{suffix}', picture()))
    assert found.shape == (HEIGHT, WIDTH, 3) and found.dtype == np.uint8
    assert np.abs(found[2, 2].astype(int) - RGB).max() <= 8 and found[-2].max() <= 8


def test_grey_becomes_three_channels(tmp_path):
    found = read(write(tmp_path / 'a.png', picture()[..., 0]))
    assert found[2, 2].tolist() == [200] * 3


def test_transparency_is_ignored(tmp_path):
    image = np.dstack([picture(), np.zeros((HEIGHT, WIDTH), np.uint8)])
    assert np.array_equal(read(write(tmp_path / 'a.png', image)), picture())


def test_sixteen_bits_become_eight(tmp_path):
    image = picture().astype(np.uint16) * 256
    assert np.abs(read(write(tmp_path / 'a.png', image)).astype(int) - picture()).max() <= 1


def test_twelve_bits_in_use_are_scaled(tmp_path):
    image = picture().astype(np.uint16) * 16
    assert np.abs(read(write(tmp_path / 'a.png', image)).astype(int) - picture()).max() <= 1
    assert np.abs(read(write(tmp_path / 'g.png', image[..., 0]))[2, 2].astype(int) - 200).max() <= 1


def test_cmyk_is_converted(tmp_path):
    pillow = pytest.importorskip('PIL.Image', reason='Pillow is not installed: CMYK was not tested')
    pillow.fromarray(picture()).convert('CMYK').save(tmp_path / 'a.jpg', quality=95)
    found = read(tmp_path / 'a.jpg')
    assert np.abs(found[2, 2].astype(int) - RGB).max() <= 6


@pytest.mark.parametrize('orientation, turned', [
    (1, lambda image: image), (3, lambda image: image[::-1, ::-1]),
    (6, lambda image: np.rot90(image, -1)), (8, np.rot90)])
def test_exif_turns_the_image(tmp_path, orientation, turned):
    path = write(tmp_path / 'a.jpg', picture())
    path.write_bytes(oriented(path.read_bytes(), orientation))
    found = read(path)
    expected = turned(picture())
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() <= 4


@pytest.mark.parametrize('content, sentence', [
    (b'', 'is empty'), (b'no image', 'is damaged, or no image'),
    # A header that announces more pixels than fit into memory.
    (b'\x89PNG\r\n\x1a\n' + struct.pack('>I4sIIBBBBB', 13, b'IHDR', 60_000, 60_000, 8, 2, 0, 0, 0),
     '60000x60000'),
    (None, 'No such file')])
def test_what_cannot_be_read_is_one_clause_with_the_file(tmp_path, content, sentence):
    path = tmp_path / 'a.png'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MessageError, match=sentence) as error:
        read(path)
    assert str(path) in str(error.value)


def test_float_values_are_refused(tmp_path):
    image = cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR).astype(np.float32) / 255
    assert cv2.imwrite(str(tmp_path / 'a.tif'), image)
    with pytest.raises(MessageError, match='a.tif. holds float32 values: convert it'):
        read(tmp_path / 'a.tif')
