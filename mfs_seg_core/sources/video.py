# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frames of a video file as a source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2

from mfs_seg_core.images.encoding import MessageError, check_pixels
from mfs_seg_core.sources.items import Frame, SourceError
from mfs_seg_core.sources.source import Source
from mfs_seg_core.sources.video_clock import MAX_RATE_HZ, VideoClock

# Backends that read files; others take the path for a pattern of names, or for a device.
BACKENDS = (cv2.CAP_FFMPEG, cv2.CAP_GSTREAMER, cv2.CAP_OPENCV_MJPEG)
# A frame that cannot be decoded is not the end; so many in a row are.
MAX_FAILED = 100
# First frames, whose times decide whether the clock of the file is usable.
CLOCK_FRAMES = 100
# A file that ends before this share of the length in its header was cut off. Sound may be longer.
WHOLE, SLACK_S = 0.95, 0.5
MP4, AVI = b'ftyp', b'AVI '


@dataclass(frozen=True)
class VideoSource(Source):
    """
    A video file with the times of its frames in the container, see :class:`VideoClock`.

    :param path: the file.
    :param rate_hz: frames per second where the file has no usable times.
    """

    path: Path
    rate_hz: float

    @property
    def expected_frames(self) -> int | None:
        """Number of frames in the header of the file; None: it has none."""
        with opened(self.path) as capture:
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        return count if count > 0 else None

    def __iter__(self) -> Iterator[Frame]:
        with opened(self.path) as capture:
            clock = VideoClock(
                _first_times(self.path), capture.get(cv2.CAP_PROP_FPS), self.rate_hz)
            end_s = 0.0
            number = failed = 0
            try:
                while failed < MAX_FAILED:
                    image = _read(capture)
                    if image is None:
                        failed += 1
                        continue
                    for bad in range(number, number + failed):
                        self.report.skip(
                            'frames', f"frame {bad} of '{self.path}' cannot be decoded")
                    # After a frame was read, this is its own time.
                    container_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                    end_s = max(end_s, container_s)
                    yield Frame(image, None, clock.time_s(container_s, failed))
                    number += failed + 1
                    failed = 0
                self._check_length(capture, number, end_s)
            finally:
                if note := clock.note():
                    self.report.note(f"'{self.path}': {note}")
        if not number:
            raise SourceError(
                f"no frame of '{self.path}' can be decoded: it is damaged, or of a codec that "
                'OpenCV lacks.')

    def _check_length(self, capture: cv2.VideoCapture, number: int, end_s: float) -> None:
        """Note what the header of the file states and its frames lack: their end, or some."""
        stated, rate_hz = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
        if not (number and stated > 0 and 0 < rate_hz <= MAX_RATE_HZ):
            return
        if end_s < (WHOLE * stated - 1) / rate_hz - SLACK_S:
            self.report.note(
                f"'{self.path}' ends after {end_s:.1f} s, before the end that its header states: "
                'it was cut off, or is damaged there', incomplete=True)
        elif number < stated and _counts_frames(self.path):
            self.report.note(
                f"'{self.path}' has {number} of the {stated:.0f} frames that its header states: "
                'the others are empty or damaged, or were cut out by an editor')


@contextmanager
def opened(path: Path) -> Iterator[cv2.VideoCapture]:
    """
    Open a video while the context is open.

    :param path: a file.
    :yields: the video.
    :raises SourceError: the file is no video that OpenCV can read; one sentence.
    """
    # Both libraries would print what they find in damaged files; the caller gets one sentence. The
    # first use of FFmpeg in a process reads the variable.
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture = cv2.VideoCapture()
    try:
        # A relative path with a colon would be a protocol to FFmpeg.
        name = str(path.absolute())
        if not any(_opens(capture, name, backend) for backend in BACKENDS):
            raise SourceError(_reason(path))
        try:
            check_pixels(int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
                         int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        except MessageError as error:
            raise SourceError(f"'{path}': {error}.") from None
        yield capture
    finally:
        capture.release()
        cv2.utils.logging.setLogLevel(level)


def _opens(capture: cv2.VideoCapture, name: str, backend: int) -> bool:
    try:
        return capture.open(name, backend)
    # Names that are not UTF-8 raise errors of other kinds.
    except (cv2.error, UnicodeError):
        return False


def _reason(path: Path) -> str:
    if _start(path)[4:8] == MP4:
        return (f"'{path}' is a damaged MP4 file: one that was cut off lacks its index (moov), "
                'which untrunc or recover_mp4 can rebuild.')
    return (f"'{path}' is damaged, or not a video that OpenCV can read: copy it again, unpack an "
            'archive, or convert it to MP4, MKV or AVI.')


def _read(capture: cv2.VideoCapture):
    """Return the next frame, uint8 [H, W, 3] RGB; None if it cannot be decoded, or at the end."""
    try:
        found, image = capture.read()
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if found else None
    except cv2.error:
        return None


def _first_times(path: Path) -> list[float]:
    """Return the times of the first frames in the container in seconds, without decoding them."""
    with opened(path) as capture:
        if not capture.set(cv2.CAP_PROP_FORMAT, -1):
            rate_hz = capture.get(cv2.CAP_PROP_FPS)
            return [0.0, 1 / rate_hz] if rate_hz > 0 else []
        times = []
        while len(times) < CLOCK_FRAMES and capture.grab():
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        return times


def _counts_frames(path: Path) -> bool:
    """Return whether the header states the number of frames; others state a length."""
    start = _start(path)
    return start[4:8] == MP4 or start[8:12] == AVI


def _start(path: Path) -> bytes:
    with path.open('rb') as file:
        return file.read(12)
