# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The path of a frame in one process, without a node: messages in, masks out."""

from __future__ import annotations

import threading

import numpy as np
from sensor_msgs.msg import Image

from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.events.types import Events
from mfs_seg_core.images import ImageStream
from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_core.streaming.event_stream import EventStream
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.streaming.synchronizer import Synchronizer
from mfs_seg_ros.diagnostics.drops import DropLog
from mfs_seg_ros.diagnostics.health import Health, Limits
from mfs_seg_ros.messages.images import image_message
from mfs_seg_ros.pipeline.event_map import EventMap
from mfs_seg_ros.pipeline.image_reader import ImageReader
from mfs_seg_ros.pipeline.input_queue import InputQueue
from mfs_seg_ros.pipeline.latency import Latency
from mfs_seg_ros.pipeline.receiver import Receiver
from mfs_seg_ros.pipeline.responder import Responder
from mfs_seg_ros.pipeline.worker import CameraStream, Worker
from support.untrained import metadata_of, untrained

START_NS = 1_700_000_000_000_000_000
SETTINGS = {'max_age': 0.0, 'keep_state': True, 'min_confidence': 0.0}
NO_MAP = [0.0] * 9


class KeptLog:
    """A logger that keeps its lines, as (level, text)."""

    def __init__(self):
        self.lines: list[tuple[str, str]] = []

    def info(self, text: str, **_) -> None:
        self.lines.append(('info', text))

    def warn(self, text: str, **_) -> None:
        self.lines.append(('warn', text))

    def error(self, text: str, **_) -> None:
        self.lines.append(('error', text))

    def texts(self, level: str) -> list[str]:
        return [text for at, text in self.lines if at == level]


class KeptOutputs:
    """Outputs that keep what would be published."""

    def __init__(self):
        self.masks: list[np.ndarray] = []
        self.steps = []
        self.times_ms: list[dict[str, float | None]] = []
        self.firing_rates: list[dict[str, float]] = []

    def needs_confidence(self, settings) -> bool:
        return settings['min_confidence'] > 0

    def publish(self, step, result, settings) -> np.ndarray:
        self.steps.append(step)
        self.masks.append(result.mask)
        return result.mask

    def publish_times(self, **times_ms) -> None:
        self.times_ms.append(times_ms)

    def publish_firing_rates(self, step, rates) -> None:
        self.firing_rates.append(rates)


class CameraPath:
    """
    Both halves of a camera, and their outputs.

    :param trigger: input that completes a step.
    :param segmenter: stream through a network; None: an untrained one of its own.
    :param name: name of the camera.
    """

    def __init__(self, trigger: str = 'image', segmenter: Segmenter | None = None, name: str = '',
                 changed: threading.Condition | None = None, event_map: str = '',
                 max_bytes: int = 10_000_000, bit_depth: int = 0):
        if segmenter is None:
            network = untrained('fast', events=4 if trigger != 'image' else 0)
            segmenter = Segmenter(network, metadata_of(network))
        self.log, self.outputs = KeptLog(), KeptOutputs()
        self.health = Health(('image', 'events'), 4, Limits(), 0.0)
        self.continuity = Continuity(1.0)
        self.queue = InputQueue(max_bytes, changed or threading.Condition())
        drops = DropLog(self.log, name, self.health)
        pixels = EventMap(NO_MAP, event_map)
        self.responder = Responder(segmenter, self.continuity, self.outputs, self.health, drops,
                                   Latency(lambda: START_NS))
        self.stream = CameraStream(Receiver(
            self.queue, ImageReader(ImageStream(bit_depth), self.health, drops, lambda: START_NS),
            lambda packet: packet,
            EventStream(self.continuity, pixels.check), pixels,
            Synchronizer(trigger, 0.05, 0.0, 1.0), drops), self.responder)

    def put_image(self, rgb: np.ndarray, stamp_ms: float, encoding: str = 'rgb8') -> None:
        """Receive an image, this long after the start."""
        message: Image = image_message(rgb, encoding, Image().header)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(
            START_NS + round(stamp_ms * 1e6), 10**9)
        self.queue.put_image(message)

    def put_events(self, events: Events, stamp_ms: float, seq: int = 0, size=(64, 48)) -> None:
        """Receive a packet of EVT3."""
        self.queue.put_packet(EventPacket(
            START_NS + round(stamp_ms * 1e6), *size, seq, 0, 'evt3', encode_evt3(events)), 1)


def worker_of(*paths: CameraPath, **changes) -> Worker:
    """Return a worker of these cameras, whose thread is not started."""
    return Worker([path.stream for path in paths], threading.Condition(),
                  {**SETTINGS, **changes}, paths[0].log)
