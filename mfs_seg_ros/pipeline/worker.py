# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that works: it takes what waits in all views, and the network sees it as one batch."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from mfs_seg_core.analysis.energy import OperationCounter
from mfs_seg_core.streaming.segmenter import step_together
from mfs_seg_ros.pipeline.stream import View
from mfs_seg_ros.pipeline.synchronizer import Step

# Seconds between two steps in which the diagnostics have spikes counted, and operations, which
# costs as much as the step.
RATE_PERIOD_S, ENERGY_PERIOD_S = 1.0, 60.0


class Worker:
    """
    Answers the steps of views, those that are ready at the same time together.

    What was not foreseen, such as a device without memory, costs the steps that it met and is
    logged; the work goes on.
    """

    def __init__(self, views: Sequence[View], changed: threading.Condition,
                 logger: Any) -> None:
        self._views = views
        self._changed = changed
        self._logger = logger
        self._stopped = False
        self._next_rate_s = self._next_energy_s = 0.0
        self._thread = threading.Thread(target=self._work, name='segment', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the steps at work."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        wait_s = None
        while self._wait(wait_s):
            for view in self._views:
                self._safely([view], view.take_in)
            while not self._stopped and (steps := self._next_steps()):
                self._safely([view for view, _ in steps], partial(self._answer, steps))
            waits = [wait for view in self._views if (wait := view.wait_s()) is not None]
            wait_s = min(waits, default=None)

    def _wait(self, timeout_s: float | None) -> bool:
        """Wait until something is there or the time is over; False when the work is to end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or any(view.inbox.filled for view in self._views), timeout_s)
            return not self._stopped

    def _next_steps(self) -> list[tuple[View, Step]]:
        """Return the next step of each view that has one."""
        return [(view, step) for view in self._views
                if (step := self._safely([view], view.next_step))]

    def _safely(self, views: Sequence[View], do: Callable[[], Any]) -> Any:
        """Return what is done; None when it fails, which is logged and costs the views a step."""
        try:
            return do()
        except Exception:
            self._logger.error(f'a step failed:\n{traceback.format_exc()}',
                               throttle_duration_sec=10.0)
            for view in views:
                view.fail()
            return None

    def _answer(self, steps: list[tuple[View, Step]]) -> None:
        begin_s = time.monotonic()
        batch = [(view, step, prepared) for view, step in steps
                 if (prepared := view.prepare(step)) is not None]
        if not batch:
            return
        together = [(view.segmenter, prepared) for view, _, prepared in batch]
        confidence = any(view.outputs.needs_confidence for view, _, _ in batch)
        measure = begin_s >= self._next_rate_s
        if begin_s >= self._next_energy_s:
            self._next_energy_s = begin_s + ENERGY_PERIOD_S
            with OperationCounter(batch[0][0].segmenter.network) as counter:
                results = step_together(together, confidence, measure)
            energy_mj = counter.energy_mj() / len(batch)
        else:
            results, energy_mj = step_together(together, confidence, measure), None
        if measure:
            self._next_rate_s = begin_s + RATE_PERIOD_S
            for (view, _, _), result in zip(batch, results):
                if result.firing_rate is not None:
                    view.health.fired(result.firing_rate, energy_mj)
        for (view, step, _), result in zip(batch, results):
            view.publish(step, result)
