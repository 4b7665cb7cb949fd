# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mutated bags: all readers return items or raise one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from support.bags import (
    KINDS,
    ROS1,
    compressed,
    event_array,
    file_of,
    image,
    packet,
    write_bag,
)
from support.event_encoders import libcaer
from support.event_trees import random_events

from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.types import Events
from mfs_seg_core.sources.open_source import open_source

# Per kind of file; a long run sets another number.
EXAMPLES = int(os.environ.get('BAG_FUZZ_EXAMPLES', '60'))
START_NS, STEP_NS = 1_700_000_000 * 10**9, 10_000_000
SIZE = 64, 48
COMPRESSIONS = {
    StoragePlugin.MCAP: (CompressionMode.STORAGE, CompressionFormat.ZSTD),
    StoragePlugin.SQLITE3: (CompressionMode.MESSAGE, CompressionFormat.ZSTD),
    ROS1: (Ros1Writer.CompressionFormat.LZ4,),
}


def seed_bag(path: Path, kind, packed: bool) -> bytes:
    """Return the bytes of a bag with images, packets and arrays."""
    events = random_events(60, STEP_NS // 1000 * 6, SIZE)
    events = events._replace(t=events.t + START_NS // 1000)
    topics = {'/a/image': [], '/b/compressed': [], '/c/packets': [], '/d/arrays': []}
    jpeg = cv2.imencode('.jpg', np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    for index in range(6):
        now = START_NS + index * STEP_NS
        part = Events(*(field[index * 10:index * 10 + 10] for field in events))
        topics['/a/image'].append(
            (now, image(np.full((8, 8, 3), index, np.uint8), 'rgb8', now, kind)))
        topics['/b/compressed'].append((now, compressed(jpeg, 'jpeg', now, kind)))
        topics['/c/packets'].append((now, packet(libcaer(part), 'libcaer', SIZE, now, index, kind)))
        topics['/d/arrays'].append((now, event_array(part, SIZE, now, kind)))
    bag = write_bag(path, topics, kind, COMPRESSIONS[kind] if packed else None)
    return file_of(bag).read_bytes()


@st.composite
def mutations(draw, data: bytes) -> bytes:
    """Bytes of which some are others, a block is missing, zero or twice there, or the end lacks."""
    changed = bytearray(data)
    places = st.integers(0, len(data) - 1)
    for _ in range(draw(st.integers(0, 8))):
        changed[draw(places)] = draw(st.one_of(st.sampled_from([0, 1, 127, 128, 255]),
                                               st.integers(0, 255)))
    if draw(st.booleans()):
        begin, size = draw(places), draw(st.sampled_from([1, 2, 4, 8, 512, 4096]))
        block = changed[begin:begin + size]
        change = draw(st.sampled_from(['zero', 'ones', 'remove', 'twice', 'move']))
        if change in ('zero', 'ones'):
            changed[begin:begin + size] = (b'\0' if change == 'zero' else b'\xff') * len(block)
        elif change == 'twice':
            changed[begin:begin] = block
        else:
            del changed[begin:begin + size]
            if change == 'move':
                to = draw(places)
                changed[to:to] = block
    if draw(st.integers(0, 3)) == 0:
        del changed[draw(places):]
    return bytes(changed)


def read_all(path: Path) -> list[str]:
    """Read a file by all readers; return their sentences."""
    sentences = []
    try:
        recording = open_recording(path)
        for events in recording:
            assert (events.x < recording.size[0]).all() and (events.y < recording.size[1]).all()
        sentences += recording.notes
    except ValueError as error:
        sentences.append(str(error))
    for sensors in ('camera', 'fusion'):
        source = None
        try:
            source = open_source(path, sensors=sensors)
            for _ in source:
                pass
        except ValueError as error:
            sentences.append(str(error))
        if source is not None:
            sentences += [*source.report.notes, *source.report.first_skipped]
    return sentences


@pytest.mark.parametrize('packed', [False, True], ids=['plain', 'compressed'])
@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: getattr(kind, 'name', kind))
def test_mutated_bags(tmp_path, kind, packed):
    data = seed_bag(tmp_path / 'seed', kind, packed)
    target = tmp_path / {StoragePlugin.MCAP: 'a.mcap', StoragePlugin.SQLITE3: 'a.db3',
                         ROS1: 'a.bag'}[kind]
    target.write_bytes(data)
    assert read_all(target) == []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES < 100,
              suppress_health_check=list(HealthCheck))
    @given(mutated=mutations(data))
    def read(mutated):
        target.write_bytes(mutated)
        for sentence in read_all(target):
            assert sentence.isprintable(), sentence

    read()
