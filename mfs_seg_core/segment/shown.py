# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Show steps in a live view while they run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.events.event_image import draw_events
from mfs_seg_core.segment.inputs import sensors_of
from mfs_seg_core.segment.run import Observer
from mfs_seg_core.segment.settings import Job
from mfs_seg_core.streaming.segmenter import Segmentation
from mfs_seg_core.streaming.step import Step
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.view.live import LiveView
from mfs_seg_core.view.step import ViewedStep
from mfs_seg_core.weights.header import find_weights, read_header

# Time of the input between two steps with firing rates: counting spikes takes as long as a step.
RATES_NS = 1_000_000_000


@contextmanager
def live_view(place: str, file: Path | None, jobs: Sequence[Job]) -> Iterator[Observer | None]:
    """
    Open a view of inputs that are segmented one after the other, and print the address of its page.

    :param place: 'web', 'window', or empty: none.
    :param file: file to record to; None: none.
    :param jobs: the inputs, of one call.
    :yields: what shows the steps; None: neither place nor file is given.
    :raises ValueError: Rerun is not installed, or the place cannot be used; one sentence.
    :raises OSError: the file cannot be written, or the program for the place does not start.
    """
    if not (place or file):
        yield None
        return
    settings = jobs[0].settings
    metadata = read_header(find_weights(settings.weights)).metadata
    classes = metadata.classes
    if settings.class_groups:
        classes = load_groups(settings.class_groups, classes).classes
    chosen = {settings.sensors or sensors_of(job.input, metadata.sensors) for job in jobs}
    sensors = tuple(name for name in SENSORS['fusion'] if any(name in SENSORS[each]
                                                              for each in chosen))
    # Of the next input, the stamps may be before those of the last.
    with LiveView(place, file, sensors, timeline='frame') as view:
        view.describe(classes)
        if view.page:
            print(f'Live view: {view.page}', flush=True)
        yield ShownSteps(view)
    if view.dropped:
        print(f'The view was too slow for {view.dropped} steps, and left them out')


class ShownSteps:
    """
    Shows the steps of inputs in a view.

    :param view: the view.
    """

    def __init__(self, view: LiveView):
        self._view = view
        self._job: Job | None = None
        self._counted_ns: int | None = None

    def wants_rates(self, step: Step) -> bool:
        """Return whether a second has passed since a step with firing rates; times may go back."""
        now_ns = step.header.stamp_ns
        if self._counted_ns is not None and abs(now_ns - self._counted_ns) < RATES_NS:
            return False
        self._counted_ns = now_ns
        return True

    def show(self, job: Job, step: Step, result: Segmentation) -> None:
        """
        Show a step.

        :param job: its input.
        :param step: the step.
        :param result: its result.
        :raises ValueError: an earlier step cannot be shown.
        """
        height, width = result.mask.shape
        # At the size of the mask, which lies over it.
        events = None if step.window is None else draw_events(step.window, width, height)
        status = '' if job is self._job else f'input: {job.input}'
        self._job = job
        self._view.log(ViewedStep(
            step.header.stamp_ns, step.image, events, result.mask, result.confidence,
            result.firing_rates, {'network': result.model_ms}, status))
