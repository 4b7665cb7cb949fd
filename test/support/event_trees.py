# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small copies of the folders of DDD17 and DSEC, with random events."""

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.events.types import Events


def random_events(count: int, duration_us: int, size: tuple[int, int], seed: int = 0) -> Events:
    random = np.random.default_rng(seed)
    return Events(np.sort(random.integers(0, duration_us, count)),
                  random.integers(0, size[0], count).astype(np.uint16),
                  random.integers(0, size[1], count).astype(np.uint16),
                  random.random(count) < 0.5)


def equal(one: Events, other: Events) -> bool:
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one, other))


def write_image(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Channels are blue, green, red, as OpenCV has them.
    assert cv2.imwrite(str(path), image)
    return path


def write_label(path: Path, size: tuple[int, int], class_id: int) -> Path:
    """Write a label of one class, with one unlabelled corner."""
    label = np.full(size[::-1], class_id, np.uint8)
    label[-5:, -5:] = 255
    return write_image(path, label)


def write_ess(root: Path, name: str, events: Events, stamps_us: list[int], masks: list[int],
              images: bool = False) -> Path:
    """Write a recording of DDD17 in the layout of ESS; mask number n is of class n % 6."""
    folder = root / name
    (folder / 'index').mkdir(parents=True)
    # 300 ns more: stamps are in nanoseconds, and not in whole microseconds.
    (events.t * 1000 + 300).astype('<i8').tofile(folder / 'events.dat.t')
    np.stack([events.x, events.y, events.p], 1).astype('<i2').tofile(folder / 'events.dat.xyp')
    stamps = np.array(stamps_us, np.int64)
    ends = np.searchsorted(events.t, stamps)
    for ms in (10, 50, 250):
        before = np.searchsorted(events.t, stamps - ms * 1000)
        np.save(folder / 'index' / f'index_{ms}ms.npy', np.stack([stamps * 1000, ends, before], 1))
    for number in masks:
        write_label(folder / 'segmentation_masks' / f'segmentation_{number:08d}.png', (346, 200),
                    number % 6)
        if images:
            write_image(folder / 'imgs' / f'img_{number:08d}.png',
                        np.full((260, 346), number, np.uint8))
    return folder


def write_ev_segnet(root: Path, split: str, recording: str, numbers: list[int],
                    images: bool = True) -> Path:
    """Write frames of DDD17 in the layout of Ev-SegNet; all values of tensor n are n."""
    folder = root / split
    (folder / 'events').mkdir(parents=True, exist_ok=True)
    for number in numbers:
        name = f'{recording}_export_{number}'
        write_label(folder / 'labels' / f'{name}.png', (346, 200), number % 6)
        np.save(folder / 'events' / f'{name}.npy', np.full((200, 346, 6), number, np.float64))
        if images:
            write_image(folder / 'images' / f'{name}.png', np.full((200, 346), number, np.uint8))
    return folder


def write_events_h5(path: Path, events: Events, offset_us: int | None) -> Path:
    """Write an event file of DSEC: stamps since ``offset_us``, Blosc, an index in milliseconds."""
    import h5py
    import hdf5plugin

    path.parent.mkdir(parents=True)
    t = events.t.astype(np.uint32)
    duration = int(t[-1]) // 1000 + 1 if len(t) else 1
    with h5py.File(path, 'w') as file:
        for name, values in (('t', t), ('x', events.x), ('y', events.y),
                             ('p', events.p.astype(np.uint8))):
            file.create_dataset(f'events/{name}', data=values, chunks=(1000,), maxshape=(None,),
                                **hdf5plugin.Blosc(cname='zstd'))
        file.create_dataset('ms_to_idx', chunks=(duration,), **hdf5plugin.Blosc(),
                            data=np.searchsorted(t, np.arange(duration) * 1000).astype(np.uint64))
        if offset_us is not None:
            file['t_offset'] = np.int64(offset_us)
    return path


def write_rectify_map(path: Path, rectify_map: np.ndarray | None = None) -> Path:
    """Write a rectification map; None: the identity."""
    import h5py

    if rectify_map is None:
        rectify_map = np.stack(np.meshgrid(np.arange(640), np.arange(480)), -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, 'w') as file:
        file.create_dataset('rectify_map', data=rectify_map.astype(np.float32), compression='gzip')
    return path


def write_dsec(folder: Path, events: Events, stamps_us: list[int], offset_us: int | None = 0,
               labels: str = 'semantic/11classes/data', stamps: str = 'semantic/timestamps.txt',
               images: bool = False) -> Path:
    """Write a recording of DSEC-Semantic; label i is of class i % 11."""
    write_events_h5(folder / 'events' / 'left' / 'events.h5', events, offset_us)
    write_rectify_map(folder / 'events' / 'left' / 'rectify_map.h5')
    for index in range(len(stamps_us)):
        write_label(folder / labels / f'{index:06d}.png', (640, 440), index % 11)
        if images:
            write_image(folder / 'images' / 'left' / 'ev_inf' / f'{index:06d}.png',
                        np.full((480, 640, 3), (200, 100, index), np.uint8))
    (folder / stamps).write_text(''.join(f'{stamp}\n' for stamp in stamps_us))
    return folder
