# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Video and contact sheet of a run."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.labels import ClassSet, colourise, overlay
from mfs_seg_core.legend import INK, PAPER, blank_image, draw_text, legend_band, text_width
from mfs_seg_core.util.files import aside, write_whole

GAP = 8
VIDEO_HEIGHT = 360
TILE_HEIGHT = 240
SHEET_ROWS = 5
COLUMNS = ('camera', 'events', 'truth', 'mask', 'overlay')
# The rate of a video is fixed when it is opened: it is computed from these first frames.
MEASURED_FRAMES = 10
FALLBACK_RATE_HZ = 20.0
# Recordings of milliseconds have masks closer together than an encoder accepts.
MAX_RATE_HZ = 240.0
# Bytes on the disk that the encoder may still have in its buffers.
LEAST_FREE = 1_000_000


@dataclass
class RecordedFrame:
    """
    Image, events, label and mask of one stamp.

    :param image: uint8 ``[H, W, 3]``, RGB; None: there is none.
    :param events: image of the events, likewise.
    :param label: uint8 ``[H, W]`` class ids; None: there is none.
    :param mask: likewise; needed for drawing.
    """

    image: np.ndarray | None = None
    events: np.ndarray | None = None
    label: np.ndarray | None = None
    mask: np.ndarray | None = None


def tiles(frame: RecordedFrame, height: int, classes: ClassSet) -> dict[str, np.ndarray]:
    """Return the images of a frame by name, uint8 ``[height, W, 3]`` RGB of one width."""
    image, events, label, mask = frame.image, frame.events, frame.label, frame.mask
    shape = (mask if image is None else image).shape
    size = round(shape[1] * height / shape[0]), height
    drawn = {}
    if image is not None:
        drawn['camera'] = _fitted(image, size)
    if events is not None:
        # By scaling alone: an event map is not known here.
        drawn['events'] = _fitted(events, size, enlarge=cv2.INTER_NEAREST)
    if label is not None:
        drawn['truth'] = colourise(_fitted_ids(label, size), classes)
    drawn['mask'] = colourise(_fitted_ids(mask, size), classes)
    if image is not None:
        drawn['overlay'] = _overlaid(image, mask, size, classes)
    return drawn


class RunVideo:
    """
    Writes an mp4 of a run, with the legend below.

    Without events it shows image and overlay; with events, all images of a frame but the overlay.
    The file has its name after :meth:`close`, if a frame was added.

    :param path: path of the file.
    :param classes: classes of the masks.
    """

    def __init__(self, path: Path, classes: ClassSet) -> None:
        self._path = path
        self._classes = classes
        self._first: list[tuple[float, RecordedFrame]] = []
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._columns: list[str] = []

    def add(self, time_s: float, frame: RecordedFrame) -> None:
        """Add a frame."""
        if self._writer:
            self._write(frame)
            return
        self._first.append((time_s, frame))
        if len(self._first) == MEASURED_FRAMES:
            self._open()

    def close(self) -> None:
        """
        Complete the file.

        :raises OSError: it could not be written, and was removed; one sentence.
        """
        if self._first:
            self._open()
        if not self._writer:
            return
        self._writer.release()
        # The encoder does not report a full disk: the file has no end then.
        if cv2.VideoCapture(str(aside(self._path))).get(cv2.CAP_PROP_FRAME_COUNT) < 1:
            self.discard()
            raise OSError(self._not_written('make room on the disk, or choose another folder'))
        os.replace(aside(self._path), self._path)

    def discard(self) -> None:
        """Remove the incomplete file."""
        if self._writer:
            self._writer.release()
        aside(self._path).unlink(missing_ok=True)

    def _not_written(self, remedy: str) -> str:
        return f"'{self._path}' cannot be written: {remedy}"

    def _open(self) -> None:
        duration = self._first[-1][0] - self._first[0][0]
        rate_hz = FALLBACK_RATE_HZ
        if duration > 0.0:
            rate_hz = min((len(self._first) - 1) / duration, MAX_RATE_HZ)
        frames = [frame for _, frame in self._first]
        self._columns = ['camera', 'overlay']
        if any(frame.events is not None for frame in frames):
            names = set().union(*(tiles(frame, 1, self._classes) for frame in frames))
            self._columns = [name for name in COLUMNS if name in names and name != 'overlay']
        height, width = self._draw(frames[0]).shape[:2]
        # The encoder requires even sizes.
        self._size = (width - width % 2, height - height % 2)
        self._writer = cv2.VideoWriter(
            str(aside(self._path)), cv2.VideoWriter_fourcc(*'mp4v'), round(rate_hz, 2), self._size
        )
        if not self._writer.isOpened():
            raise OSError(self._not_written("check the folder and OpenCV's mp4v encoder"))
        for frame in frames:
            self._write(frame)
        self._first = []

    def _draw(self, frame: RecordedFrame) -> np.ndarray:
        height = VIDEO_HEIGHT if len(self._columns) <= 2 else TILE_HEIGHT
        drawn = tiles(frame, height, self._classes)
        nothing = blank_image(*drawn['mask'].shape[:2])
        row = np.hstack([drawn.get(name, nothing) for name in self._columns])
        return np.vstack([row, legend_band(self._classes, row.shape[1])])

    def _write(self, frame: RecordedFrame) -> None:
        image = self._draw(frame)
        height, width = image.shape[:2]
        if width < self._size[0] or height < self._size[1] or width > self._size[0] + 1:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        image = image[:self._size[1], :self._size[0]]
        if shutil.disk_usage(self._path.parent).free < LEAST_FREE:
            raise OSError(self._not_written('make room on the disk, or choose another folder'))
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


class ContactSheet:
    """
    Keeps frames spread evenly over a run of unknown length, and draws them as a table.

    Its columns are camera, events, truth and mask where they exist, and overlay without events.

    :param classes: classes of the masks.
    """

    def __init__(self, classes: ClassSet) -> None:
        self._classes = classes
        self._rows: list[dict[str, np.ndarray]] = []
        self._start_s: float | None = None
        self._stride = 1
        self._count = 0

    def add(self, time_s: float, frame: RecordedFrame) -> None:
        """Add a frame, which is kept or not."""
        if self._start_s is None:
            self._start_s = time_s
        if self._count % self._stride == 0:
            row = tiles(frame, TILE_HEIGHT, self._classes)
            _stamp(next(iter(row.values())), f'{time_s - self._start_s:.1f} s')
            self._rows.append(row)
        self._count += 1
        # With too many, every second one is removed, and half as many are kept from now on.
        if len(self._rows) > 4 * SHEET_ROWS:
            self._rows = self._rows[::2]
            self._stride *= 2

    def save(self, path: Path, title: str) -> None:
        """Draw the sheet to an image file; nothing without frames."""
        if not self._rows:
            return
        count = min(SHEET_ROWS, len(self._rows))
        # The middle of each of `count` equal parts: neither the first nor the last frame.
        rows = [self._rows[int((i + 0.5) * len(self._rows) / count)] for i in range(count)]
        columns = [name for name in COLUMNS if any(name in row for row in rows)]
        if 'events' in columns and 'overlay' in columns:
            columns.remove('overlay')
        tile_width = rows[0]['mask'].shape[1]
        lefts = [GAP + i * (tile_width + GAP) for i in range(len(columns))]
        width = lefts[-1] + tile_width + GAP

        heading = blank_image(68, width)
        scale = 0.62 * min(1.0, (width - 2 * GAP) / text_width(title, 0.62))
        draw_text(heading, title, (GAP, 28), scale)
        for left, name in zip(lefts, columns):
            draw_text(heading, name, (left, 60), 0.5)
        bands = [heading]
        for row in rows:
            band = blank_image(TILE_HEIGHT + GAP, width)
            for left, name in zip(lefts, columns):
                if name in row:
                    band[:TILE_HEIGHT, left:left + tile_width] = cv2.resize(
                        row[name], (tile_width, TILE_HEIGHT), interpolation=cv2.INTER_NEAREST)
            bands.append(band)
        bands.append(legend_band(self._classes, width))
        # Not imwrite, which does not raise an error.
        _, data = cv2.imencode('.png', cv2.cvtColor(np.vstack(bands), cv2.COLOR_RGB2BGR))
        write_whole(path, data.tobytes())


def _stamp(tile: np.ndarray, text: str) -> None:
    """Draw a text into the lower left corner."""
    width = text_width(text, 0.45)
    cv2.rectangle(tile, (0, tile.shape[0] - 20), (width + 10, tile.shape[0]), INK, cv2.FILLED)
    draw_text(tile, text, (5, tile.shape[0] - 6), 0.45, PAPER)


def _fitted(
    image: np.ndarray, size: tuple[int, int], enlarge: int = cv2.INTER_CUBIC
) -> np.ndarray:
    """Resize an image to this width and height."""
    way = cv2.INTER_AREA if size[1] < image.shape[0] else enlarge
    return cv2.resize(image, size, interpolation=way)


def _fitted_ids(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)


def _overlaid(
    image: np.ndarray, mask: np.ndarray, size: tuple[int, int], classes: ClassSet
) -> np.ndarray:
    # Blended at the smaller size: the recorder shares the machine with the segmenter.
    if image.shape[0] < size[1]:
        return _fitted(overlay(image, mask, classes), size)
    return overlay(_fitted(image, size), _fitted_ids(mask, size), classes)
