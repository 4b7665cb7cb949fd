# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that decodes, segments and publishes: pending steps of all cameras are one batch."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from mfs_seg_core.streaming.segmenter import Segmentation, step_together
from mfs_seg_core.streaming.step import Step
from mfs_seg_ros.pipeline.receiver import Receiver
from mfs_seg_ros.pipeline.responder import PreparedStep, Responder

# Seconds between two measurements for the diagnostics. The firing rate costs some ms with torch;
# counting the operations for the energy costs as much as the step.
RATE_PERIOD_S, ENERGY_PERIOD_S = 1.0, 60.0


class CameraStream(NamedTuple):
    """Both halves of one active camera."""

    receiver: Receiver
    responder: Responder


class Worker:
    """
    Runs the steps of all streams, those that are complete at the same time as one batch.

    An unexpected fault, such as a device without memory, costs the steps of its batch and is
    logged; the worker continues.

    :param streams: active cameras.
    :param changed: notified of received messages.
    :param settings: parameters, an immutable snapshot.
    :param logger: logger of the node.
    """

    def __init__(self, streams: Sequence[CameraStream], changed: threading.Condition,
                 settings: Mapping[str, Any], logger: Any) -> None:
        self._streams = streams
        self._changed = changed
        self._settings = settings
        self._logger = logger
        self._stopped = False
        self._next_rate_s = self._next_energy_s = 0.0
        self._thread = threading.Thread(target=self._run, name='segment', daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current batch; the thread was started."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def apply(self, settings: Mapping[str, Any]) -> None:
        """Use this snapshot of the parameters from the next batch on."""
        self._settings = settings

    def process(self) -> float | None:
        """
        Decode the received messages, and answer all steps that are complete.

        :returns: seconds until the next step is complete without new messages; None: never.
        """
        for stream in self._streams:
            self._guard([stream], partial(stream.receiver.receive, self._settings))
        while not self._stopped and (steps := self._next_steps()):
            self._guard([stream for stream, _ in steps], partial(self._answer, steps))
        waits = [stream.receiver.wait_s() for stream in self._streams]
        return min((wait for wait in waits if wait is not None), default=None)

    def _run(self) -> None:
        timeout_s = None
        while self._wait(timeout_s):
            timeout_s = self.process()

    def _wait(self, timeout_s: float | None) -> bool:
        """Wait for a message, or for a time; return False to stop."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or any(stream.receiver.filled for stream in self._streams),
                timeout_s)
            return not self._stopped

    def _next_steps(self) -> list[tuple[CameraStream, Step]]:
        """Return the next step of each stream that has one."""
        return [(stream, step) for stream in self._streams
                if (step := self._guard([stream], stream.receiver.next_step))]

    def _guard(self, streams: Sequence[CameraStream], call: Callable[[], Any]) -> Any:
        """Return the result of a call; None where it fails, which costs the streams a step."""
        try:
            return call()
        except Exception:
            self._logger.error(f'a step failed:\n{traceback.format_exc()}',
                               throttle_duration_sec=10.0)
            for stream in streams:
                stream.responder.fail()
            return None

    def _answer(self, steps: list[tuple[CameraStream, Step]]) -> None:
        """Run steps as one batch, and publish the masks."""
        settings = self._settings
        batch = [(stream.responder, prepared) for stream, step in steps
                 if (prepared := stream.responder.prepare(step, settings))]
        if not batch:
            return
        confidence = any(responder.needs_confidence(settings) for responder, _ in batch)
        for (responder, prepared), result in zip(batch, self._step(batch, confidence)):
            responder.publish(prepared, result, settings)
            responder.measured(prepared.step, result)

    def _step(self, batch: list[tuple[Responder, PreparedStep]], confidence: bool
              ) -> list[Segmentation]:
        """Run the network; from time to time, measure firing rates and energy."""
        now_s = time.monotonic()
        firing_rate, energy = now_s >= self._next_rate_s, now_s >= self._next_energy_s
        if firing_rate:
            self._next_rate_s = now_s + RATE_PERIOD_S
        if energy:
            self._next_energy_s = now_s + ENERGY_PERIOD_S
        return step_together([(responder.segmenter, prepared.inputs)
                              for responder, prepared in batch], confidence, firing_rate, energy)
