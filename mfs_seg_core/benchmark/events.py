# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Speed of EVT3 decoding and of event tensors, against the peers that are installed.

All implementations take turns, round by round; a ratio is the median of the rounds' ratios. Times
are processor time of all threads of this process, so that other processes do not change them. The
peers evt3 and expelliarmus decode, tonic makes voxel grids; NumPy is always present.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mfs_seg_core.events.decoders import open_decoder
from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.pixel_map import PixelMap
from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.events.types import Events, concatenate

PACKET_KB = (2, 16, 256)
SENSOR = 1280, 720
# Width and height: of the network's input, and of the sensor.
GRIDS = (240, 180), SENSOR
BINS = 5
WINDOW_EVENTS = 500_000
OURS = 'mfs_seg_core'

Job = Callable[[], object]


def benchmark_events(count: int, rounds: int, path: Path | None) -> None:
    """
    Print the comparisons of decoders and of event tensors.

    :param count: events to decode, at least.
    :param rounds: rounds to take medians over.
    :param path: a RAW file of EVT3, repeated until it has ``count`` events; None: a synthetic
        stream.
    :raises ValueError: the file is no RAW file of EVT3, or has no events.
    """
    data, size = (synthetic(count), SENSOR) if path is None else repeated(path, count)
    events = decode(data, 1 << 18, size)
    source = path or 'a synthetic stream'
    print(f'Decoding EVT3: {events.count:,} events of {source}, {len(data) / events.count:.2f} '
          f'bytes each; processor time, median of {rounds} rounds')
    for kb in PACKET_KB:
        compare(f'packets of {kb} KB', decoding_jobs(data, kb << 10, size), events.count, rounds)
    with tempfile.TemporaryDirectory() as folder:
        jobs = file_jobs(Path(folder) / 'events.raw', data, size)
        if len(jobs) > 1:
            compare('a whole file', jobs, events.count, rounds)
    events = events.where(slice(WINDOW_EVENTS))
    # Times jump back where a file is repeated, but a window needs them in order.
    events = events._replace(t=np.sort(events.t))
    window = EventWindow(events, int(events.t[0]), int(events.t[-1]) + 1, size)
    print(f'Tensors of {events.count:,} events, {BINS} bins for each polarity, {size[0]}x{size[1]} '
          f'sensor; processor time, median of {rounds} rounds')
    for width, height in dict.fromkeys((GRIDS[0], size)):
        compare(f'a grid of {width}x{height}', tensor_jobs(window, width, height), events.count,
                rounds)


def synthetic(count: int) -> bytes:
    """Encode events of moving edges: some neighbours in a row at a time, about 20 Mev/s."""
    random = np.random.default_rng(0)
    # A part of this length is repeated: it is too long for caches to profit from the repetition.
    lengths = random.integers(1, 8, min(count, 1_000_000) // 4 + 1)
    t = np.cumsum(random.random(len(lengths)) < 0.2)
    y = random.integers(0, SENSOR[1], len(lengths))
    x = random.integers(0, SENSOR[0] - lengths.max(), len(lengths))
    p = random.random(len(lengths)) < 0.5
    starts = np.cumsum(lengths) - lengths
    t, y, x, p = (np.repeat(field, lengths) for field in (t, y, x - starts, p))
    tile = Events(t, (x + np.arange(len(x))).astype(np.uint16), y.astype(np.uint16), p)
    span = int(t[-1]) + 1
    return encode_evt3(concatenate([tile._replace(t=tile.t + turn * span)
                                    for turn in range(-(-count // tile.count))]))


def repeated(path: Path, count: int) -> tuple[bytes, tuple[int, int]]:
    """Return the stream of a RAW file, repeated to at least ``count`` events, and its size."""
    recording = open_recording(path)
    if recording.encoding != 'evt3':
        raise ValueError(f'{path} is encoded as {recording.encoding}: give a RAW file of EVT3')
    found = sum(events.count for events in recording)
    if not found:
        raise ValueError(f'{path} has no events: give a RAW file with some')
    data = path.read_bytes()[recording.start:]
    data = data[:len(data) // 2 * 2]
    return data * -(-count // found), recording.size


def decode(data: bytes, packet: int, size: tuple[int, int]) -> Events:
    """Decode a stream in packets of ``packet`` bytes."""
    decoder = open_decoder('evt3', *size)
    return concatenate([decoder.decode(data[start:start + packet])
                        for start in range(0, len(data), packet)])


def decoding_jobs(data: bytes, packet: int, size: tuple[int, int]) -> dict[str, Job]:
    """Return decoders of packets by name, as functions that return the number of events."""
    packets = [data[start:start + packet] for start in range(0, len(data), packet)]

    def ours() -> int:
        decoder = open_decoder('evt3', *size)
        return sum(decoder.decode(part).count for part in packets)

    jobs: dict[str, Job] = {OURS: ours}
    try:
        import evt3
    except ImportError:
        return jobs

    def theirs() -> int:
        decoder = evt3.Decoder(*size)
        return sum(len(decoder.feed(part).x) for part in packets)

    return {**jobs, 'evt3': theirs}


def file_jobs(path: Path, data: bytes, size: tuple[int, int]) -> dict[str, Job]:
    """Return decoders of files by name, as functions that return the number of events."""
    path.write_bytes(f'% evt 3.0\n% geometry {size[0]}x{size[1]}\n% end\n'.encode() + data)

    def ours() -> int:
        return concatenate(list(open_recording(path))).count

    jobs: dict[str, Job] = {OURS: ours}
    try:
        from expelliarmus import Wizard
    except ImportError:
        return jobs
    return {**jobs, 'expelliarmus': lambda: len(Wizard(encoding='evt3').read(path))}


def tensor_jobs(window: EventWindow, width: int, height: int) -> dict[str, Job]:
    """
    Return implementations of voxel grids by name, as functions that return the grid.

    Grids are float32 ``[2 * B, H, W]`` of counts, ours of their logarithm. That of tonic is
    ``[B, 1, H, W]`` at the sensor's size, with polarities as signs.

    :param window: the events.
    :param width: width of the grid.
    :param height: height of the grid.
    :returns: functions by name.
    """
    events, size = window.events, window.size
    cells, count = PixelMap.scaling(size).cells(width, height), width * height
    scale = (BINS - 1) / (window.end_us - window.start_us)

    def shares() -> tuple[np.ndarray, np.ndarray]:
        """Return indices into the flat grid, and the shares added there, of both nearest bins."""
        place = (events.t - window.start_us) * scale
        low = place.astype(np.int64)
        share = (place - low).astype(np.float32)
        index = (2 * low + events.p) * count + cells[events.y * np.int64(size[0]) + events.x]
        # All times lie before the end of the window, so the bin after `low` exists.
        return (np.concatenate([index, index + 2 * count]), np.concatenate([1 - share, share]))

    def bincount() -> np.ndarray:
        grid = np.bincount(*shares(), minlength=2 * BINS * count)
        return grid.astype(np.float32).reshape(2 * BINS, height, width)

    def add_at() -> np.ndarray:
        grid = np.zeros(2 * BINS * count, np.float32)
        np.add.at(grid, *shares())
        return grid.reshape(2 * BINS, height, width)

    jobs: dict[str, Job] = {OURS: lambda: event_tensor(window, BINS, width, height),
                            'np.bincount': bincount, 'np.add.at': add_at}
    if (width, height) != tuple(size):
        return jobs
    try:
        from tonic.functional import to_voxel_grid_numpy
    except ImportError:
        return jobs
    kinds = [(name, field.dtype) for name, field in zip(Events._fields, events)]
    rows = np.empty(events.count, kinds)
    for name, field in zip(Events._fields, events):
        rows[name] = field
    # tonic modifies its input. The copy takes little of its time.
    return {**jobs, 'tonic': lambda: to_voxel_grid_numpy(rows.copy(), (*size, 2), BINS)}


def compare(title: str, jobs: dict[str, Job], count: int, rounds: int) -> None:
    """Run jobs in turns; print the events per second of each, and the ratio of ours to it."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(1 + rounds):
        for name, job in jobs.items():
            start = time.process_time()
            found = job()
            seconds[name].append(time.process_time() - start)
            if turn == 0 and isinstance(found, int) and found != count:
                print(f'{title:<20} {name} found {found:,} events instead of {count:,}')
    for name, times in seconds.items():
        # The first round warms up.
        ratio = statistics.median(other / own for own, other in zip(seconds[OURS][1:], times[1:]))
        print(f'{title:<20} {name:<13} {count / statistics.median(times[1:]) / 1e6:8.1f} Mev/s'
              + ('' if name == OURS else f'   ours / {name}: {ratio:.2f}'))
