# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write steps to a stream of Rerun."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from statistics import fmean

import cv2
import numpy as np
import rerun as rr

from mfs_seg_core.labels import UNLABELLED, ClassSet
from mfs_seg_core.legend import legend_image
from mfs_seg_core.view import layout
from mfs_seg_core.view.step import ViewedStep

JPEG_QUALITY = 90
# Of an image of three colours, higher levels save little and take longer.
PNG_LEVEL = 1
# Most seconds until the data are sent, and until the stream has ended. Where the disk is full, the
# thread of Rerun that writes the file ends, and others wait for it without end.
FLUSH_S, CLOSE_S = 5.0, 10.0


class ViewStream:
    """
    A stream of Rerun with the layout of this package.

    :param sinks: receivers of the stream: of a viewer, of a file.
    :param sensors: 'camera', 'events' or both.
    :param compress: compress camera images as JPEG and those of events as PNG.
    :param timeline: 'stamp' or 'frame', which the panes follow.
    """

    def __init__(self, sinks: Iterable[rr.GrpcSink | rr.FileSink], sensors: tuple[str, ...],
                 compress: bool, timeline: str) -> None:
        self._stream = rr.RecordingStream('mfs_seg')
        self._stream.set_sinks(*sinks, default_blueprint=layout.layout(sensors, timeline))
        self._compress = compress
        self._frame = 0
        # Names of the curves that were sent, by path.
        self._curves: dict[str, list[str]] = {}

    def describe(self, classes: ClassSet) -> None:
        """Send the names and colours of the classes, which apply to all masks."""
        context = [(number, name, tuple(colour)) for number, (name, colour) in enumerate(
            zip(classes.names, classes.palette.tolist()))]
        # Transparent, so that the image can be seen there.
        context.append((UNLABELLED, 'unlabelled', (0, 0, 0, 0)))
        self._stream.log(layout.MASK, rr.AnnotationContext(context), static=True)
        self._stream.log(layout.LEGEND, rr.Image(legend_image(classes)), static=True)

    def write(self, step: ViewedStep) -> None:
        """Send a step; each step with a mask is a frame."""
        stream = self._stream
        self._frame += step.mask is not None
        stream.set_time(layout.STAMP, timestamp=np.datetime64(step.stamp_ns, 'ns'))
        stream.set_time(layout.FRAME, sequence=self._frame)
        if step.image is not None:
            stream.log(layout.CAMERA, self._image(
                step.image, '.jpg', 'image/jpeg', (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)))
        if step.events is not None:
            events = step.events
            if step.mask is not None and step.mask.shape != events.shape[:2]:
                # Without a camera, the mask lies over them.
                events = cv2.resize(events, step.mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
            stream.log(layout.EVENTS, self._image(
                events, '.png', 'image/png', (cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL)))
        if step.mask is not None:
            stream.log(layout.MASK, rr.SegmentationImage(step.mask))
        if step.confidence is not None:
            stream.log(layout.CONFIDENCE, rr.Image(step.confidence, color_model='L'))
        if step.firing_rates:
            rates = step.firing_rates
            self._draw([layout.RATES], ['mean', *rates], [fmean(rates.values()), *rates.values()])
        for name, time_ms in step.times_ms.items():
            self._draw([layout.TIMES, name], [name], [time_ms])
        if step.status:
            stream.log(layout.STATUS, rr.TextDocument(step.status))

    def close(self) -> None:
        """Send the last data, and end the stream; a file on a full disk stays incomplete."""
        ending = threading.Thread(target=self._end, name='end of view', daemon=True)
        ending.start()
        ending.join(CLOSE_S)
        if ending.is_alive():
            # At the exit of Python, Rerun would wait once more.
            rr.unregister_shutdown()

    def _end(self) -> None:
        # The user may have closed the window.
        with suppress(RuntimeError):
            self._stream.flush(timeout_sec=FLUSH_S)
        self._stream.disconnect()

    def _draw(self, path: list[str], names: list[str], values: Sequence[float]) -> None:
        """Add a point to each curve of a path."""
        if self._curves.get(path[-1]) != names:
            self._curves[path[-1]] = names
            self._stream.log(path, rr.SeriesLines(names=names), static=True)
        self._stream.log(path, rr.Scalars(values))

    def _image(self, image: np.ndarray, suffix: str, media_type: str, options: tuple[int, int]
               ) -> rr.Image | rr.EncodedImage:
        if not self._compress:
            return rr.Image(image)
        data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1]
        return rr.EncodedImage(contents=data.tobytes(), media_type=media_type)
