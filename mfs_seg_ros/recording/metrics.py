# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Record a run: latencies, rate, accuracy where there are labels, video and contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.segment.video import ContactSheet, RecordedFrame, RunVideo

# Images, labels and masks of a stamp wait for one another; then the oldest is used incomplete.
MAX_WAITING = 32
# The mask of an event window has the stamp of a packet that starts near the end of the window.
NEAR_NS = 10_000_000


class RunRecord:
    """
    Matches images, labels and masks by stamp, and computes the figures of a run.

    Writes overlay.mp4 and contact_sheet.png.

    :param folder: folder of the files.
    :param classes: classes of the masks.
    :param images: whether there are images; without, a mask has the label of the nearest stamp.
    """

    def __init__(self, folder: Path, classes: ClassSet, images: bool = True) -> None:
        self._folder = folder
        self._classes = classes
        self._with_images = images
        self._frames: dict[int, RecordedFrame] = {}
        self._confusion = ConfusionMatrix(len(classes.names))
        self._truths = 0
        self._images = 0
        self._masks_of_images = 0
        self._size = (0, 0)
        self._arrivals_ns: list[int] = []
        self._latencies_ms: list[float] = []
        self._model_ms: list[float] = []
        self._decode_ms: list[float] = []
        self._video = RunVideo(folder / 'overlay.mp4', classes)
        self._sheet = ContactSheet(classes)

    def add_image(self, stamp_ns: int, image: np.ndarray) -> None:
        """Add an input image, uint8 ``[H, W, 3]`` RGB."""
        self._images += 1
        self._frame(stamp_ns).image = image
        self._advance()

    def add_label(self, stamp_ns: int, label: np.ndarray) -> None:
        """Add the label of a frame, uint8 ``[H, W]`` class ids."""
        if not self._with_images:
            stamp_ns = self._near(stamp_ns, 'label')
        self._frame(stamp_ns).label = label
        self._advance()

    def add_mask(
        self, stamp_ns: int, mask: np.ndarray, arrival_ns: int, events: np.ndarray | None = None
    ) -> None:
        """
        Add a mask.

        :param stamp_ns: stamp in nanoseconds.
        :param mask: uint8 ``[H, W]`` class ids.
        :param arrival_ns: time of its receipt in nanoseconds, by the clock of the stamps.
        :param events: image of the events shortly before, uint8 ``[H, W, 3]`` RGB; None: none.
        """
        self._arrivals_ns.append(arrival_ns)
        self._latencies_ms.append((arrival_ns - stamp_ns) / 1e6)
        if not self._with_images:
            stamp_ns = self._near(stamp_ns, 'mask')
        frame = self._frame(stamp_ns)
        frame.mask, frame.events = mask, events
        self._advance()

    def add_model_time(self, model_ms: float) -> None:
        """Add the time in the network of a mask, in milliseconds."""
        self._model_ms.append(model_ms)

    def add_decode_time(self, decode_ms: float) -> None:
        """Add the time to decode the events of a mask, in milliseconds."""
        self._decode_ms.append(decode_ms)

    def finish(self, title: str) -> dict[str, Any]:
        """
        Complete the files.

        :param title: first part of the headline of the contact sheet.
        :returns: the figures; None where nothing was measured.
        """
        while self._frames:
            self._use_oldest()
        self._video.close()
        figures = self._figures()
        headline = f'{title}   {self._size[0]} x {self._size[1]}'
        if figures['rate_hz']:
            headline += f"   {figures['rate_hz']:.1f} masks/s"
        if figures['miou'] is not None:
            headline += f"   mIoU {figures['miou']:.3f}"
        self._sheet.save(self._folder / 'contact_sheet.png', headline)
        return figures

    def discard(self) -> None:
        """Remove incomplete files."""
        self._video.discard()

    def _frame(self, stamp_ns: int) -> RecordedFrame:
        return self._frames.setdefault(stamp_ns, RecordedFrame())

    def _near(self, stamp_ns: int, kind: str) -> int:
        """Return the stamp of the frame that this mask or label belongs to, or its own."""
        near = [other for other, frame in self._frames.items()
                if abs(other - stamp_ns) < NEAR_NS and getattr(frame, kind) is None]
        return min(near, key=lambda other: abs(other - stamp_ns), default=stamp_ns)

    def _complete(self, frame: RecordedFrame) -> bool:
        return (frame.label is not None and frame.mask is not None
                and (frame.image is not None or not self._with_images))

    def _advance(self) -> None:
        # In the order of time, for the video.
        while self._frames and (len(self._frames) > MAX_WAITING
                                 or self._complete(self._frames[min(self._frames)])):
            self._use_oldest()

    def _use_oldest(self) -> None:
        stamp_ns = min(self._frames)
        frame = self._frames.pop(stamp_ns)
        if frame.mask is None:
            return
        if frame.label is not None:
            self._confusion.update(frame.mask, frame.label)
            self._truths += 1
        self._masks_of_images += frame.image is not None
        if frame.image is not None or not self._with_images:
            self._size = frame.mask.shape[::-1]
            self._video.add(stamp_ns / 1e9, frame)
            self._sheet.add(stamp_ns / 1e9, frame)

    def _figures(self) -> dict[str, Any]:
        count = len(self._arrivals_ns)
        duration_s = (self._arrivals_ns[-1] - self._arrivals_ns[0]) / 1e9 if count > 1 else 0.0
        iou = self._confusion.iou if self._truths else []
        return {
            'images_received': self._images,
            'masks_received': count,
            'masks_of_images': self._masks_of_images,
            'masks_with_truth': self._truths,
            'rate_hz': round((count - 1) / duration_s, 3) if duration_s else None,
            'latency_ms_p50': _percentile(self._latencies_ms, 50),
            'latency_ms_p99': _percentile(self._latencies_ms, 99),
            'model_ms_p50': _percentile(self._model_ms, 50),
            'decode_ms_p50': _percentile(self._decode_ms, 50),
            'miou': round(float(self._confusion.miou), 4) if self._truths else None,
            'iou': {
                name: None if np.isnan(value) else round(float(value), 4)
                for name, value in zip(self._classes.names, iou)
            },
        }


def _percentile(values: list[float], percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 3) if values else None
