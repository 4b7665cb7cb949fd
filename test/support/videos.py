# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos with chosen times and contents of frames: Motion JPEG in Matroska, as browsers write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

SIZE = WIDTH, HEIGHT = 32, 24
# Identifiers of elements, from the specification of Matroska.
EBML, DOC_TYPE, SEGMENT, INFO, TIMESTAMP_SCALE = (
    '1a45dfa3', '4282', '18538067', '1549a966', '2ad7b1')
TRACKS, TRACK, NUMBER, UID, TYPE, CODEC, VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT = (
    '1654ae6b', 'ae', 'd7', '73c5', '83', '86', 'e0', 'b0', 'ba')
CLUSTER, TIMESTAMP, SIMPLE_BLOCK = '1f43b675', 'e7', 'a3'


def jpeg(value: int) -> bytes:
    """Return a grey JPEG."""
    return cv2.imencode('.jpg', np.full((HEIGHT, WIDTH), value, np.uint8))[1].tobytes()


def write_mkv(path: Path, frames: Iterable[tuple[int, bytes]]) -> Path:
    """Write frames, (milliseconds, JPEG), with neither a rate nor a length in the header."""
    video = _element(VIDEO, _number(PIXEL_WIDTH, WIDTH) + _number(PIXEL_HEIGHT, HEIGHT))
    track = (_number(NUMBER, 1) + _number(UID, 1) + _number(TYPE, 1)
             + _element(CODEC, b'V_MJPEG') + video)
    clusters = (
        _element(CLUSTER, _number(TIMESTAMP, time_ms)
                 + _element(SIMPLE_BLOCK, b'\x81\0\0\x80' + data)) for time_ms, data in frames)
    segment = b''.join([_element(INFO, _number(TIMESTAMP_SCALE, 10**6)),
                        _element(TRACKS, _element(TRACK, track)), *clusters])
    # The length of the segment is unknown, as while it is recorded.
    path.write_bytes(_element(EBML, _element(DOC_TYPE, b'matroska'))
                     + bytes.fromhex(SEGMENT) + b'\x01' + b'\xff' * 7 + segment)
    return path


def write_video(path: Path, code: str, rate_hz: float, values: Iterable[int]) -> Path:
    """Write grey, noisy frames with OpenCV, in the codec of a four-character code."""
    random = np.random.default_rng(0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), rate_hz, SIZE)
    assert writer.isOpened()
    for value in values:
        noise = random.integers(-20, 21, (HEIGHT, WIDTH, 3))
        writer.write(np.clip(value + noise, 0, 255).astype(np.uint8))
    writer.release()
    return path


def _element(identifier: str, content: bytes) -> bytes:
    return bytes.fromhex(identifier) + b'\x01' + len(content).to_bytes(7, 'big') + content


def _number(identifier: str, value: int) -> bytes:
    return _element(identifier, value.to_bytes(8, 'big'))
