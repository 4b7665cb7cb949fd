# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera device of this machine as a source."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from mfs_seg_core.sources.items import Frame, RecordedHeader, SourceError
from mfs_seg_core.sources.source import Source

# An index of OpenCV, or a device of Video4Linux.
INDEX, DEVICE = re.compile(r'\d{1,2}'), re.compile(r'/dev/video\d+')
# Cameras skip single frames; after so many in a row, this one is gone.
MAX_FAILED = 20
FRAME_ID = 'camera'


def device_of(given: str) -> int | str | None:
    """
    Return the camera device that a word names.

    :param given: an index, or the path of a device of Video4Linux.
    :returns: index or path; None: it names no camera, or a file of this name exists.
    """
    if INDEX.fullmatch(given) and not Path(given).exists():
        return int(given)
    return given if DEVICE.fullmatch(given) else None


@dataclass(frozen=True)
class DeviceSource(Source):
    """
    The frames of a camera device until Ctrl-C (SIGINT), with the times of their reading.

    :param device: index, path of a device, or anything else that OpenCV opens.
    """

    device: int | str

    def __iter__(self) -> Iterator[Frame]:
        stopped: list[int] = []
        in_main = threading.current_thread() is threading.main_thread()
        # Not KeyboardInterrupt, which would also end the work on the last frame.
        before = signal.signal(signal.SIGINT, lambda number, _: stopped.append(number)) if (
            in_main) else None
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        capture = cv2.VideoCapture(self.device)
        try:
            if not capture.isOpened():
                raise SourceError(f"camera '{self.device}' cannot be opened: connect it, close "
                                  'other programs that use it, and check the rights (group video).')
            failed = 0
            while not stopped and failed < MAX_FAILED:
                found, image = capture.read()
                stamp_ns = time.time_ns()
                if not found:
                    failed += 1
                    continue
                failed = 0
                yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), None, stamp_ns / 1e9,
                            recorded=RecordedHeader(stamp_ns, FRAME_ID, stamp_ns))
            if not stopped:
                self.report.note(f"camera '{self.device}' sends no more frames: check its cable",
                                 incomplete=True)
        finally:
            if in_main:
                signal.signal(signal.SIGINT, before)
            capture.release()
            cv2.utils.logging.setLogLevel(level)
