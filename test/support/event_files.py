# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writers of recordings in all formats but bags, from the public descriptions of the formats."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mfs_seg_core.events.types import Events
from support.event_encoders import evt2, evt3, evt21, evt21_legacy

SIZE = 346, 260


def columns(events: Events, order: str) -> np.ndarray:
    """Return the events as float64 ``[N, 4]``; 's' is t in seconds, 'q' is p as -1 or 1."""
    fields = {**events._asdict(), 's': events.t / 1e6, 'q': events.p * 2.0 - 1}
    return np.stack([fields[name] for name in order], 1).astype(np.float64)


def structure(events: Events, kind: list[tuple[str, str]]) -> np.ndarray:
    """Return the events as a structured array with the first letters of its fields."""
    rows = np.zeros(events.count, kind)
    for name, _ in kind:
        rows[name] = getattr(events, name[0])
    return rows


def text(events: Events, line: str = '{t} {x} {y} {p}', head: str = '') -> bytes:
    """Return lines of text; {s}, {ms}, {ns}, {q} and {i} are other forms and the index."""
    rows = zip(*(field.astype(int).tolist() for field in events))
    return (head + ''.join(
        line.format(t=t, s=t / 1e6, ms=t / 1e3, ns=t * 1000, x=x, y=y, p=p, q=2 * p - 1, i=i,
                    b=bool(p)) + '\n' for i, (t, x, y, p) in enumerate(rows))).encode()


def raw(encode: Callable[[Events], bytes], head: str) -> Callable[[Events], bytes]:
    return lambda events: head.encode() + b'% end\n' + encode(events)


def dat(events: Events) -> bytes:
    words = (events.p.astype(np.uint32) << 28 | events.y.astype(np.uint32) << 14
             | events.x.astype(np.uint32))
    return b'% Version 2\n% Width 346\n% Height 260\n\x0c\x08' + np.stack(
        [events.t.astype(np.uint32), words], 1).astype('<u4').tobytes()


AEDAT20_HEAD = ('#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n'
                '# Timestamps tick is 1 us\r\n')


def aedat20(events: Events, head: str = AEDAT20_HEAD, shifts=(22, 12, 11), size=SIZE,
            on: int = 1) -> bytes:
    """Return AEDAT 2.0, whose origin is the lower right corner."""
    row, column = (limit - 1 - field.astype(np.uint32) for limit, field in
                   ((size[1], events.y), (size[0], events.x)))
    bit = events.p.astype(np.uint32) if on else 1 - events.p.astype(np.uint32)
    address = row << shifts[0] | column << shifts[1] | bit << shifts[2]
    return head.encode() + np.stack([address, events.t.astype(np.uint32)], 1).astype(
        '>u4').tobytes()


AEDAT31_HEAD = ('#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS346\r\n'
                '#Start-Time: 2018-01-01 10:00:00 (TZ+0100)\r\n#!END-HEADER\r\n')


def aedat31_packet(kind: int, data: np.ndarray, t: np.ndarray, source: int = 1,
                   spare: int = 0) -> bytes:
    """Return a packet of events of 8 bytes, with room for ``spare`` more."""
    body = np.stack([data, t & 0x7fffffff], 1).astype('<u4').tobytes()
    overflows = int(t[0]) >> 31 if len(t) else 0
    return struct.pack('<hhiiiiii', kind, source, 8, 4, overflows, len(t) + spare, len(t),
                       len(t)) + body + bytes(8 * spare)


def aedat31(events: Events, head: str = AEDAT31_HEAD) -> bytes:
    """Return AEDAT 3.1: packets of at most 1000 events, with frames and special events between."""
    data = (events.x.astype(np.int64) << 17 | events.y.astype(np.int64) << 2
            | events.p.astype(np.int64) << 1 | 1)
    parts = [head.encode()]
    for first in range(0, events.count, 1000):
        chosen = slice(first, first + 1000)
        parts += [aedat31_packet(1, data[chosen], events.t[chosen], spare=first % 3),
                  struct.pack('<hhiiiiii', 2, 1, 40, 12, 0, 1, 1, 1) + bytes(40),
                  # A rising edge at the input, and a wrap of the time.
                  aedat31_packet(0, np.array([2 << 1 | 1, 1]), events.t[chosen][[0, 0]])]
    return b''.join(parts)


AEDAT4_INFO = """<dv version="2.0"><node name="outInfo" path="/r/outInfo/">
<node name="0" path="/r/outInfo/0/"><attr key="compression" type="string">NONE</attr>
<attr key="typeIdentifier" type="string">EVTS</attr><node name="info" path="/r/outInfo/0/info/">
<attr key="sizeX" type="int">346</attr><attr key="sizeY" type="int">260</attr>
<attr key="source" type="string">DAVIS346</attr></node></node></node></dv>
"""


def aedat4(events: Events) -> bytes:
    """Return AEDAT 4 without compression: FlatBuffers of a header, and of 500 events each."""
    info = AEDAT4_INFO.encode()
    head = (struct.pack('<I4s6x5H', 24, b'IOHE', 10, 20, 16, 8, 4)
            + struct.pack('<iIqiI', 10, 16, -1, 0, len(info)) + info + b'\0')
    parts = [b'#!AER-DAT4.0\r\n', struct.pack('<I', len(head)), head]
    kind = np.dtype({'names': [*'txyp'], 'formats': ['<i8', '<i2', '<i2', '?'],
                     'offsets': [0, 8, 10, 12], 'itemsize': 16})
    for first in range(0, events.count, 500):
        part = events.where(slice(first, first + 500))
        rows = np.zeros(part.count, kind)
        for name in 'txyp':
            rows[name] = getattr(part, name)
        body = (struct.pack('<I4sxx3HiII', 16, b'EVTS', 6, 8, 4, 6, 4, part.count)
                + rows.tobytes())
        body = struct.pack('<I', len(body)) + body
        parts.append(struct.pack('<ii', 0, len(body)) + body)
    return b''.join(parts)


def hdf5(path: Path, datasets: dict[str, np.ndarray], attributes: dict | None = None,
         **options) -> Path:
    """Write datasets and attributes of the root."""
    import h5py

    with h5py.File(path, 'w') as file:
        for name, values in datasets.items():
            file.create_dataset(name, data=values, **(options if np.ndim(values) else {}))
        file.attrs.update(attributes or {})
    return path


def dsec(events: Events) -> dict[str, np.ndarray]:
    return {f'events/{name}': values for name, values in (
        ('t', events.t.astype(np.uint32)), ('x', events.x), ('y', events.y),
        ('p', events.p.astype(np.uint8)))}


def m3ed(events: Events) -> dict[str, np.ndarray]:
    parts = {f'prophesee/{side}/{name}': values for side in ('right', 'left') for name, values in (
        ('t', events.t if side == 'left' else events.t + 1), ('x', events.x), ('y', events.y),
        ('p', events.p.astype(np.int8)))}
    return {**parts, 'prophesee/left/ms_map_idx': np.arange(4),
            'prophesee/left/calib/resolution': np.array([1280, 720])}


def e2vid(events: Events) -> dict[str, np.ndarray]:
    return {'events/ts': events.t / 1e6, 'events/xs': events.x.astype(np.int16),
            'events/ys': events.y.astype(np.int16), 'events/ps': events.p,
            'images/image000000000': np.zeros((260, 346), np.uint8)}


def metavision(events: Events) -> dict[str, np.ndarray]:
    kind = [('x', '<u2'), ('y', '<u2'), ('p', '<i2'), ('t', '<i8')]
    triggers = np.array([(1, 5, 0), (0, 9, 6)], [('p', '<i2'), ('t', '<i8'), ('id', '<i2')])
    return {'CD/events': structure(events, kind), 'EXT_TRIGGER/events': triggers,
            'CD/indexes': np.zeros(3, [('id', '<u8'), ('ts', '<i8')])}


def mvsec(events: Events) -> dict[str, np.ndarray]:
    return {'davis/left/events': columns(events, 'xysq'),
            'davis/right/events': columns(events.where(slice(0, 9)), 'xysq'),
            'davis/left/imu': np.zeros((7, 6)), 'davis/left/image_raw_ts': np.zeros(3)}


def v2e(events: Events) -> dict[str, np.ndarray]:
    return {'events': columns(events, 'txyp').astype(np.uint32)}


def _bytes(make: Callable[[Events], bytes]) -> Callable[[Path, Events], None]:
    def write(path: Path, events: Events) -> None:
        path.write_bytes(make(events))
    return write


def _hdf5(make: Callable[[Events], dict], attributes: dict | None = None,
          **options) -> Callable[[Path, Events], None]:
    def write(path: Path, events: Events) -> None:
        hdf5(path, make(events), attributes, **options)
    return write


def _npy(path: Path, events: Events) -> None:
    np.save(path, structure(events, [('x', '<u2'), ('y', '<u2'), ('p', '?'), ('t', '<i8')]))


def _npz(path: Path, events: Events) -> None:
    np.savez_compressed(path, x=events.x, y=events.y, t=events.t, p=events.p)


#: By name: suffix, and function that writes events of a sensor of SIZE to a path.
WRITERS: dict[str, tuple[str, Callable[[Path, Events], None]]] = {
    'raw_evt3': ('.raw', _bytes(raw(evt3, '% evt 3.0\n% geometry 346x260\n'))),
    'raw_evt2': ('.raw', _bytes(raw(evt2, '% format EVT2;height=260;width=346\n'))),
    'raw_evt21': ('.raw', _bytes(raw(evt21, '% format EVT21;height=260;width=346\n'))),
    'raw_legacy': ('.raw', _bytes(raw(evt21_legacy, '% format EVT21;height=260;width=346\n'))),
    'dat': ('.dat', _bytes(dat)),
    'text': ('.txt', _bytes(text)),
    'csv': ('.csv', _bytes(lambda events: text(events, '{x},{y},{p},{t}',
                                               '%geometry:346,260\n'))),
    'aedat20': ('.aedat', _bytes(aedat20)),
    'aedat31': ('.aedat', _bytes(aedat31)),
    'aedat4': ('.aedat4', _bytes(aedat4)),
    'npy': ('.npy', _npy),
    'npz': ('.npz', _npz),
    'dsec': ('.h5', _hdf5(dsec)),
    'dsec_gzip': ('.h5', _hdf5(dsec, chunks=(256,), compression='gzip')),
    'm3ed': ('.h5', _hdf5(m3ed)),
    'e2vid': ('.h5', _hdf5(e2vid, {'sensor_resolution': SIZE[::-1]})),
    'metavision': ('.hdf5', _hdf5(metavision, {'geometry': '346x260'})),
    'mvsec': ('.hdf5', _hdf5(mvsec)),
    'v2e': ('.h5', _hdf5(v2e)),
}
