# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run-length encoding of masks."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from std_msgs.msg import Header

from mfs_seg_ros.messages.run_length import decode_runs, encode_runs, run_length_message


def test_runs_are_pairs_of_uint8_and_int32_across_rows():
    mask = np.array([[7, 7, 0], [0, 0, 0], [255, 7, 7]], np.uint8)
    expected = b''.join(struct.pack('=Bi', *run) for run in ((7, 2), (0, 4), (255, 1), (7, 2)))
    assert encode_runs(mask).tobytes() == expected


@given(st.integers(0, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_masks_round_trip(height, width, random):
    mask = np.array([random.choice((0, 1, 255)) for _ in range(height * width)],
                    np.uint8).reshape(height, width)
    assert np.array_equal(decode_runs(encode_runs(mask).tobytes(), height, width), mask)


def test_views_with_other_strides_round_trip():
    mask = np.random.default_rng(1).integers(0, 3, (20, 30), np.uint8)[::2, ::3]
    assert np.array_equal(decode_runs(encode_runs(mask).tobytes(), 10, 10), mask)


@pytest.mark.parametrize('data, sentence', [
    (b'123', '3 bytes are not whole runs of 5 bytes'),
    (struct.pack('=Bi', 1, 5), 'the runs have 5 pixels, but the mask is 3x2'),
    (struct.pack('=BiBi', 1, -1, 1, 7), 'the runs have 6 pixels, but the mask is 3x2'),
])
def test_invalid_runs_are_rejected(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        decode_runs(data, 2, 3)


def test_message_has_the_size_of_the_mask():
    mask = np.repeat(np.array([[1], [4]], np.uint8), 640, 1)
    header = Header(frame_id='front')
    message = run_length_message(mask, header)
    assert (message.height, message.width, message.encoding) == (2, 640, 'mono8')
    assert message.header == header and len(message.data) == 10
    assert np.array_equal(decode_runs(bytes(message.data), 2, 640), mask)
