# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The answering half of a camera: from a step to its mask."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from mfs_seg_core.streaming.continuity import Continuity, StepCheck
from mfs_seg_core.streaming.segmenter import Prepared, Segmentation, Segmenter
from mfs_seg_core.streaming.step import Step
from mfs_seg_ros.diagnostics.drops import (
    IMAGES_UNUSABLE,
    PACKETS_UNUSABLE,
    STEPS_FAILED,
    DropLog,
)
from mfs_seg_ros.diagnostics.health import Health
from mfs_seg_ros.pipeline.latency import Latency
from mfs_seg_ros.pipeline.outputs import Outputs
from mfs_seg_ros.pipeline.points import LabelledPoints


class PreparedStep(NamedTuple):
    """A step that the network accepts, with its inputs and the decision on its state."""

    step: Step
    inputs: Prepared
    check: StepCheck


class Responder:
    """
    Prepares steps, and publishes their masks.

    All methods are called by the worker's thread, but :meth:`request_reset` by any.

    :param segmenter: the camera's stream through the network; keeps its state.
    :param continuity: decides whether the state resets before a step.
    :param outputs: publishes masks.
    :param health: counts masks and takes measurements.
    :param log: counts and logs steps that cannot be used, and resets.
    :param latency: measures the time from a stamp to its mask.
    :param points: labels points by the masks of images; None: there are none.
    """

    def __init__(self, segmenter: Segmenter, continuity: Continuity, outputs: Outputs,
                 health: Health, log: DropLog, latency: Latency,
                 points: LabelledPoints | None = None) -> None:
        self.segmenter = segmenter
        self._continuity, self._outputs = continuity, outputs
        self._health, self._log, self._latency = health, log, latency
        self._points = points

    def request_reset(self, cause: str, reason: str) -> None:
        """Reset the state before the next step."""
        self._continuity.request_reset(cause, reason)

    def needs_confidence(self, settings: Mapping[str, Any]) -> bool:
        """Return whether the next mask needs its confidence."""
        return self._outputs.needs_confidence(settings)

    def prepare(self, step: Step, settings: Mapping[str, Any]) -> PreparedStep | None:
        """
        Check and convert the input of a step; reset the state where the stream breaks.

        :param step: the step.
        :param settings: parameters now.
        :returns: the step; None when the network refuses it, which is counted and logged.
        """
        check = self._continuity.check(step)
        try:
            inputs = self.segmenter.prepare(step.image, check.elapsed_s, step.window)
        except ValueError as error:
            self._log.unusable(PACKETS_UNUSABLE if step.cause == 'events' else IMAGES_UNUSABLE,
                               str(error))
            return None
        if check.reset or not settings['keep_state']:
            self.segmenter.reset()
        return PreparedStep(step, inputs, check)

    def publish(self, prepared: PreparedStep, result: Segmentation, settings: Mapping[str, Any]
                ) -> None:
        """
        Record a step that ran, and publish its mask.

        :param prepared: the step.
        :param result: output of the network.
        :param settings: parameters now.
        """
        step, check = prepared.step, prepared.check
        self._continuity.accept(step, check)
        if check.reset:
            self._health.reset(*check.reset)
            self._log.info(f'the state returns to rest: {check.reset.reason}')
        mask = self._outputs.publish(step, result, settings)
        now_s = time.monotonic()
        processing_s = now_s - step.received_s
        latency_s = self._latency.since(step.stamp_ns)
        self._health.answered(now_s, latency_s, processing_s, result.model_ms)
        self._outputs.publish_times(
            model_time_ms=result.model_ms, decode_time_ms=1e3 * step.decode_s,
            processing_time_ms=1e3 * processing_s,
            pipeline_latency_ms=None if latency_s is None else 1e3 * latency_s)
        # After the times: those are of the mask.
        if self._points and step.cause == 'image':
            self._points.add_mask(step.header, mask)

    def measured(self, step: Step, result: Segmentation) -> None:
        """
        Take the measurements of a step, where it was measured.

        :param step: the step.
        :param result: output of the network.
        """
        if result.firing_rates:
            self._health.fired(result.firing_rate)
            self._outputs.publish_firing_rates(step, result.firing_rates)
        if result.energy_mj is not None:
            self._health.spent(result.energy_mj)

    def fail(self) -> None:
        """Count a step that failed unexpectedly, and reset the state: it may be incomplete."""
        self._log.count(STEPS_FAILED)
        self.segmenter.reset()
