# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Items of a source: frames and batches of events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class SourceError(ValueError):
    """A source cannot be opened or read; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class RecordedHeader:
    """
    The header of a message in a bag, and the time of its recording.

    :param stamp_ns: stamp in nanoseconds.
    :param frame_id: name of the coordinate frame.
    :param log_ns: time of the recording in nanoseconds.
    """

    stamp_ns: int
    frame_id: str
    log_ns: int


@dataclass(frozen=True)
class Frame:
    """
    An image of a source, its label, or both.

    :param image: uint8 ``[H, W, 3]``, RGB; None: there is none.
    :param label: uint8 ``[H, W]`` class ids, 255 for unlabelled; None: there is none.
    :param time_s: seconds since an arbitrary start, in the source's own time.
    :param delay_s: seconds from ``time_s`` to its publication.
    :param name: name of the file of the image, without its suffix; empty: it has no file.
    :param recorded: header of its message in a bag; None: it is of no bag.
    """

    image: np.ndarray | None
    label: np.ndarray | None
    time_s: float
    delay_s: float = 0.0
    name: str = ''
    recorded: RecordedHeader | None = None


@dataclass(frozen=True)
class EventBatch:
    """
    A few milliseconds of events, encoded for an EventPacket.

    :param data: encoded events.
    :param encoding: their encoding.
    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :param time_s: time of the first event in seconds, in the same time as that of frames.
    :param delay_s: seconds from then to its publication, after its last event.
    :param seq: sequence number; None: the publisher counts.
    :param time_base: start of the time in the data in nanoseconds.
    :param is_bigendian: byte order of the data.
    :param recorded: header of its message in a bag; None: it is of no bag.
    """

    data: bytes
    encoding: str
    width: int
    height: int
    time_s: float
    delay_s: float = 0.0
    seq: int | None = None
    time_base: int = 0
    is_bigendian: bool = False
    recorded: RecordedHeader | None = None


def due_s(item: Frame | EventBatch) -> float:
    """Return the time of publication of an item, in the source's time."""
    return item.time_s + item.delay_s
