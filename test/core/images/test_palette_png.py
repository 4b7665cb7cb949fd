# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Indices of PNG files with a palette: encoded, shown in colours, and read again."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from mfs_seg_core.images.palette_png import SIGNATURE, as_grey, indexed_png, stored_depth

PALETTE = np.array([[0, 0, 0], [250, 10, 20], [0, 0, 0]], np.uint8)


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_indices_survive_a_palette_with_equal_colours():
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4) % 3
    data = indexed_png(indices, PALETTE)
    assert (decoded(data)[..., ::-1] == PALETTE[indices]).all()
    assert (decoded(as_grey(data)) == indices).all()
    assert stored_depth(data) == 8


def test_indices_beyond_the_palette_are_black():
    indices = np.array([[1, 255]], np.uint8)
    data = indexed_png(indices, PALETTE)
    assert decoded(data).tolist() == [[[20, 10, 250], [0, 0, 0]]]
    assert (decoded(as_grey(data)) == indices).all()


@pytest.mark.parametrize('image', [np.zeros((2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)])
def test_other_files_are_not_changed(image):
    for suffix in ('.png', '.jpg'):
        data = cv2.imencode(suffix, image)[1].tobytes()
        assert as_grey(data) == data
    assert as_grey(b'') == b'' and stored_depth(SIGNATURE) == 0


def test_a_palette_file_of_another_encoder():
    """With transparency, which a grey file must not have in this form, and 2 bits per pixel."""
    def chunk(name, content):
        return (struct.pack('>I', len(content)) + name + content
                + struct.pack('>I', zlib.crc32(name + content)))
    # Two rows of four pixels, each after the number of its filter.
    rows = bytes([0, 0b00011011, 0, 0b11100100])
    data = (SIGNATURE + chunk(b'IHDR', struct.pack('>IIBBBBB', 4, 2, 2, 3, 0, 0, 0))
            + chunk(b'PLTE', bytes(12)) + chunk(b'tRNS', bytes(4))
            + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
    assert stored_depth(data) == 2
    assert (decoded(as_grey(data)) // 85).tolist() == [[0, 1, 2, 3], [3, 2, 1, 0]]
