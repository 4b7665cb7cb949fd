# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of real cameras decode to the events of an independent decoder."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from support.paths import SHARED_DATA

from mfs_seg_core.events.decoders import open_decoder
from mfs_seg_core.events.packet import read_packet
from mfs_seg_core.events.types import concatenate

EVENTS = SHARED_DATA / 'events'
pytestmark = pytest.mark.skipif(not EVENTS.is_dir(), reason=f'no recordings in {EVENTS}')
GOLDEN = (json.loads((EVENTS / 'golden_decode.json').read_text()) if EVENTS.is_dir() else {})


def payloads(path: Path, encoding: str):
    """Yield width, height, time base and bytes of a recording's packets."""
    if path.is_dir():
        from rosbags.rosbag2 import Reader

        file, = (*path.glob('*.db3'), *path.glob('*.mcap'))
        with Reader(file) as reader:
            for _, _, message in reader.messages():
                packet = read_packet(message)
                assert packet.encoding == encoding
                yield packet.width, packet.height, packet.time_base_ns, packet.payload
        return
    data = path.read_bytes()
    while data.startswith(b'%'):
        data = data[data.index(b'\n') + 1:]
    for start in range(0, len(data), 1000):
        yield 1280, 720, 0, data[start:start + 1000]


@pytest.mark.parametrize('name', GOLDEN)
def test_golden(name):
    golden = GOLDEN[name]
    golden = {**GOLDEN[golden['same_as']], **golden} if 'same_as' in golden else golden
    encoding = golden['encoding'].lower()
    decoder, parts, stamps, triggers = None, [], [], []
    for width, height, time_base_ns, payload in payloads(EVENTS / name, encoding):
        decoder = decoder or open_decoder(encoding, width, height)
        parts.append(decoder.decode(payload, time_base_ns))
        stamps.append(decoder.stamps)
        triggers.append(decoder.triggers)
    events, t = concatenate(parts), np.concatenate(stamps)
    assert decoder.UNIT_NS == {'us': 1000, 'ns': 1}[golden['t_unit']]
    found = {'n': events.count, 'n_on': events.p.sum(), 'n_off': (~events.p).sum(),
             't_first': t[0], 't_last': t[-1], 'sum_t': sum(t.tolist()),
             'sum_x': events.x.sum(dtype=int), 'sum_y': events.y.sum(dtype=int)}
    assert found == {key: golden[key] for key in found}
    fields = {'t_int64': t, 'x_uint16': events.x, 'y_uint16': events.y,
              'p_uint8': events.p.view(np.uint8)}
    hashes = {key: hashlib.sha256(field.tobytes()).hexdigest() for key, field in fields.items()}
    assert hashes == golden.get('sha256', hashes)
    assert not any(decoder.faults.values())
    t, ids, edges = map(np.concatenate, zip(*triggers))
    expected = golden.get('triggers', {'n': 0, 'n_edge0': 0, 'n_edge1': 0, 'ids': [], 'sum_t': 0})
    assert expected == {'n': t.size, 'n_edge0': (~edges).sum(), 'n_edge1': edges.sum(),
                        'ids': np.unique(ids).tolist(), 'sum_t': t.sum()}
