# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment one input, from its start or from where a run was interrupted."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.segment.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from mfs_seg_core.segment.figures import Figures
from mfs_seg_core.segment.inputs import open_input
from mfs_seg_core.segment.masks import MaskStore
from mfs_seg_core.segment.outputs import InputOutputs
from mfs_seg_core.segment.settings import Job, identity
from mfs_seg_core.segment.steps import StepHeader, steps_of
from mfs_seg_core.sources.device import device_of
from mfs_seg_core.streaming.segmenter import Segmentation, Segmenter
from mfs_seg_core.streaming.step import Step
from mfs_seg_core.util.files import write_json

SUMMARY, UNFINISHED = 'summary.json', 'unfinished'
# Steps between two checkpoints: at most so many run again after an interruption.
CHECKPOINT_STEPS = 25

# Called with the number of steps that the input has, or None, and returns what advances by one.
Progress = Callable[[int | None], Callable[[], None]]


class Observer(Protocol):
    """Receives steps while they run, such as a live view."""

    def wants_rates(self, step: Step) -> bool:
        """Return whether the step is to count its spikes, which takes as long as the step."""

    def show(self, job: Job, step: Step, result: Segmentation) -> None:
        """Receive a step of an input, and its result with confidence."""


class Outcome(NamedTuple):
    """
    Result of an input.

    :param input: the input.
    :param masks: number of its masks.
    :param miou: mIoU; None without truth.
    :param complete: whether all of it was segmented.
    :param remarks: sentences on what was left out, or on why it failed.
    """

    input: str
    masks: int
    miou: float | None
    complete: bool
    remarks: tuple[str, ...]


def segment(job: Job, progress: Progress | None = None, observer: Observer | None = None
            ) -> Outcome:
    """
    Segment an input, unless its results are there.

    :param job: input, folder and settings.
    :param progress: progress bar; None: none.
    :param observer: receives each step that runs; None: none.
    :returns: the result; a failure is one that is not complete, with its sentence.
    """
    try:
        segmenter = _loaded(job.settings.weights, job.settings.backend).sibling()
        facts = {**identity(job), 'backend': segmenter.backend}
        summary = _finished(job, facts)
        if summary is None:
            summary = _Run(job, facts, segmenter).run(progress, observer)
        return Outcome(job.input, summary['masks'], summary.get('miou'), summary['complete'],
                       tuple(summary['remarks']))
    except (ValueError, OSError) as error:
        return Outcome(job.input, 0, None, False, (str(error),))


@lru_cache(maxsize=1)
def _loaded(weights: str, backend: str) -> Segmenter:
    return Segmenter.from_weights(weights, backend=backend)


def _finished(job: Job, facts: dict[str, Any]) -> dict[str, Any] | None:
    """Return the summary of finished results; None: there are none."""
    path = job.folder / SUMMARY
    if device_of(job.input) is not None and (path.exists() or (job.folder / UNFINISHED).exists()):
        raise ValueError(f"'{job.folder}' holds an earlier recording of the camera: choose another "
                         '--output, or remove that folder')
    if not path.exists():
        return None
    try:
        summary = json.loads(path.read_text())
        _check_same(job, summary['job'], facts)
        return summary
    except (KeyError, TypeError, json.JSONDecodeError):
        raise ValueError(f"'{path}' is no summary of results: choose another --output") from None


def _check_same(job: Job, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise ValueError where results were made by other settings or of another input."""
    changed = [name for name in now if before.get(name) != now[name]]
    if changed:
        was = ', '.join(f'{name} was {before.get(name)!r} and is {now[name]!r}' for name in changed)
        raise ValueError(f"the results in '{job.folder}' are of another input or other options "
                         f'({was}): choose another --output, or remove that folder')


class _Run:
    """One run over an input: which steps were done before, and which are to do."""

    def __init__(self, job: Job, facts: dict[str, Any], segmenter: Segmenter):
        self._job, self._facts, self._segmenter = job, facts, segmenter
        self._unfinished = job.folder / UNFINISHED
        settings = job.settings
        self._source, self._sensors = open_input(job.input, settings, segmenter)
        self._done = self._begin()
        requested = settings.outputs
        self._confidence = bool({'confidence', 'bag'} & set(requested))

        def place(name: str) -> Path:
            return (job.folder if name in requested else self._unfinished) / name

        self._groups = (load_groups(settings.class_groups, segmenter.classes)
                        if settings.class_groups else None)
        self._classes = self._groups.classes if self._groups else segmenter.classes
        self._store = MaskStore(place('masks'), place('confidence') if self._confidence else None,
                                self._classes)
        self._figures = Figures(segmenter.classes, self._groups)
        self._resets: Counter[str] = Counter()
        self._masks = 0

    def _begin(self) -> Checkpoint:
        """Return the checkpoint of an interrupted run, or write the first one."""
        found = read_checkpoint(self._unfinished)
        if found is not None:
            _check_same(self._job, found[1], self._facts)
            return found[0]
        folder = self._job.folder
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(f"'{folder}' holds other files: choose another --output")
        write_checkpoint(self._unfinished, Checkpoint(), self._facts)
        return Checkpoint()

    def run(self, progress: Progress | None, observer: Observer | None) -> dict[str, Any]:
        """Segment the input, write all outputs, and return the summary."""
        settings = self._job.settings
        advance = progress(self._expected()) if progress else lambda: None
        outputs = None
        try:
            outputs = InputOutputs(self._job, self._unfinished, self._classes, self._groups)
            steps = steps_of(outputs.seen(self._source), self._sensors, settings.window_s,
                             settings.max_gap_s)
            for name, step, result in self._results(steps, observer):
                self._masks += 1
                self._figures.add(name, step.header, result.mask)
                outputs.add(step, result)
                advance()
            outputs.finish()
        finally:
            if outputs:
                outputs.discard()
            if not self._masks:
                self._remove()
        return self._finish(outputs.remarks)

    def _remove(self) -> None:
        """Remove the folder of an input without a mask, which is no result to continue."""
        shutil.rmtree(self._unfinished, ignore_errors=True)
        with suppress(OSError):
            self._job.folder.rmdir()

    def _expected(self) -> int | None:
        most = self._job.settings.frames
        if self._sensors == 'events':
            return most or None
        found = self._source.expected_frames
        return min(found, most) if found and most else found or most or None

    def _results(self, steps: Iterator[Step], observer: Observer | None
                 ) -> Iterator[tuple[str, Step, Segmentation]]:
        """Yield name, step and result of all steps; those done before are read, not run."""
        names: set[str] = set()
        for index, step in enumerate(islice(steps, self._job.settings.frames or None)):
            name = _name_of(step.header, index, names)
            check = step.header.check
            if check.reset:
                self._resets[check.reset.cause] += 1
            if index < self._done.steps:
                result = Segmentation(*self._store.read(name), None, None, 0.0)
            else:
                if index == self._done.steps:
                    self._segmenter.state = self._done.state
                if check.reset:
                    self._segmenter.reset()
                result = self._segmenter.step(
                    step.image, check.elapsed_s, self._confidence or observer is not None,
                    observer is not None and observer.wants_rates(step), step.window)
                if self._groups:
                    result = replace(result, mask=self._groups.apply(result.mask))
                self._store.write(name, result.mask, result.confidence)
                if observer:
                    observer.show(self._job, step, result)
            yield name, step, result
            if (index + 1) % CHECKPOINT_STEPS == 0 and index >= self._done.steps:
                write_checkpoint(self._unfinished,
                                 Checkpoint(index + 1, self._segmenter.state), self._facts)

    def _finish(self, remarks: list[str]) -> dict[str, Any]:
        report, folder = self._source.report, self._job.folder
        remarks = [*report.sentences(), *filter(None, [self._figures.remark]), *remarks]
        self._figures.write_csv(folder / 'shares.csv')
        summary = {'job': self._facts, 'weights': self._segmenter.name, 'sensors': self._sensors,
                   'complete': not (report.incomplete or report.skipped), 'remarks': remarks,
                   'resets': dict(self._resets), **self._figures.summary()}
        write_json(folder / SUMMARY, summary)
        shutil.rmtree(self._unfinished, ignore_errors=True)
        return summary


def _name_of(header: StepHeader, index: int, names: set[str]) -> str:
    """Return a name that no step before has: that of the image's file, or its number."""
    name = header.name or f'{index:06d}'
    if name in names:
        name = f'{name}_{index:06d}'
    names.add(name)
    return name
