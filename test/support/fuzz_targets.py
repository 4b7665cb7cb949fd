# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The readers that are fuzzed; a new reader adds a row here."""

from __future__ import annotations

from pathlib import Path

from mfs_seg_core.events.recordings import open_recording
from support.event_files import SIZE, WRITERS
from support.event_trees import random_events
from support.fuzzing import Target

EVENTS = random_events(700, 90_000, SIZE)


def read_events(path: Path) -> int:
    """Read all events, triggers and frames of a recording; return the number of events."""
    recording = open_recording(path)
    count = sum(events.count for events in recording)
    assert recording.accepted == count
    assert recording.triggers.t.size >= 0 and all(recording.faults.values())
    for _ in recording.frames():
        pass
    return count


def _event_target(name: str) -> Target:
    suffix, write = WRITERS[name]
    return Target(name, suffix, lambda path: write(path, EVENTS), read_events)


TARGETS = {target.name: target for target in (
    *map(_event_target, WRITERS),
)}
