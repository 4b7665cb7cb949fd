# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CamVid, on small generated trees and on the real data set where present."""


import cv2
import numpy as np
import pytest
from support.camvid_tree import write_camvid
from support.paths import SHARED_DATA

from mfs_seg_core.data.camvid import CamVid

REAL = SHARED_DATA / 'camvid/480x360'


@pytest.mark.parametrize('suffix', ['png', 'jpg'])
@pytest.mark.parametrize('prefix', ['', '/SegNet/CamVid/'])
def test_items(tmp_path, suffix, prefix):
    frames = CamVid(write_camvid(tmp_path, 'val', 3, suffix=suffix, prefix=prefix), 'val')
    assert len(frames) == 3
    image, label, name = frames[1]
    assert image.shape == (48, 64, 3) and image.dtype == np.uint8
    assert label.shape == (48, 64) and set(np.unique(label)) == {0, 3, 255}
    assert name == '0001TP_00001'
    # RGB, not BGR: the sky is blue.
    assert (image[0, 0, 2] > image[0, 0, 0]).all()


def test_resized_labels_hold_no_new_class(tmp_path):
    frames = CamVid(write_camvid(tmp_path, 'val', 1), 'val', size=(37, 29))
    image, label, _ = frames[0]
    assert image.shape == (29, 37, 3) and set(np.unique(label)) <= {0, 3, 255}


def test_missing_list(tmp_path):
    with pytest.raises(ValueError, match='train.txt is missing'):
        CamVid(tmp_path, 'train')


def test_missing_file(tmp_path):
    write_camvid(tmp_path, 'val', 2)
    (tmp_path / 'valannot' / '0001TP_00001.png').unlink()
    with pytest.raises(ValueError, match='0001TP_00001.png is missing'):
        CamVid(tmp_path, 'val')


@pytest.mark.parametrize('text, message', [
    ('', 'is empty'), ('# a comment', 'is empty'), ('only_one.png', 'an existing image and')])
def test_bad_list(tmp_path, text, message):
    (tmp_path / 'val.txt').write_text(text)
    with pytest.raises(ValueError, match=message):
        CamVid(tmp_path, 'val')


def test_void_is_11_or_255(tmp_path):
    write_camvid(tmp_path, 'val', 1)
    label = np.full((48, 64), 3, np.uint8)
    label[0], label[1] = 11, 255
    cv2.imwrite(str(tmp_path / 'valannot' / '0001TP_00000.png'), label)
    found = CamVid(tmp_path, 'val')[0][1]
    assert (found[:2] == 255).all() and (found[2:] == 3).all()


@pytest.mark.parametrize('label, message', [
    (np.full((48, 64), 254, np.uint8), 'class id 254: expected 0..11, or 255 for void'),
    (np.full((48, 64), 3, np.uint16), 'uint16 values'),
    (np.full((48, 64), 12, np.uint8), 'class id 12'), (np.zeros((40, 64), np.uint8), '40, 64'),
    (np.zeros((48, 64, 3), np.uint8), 'one channel')])
def test_bad_label(tmp_path, label, message):
    write_camvid(tmp_path, 'val', 1)
    cv2.imwrite(str(tmp_path / 'valannot' / '0001TP_00000.png'), label)
    with pytest.raises(ValueError, match=message):
        CamVid(tmp_path, 'val')[0]


def test_broken_image(tmp_path):
    write_camvid(tmp_path, 'val', 1)
    (tmp_path / 'val' / '0001TP_00000.png').write_bytes(b'no image')
    with pytest.raises(ValueError, match='0001TP_00000.png. is damaged'):
        CamVid(tmp_path, 'val')[0]


@pytest.mark.skipif(not REAL.is_dir(), reason=f'no CamVid in {REAL}')
def test_real():
    train, val = CamVid(REAL, 'train'), CamVid(REAL, 'val')
    assert (len(train), len(val)) == (367, 101)
    image, label, _ = val[100]
    assert image.shape == (360, 480, 3) and set(np.unique(label)) <= {*range(11), 255}
