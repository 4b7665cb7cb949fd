# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stored values of label files in all forms, and files of other kinds."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from support.own_data import COLOURS, values_of, write_label

from mfs_seg_core.data.folder.label_file import read_label_file
from mfs_seg_core.images.palette_png import SIGNATURE


@pytest.mark.parametrize('form', ['ids', 'palette', 'ids16'])
def test_numbers(tmp_path, form):
    write_label(tmp_path / 'l.png', values_of(0), form)
    assert (read_label_file(tmp_path / 'l.png', coloured=False) == values_of(0)).all()


@pytest.mark.parametrize('form', ['colours', 'palette'])
def test_colours(tmp_path, form):
    write_label(tmp_path / 'l.png', values_of(0), form)
    assert (read_label_file(tmp_path / 'l.png', coloured=True) == COLOURS[values_of(0)]).all()


def test_large_numbers_of_16_bits(tmp_path):
    values = np.array([[0, 26001]], np.uint16)
    cv2.imwrite(str(tmp_path / 'l.png'), values)
    assert read_label_file(tmp_path / 'l.png', coloured=False).tolist() == [[0, 26001]]


def test_three_equal_channels_are_numbers_and_transparency_is_ignored(tmp_path):
    values = values_of(1)
    alpha = np.full_like(values, 7)
    cv2.imwrite(str(tmp_path / 'l.png'), np.dstack([values, values, values, alpha]))
    assert (read_label_file(tmp_path / 'l.png', coloured=False) == values).all()
    assert (read_label_file(tmp_path / 'l.png', coloured=True) == values[..., None]).all()


@pytest.mark.parametrize('kind', [0, 3], ids=['grey', 'palette'])
def test_one_bit_per_pixel_is_0_and_1(tmp_path, kind):
    def chunk(name, content):
        return (struct.pack('>I', len(content)) + name + content
                + struct.pack('>I', zlib.crc32(name + content)))
    (tmp_path / 'l.png').write_bytes(
        SIGNATURE + chunk(b'IHDR', struct.pack('>IIBBBBB', 8, 1, 1, kind, 0, 0, 0))
        + (chunk(b'PLTE', bytes(6)) if kind else b'')
        + chunk(b'IDAT', zlib.compress(bytes([0, 0b01000001]))) + chunk(b'IEND', b''))
    label = read_label_file(tmp_path / 'l.png', coloured=False)
    assert label.tolist() == [[0, 1, 0, 0, 0, 0, 0, 1]]


def test_files_of_other_kinds(tmp_path):
    path = tmp_path / 'l.png'
    write_label(path, values_of(0), 'colours')
    with pytest.raises(ValueError, match='l.png holds colours.*labels: colours'):
        read_label_file(path, coloured=False)
    whole = path.read_bytes()
    for content, message in ((b'', 'is damaged'), (b'text', 'is damaged'),
                             (whole[:len(whole) // 2], 'is damaged'),
                             (cv2.imencode('.jpg', values_of(0))[1].tobytes(), 'is a JPEG')):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f'l.png {message}'):
            read_label_file(path, coloured=True)
    with pytest.raises(ValueError, match=r'no.png cannot be read \(No such file'):
        read_label_file(tmp_path / 'no.png', coloured=True)
    cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint16))
    with pytest.raises(ValueError, match='uint16 values: save colours of 8 bits'):
        read_label_file(path, coloured=True)
    cv2.imwrite(str(tmp_path / 'l.tiff'), np.zeros((4, 4), np.float32))
    with pytest.raises(ValueError, match='float32 values'):
        read_label_file(tmp_path / 'l.tiff', coloured=False)
