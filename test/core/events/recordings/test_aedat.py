# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AEDAT 2.0, 3.1 and 4: chips, heads, packets, triggers and frames, damage and cuts."""

import struct

import numpy as np
import pytest
from support.event_files import (
    AEDAT20_HEAD,
    AEDAT31_HEAD,
    aedat4,
    aedat20,
    aedat31,
    aedat31_packet,
)
from support.event_trees import equal, random_events

from mfs_seg_core.bags.storage import zstd
from mfs_seg_core.events.recordings import aedat20 as reader
from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.recordings.aedat4_file import LZ4, ZSTD, Aedat4File
from mfs_seg_core.events.types import concatenate

EVENTS = random_events(3000, 300_000, (346, 260))
PREFERENCES = ('# AEChip: eu.seebetter.ini.chips.davis.{}\r\n# Start of Preferences\r\n'
               + '#<entry key="Davis346.chip.bias" value="1"/>\r\n' * 2000
               + '# End of Preferences for this AEChip\r\n')


def read(path, data: bytes, **options):
    path.write_bytes(data)
    recording = open_recording(path, **options)
    return concatenate(list(recording)), recording


@pytest.mark.parametrize('chip, size', [
    ('Davis346blue', (346, 260)), ('DAVIS240C', (240, 180)), ('Davis640', (640, 480)),
    ('SBRet21', (240, 180))])
def test_head_of_jaer(tmp_path, chip, size):
    inside = EVENTS.where((EVENTS.x < size[0]) & (EVENTS.y < size[1]))
    head = AEDAT20_HEAD + PREFERENCES.format(chip)
    events, recording = read(tmp_path / 'a.txt', aedat20(inside, head, size=size))
    assert equal(events, inside)
    assert (recording.size, recording.size_origin, recording.faults) == (size, '', {})


@pytest.mark.parametrize('shifts, size, on', [
    ((22, 12, 11), (346, 260), 1), ((22, 12, 11), (240, 180), 1), ((11, 1, 0), (640, 480), 1),
    ((8, 1, 0), (128, 128), 0)])
def test_head_without_a_chip(tmp_path, shifts, size, on):
    """As v2e writes it; the chip follows from the bits that are used."""
    written = random_events(3000, 300_000, size)
    data = aedat20(written, shifts=shifts, size=size, on=on)
    events, recording = read(tmp_path / 'a.aedat', data)
    assert equal(events, written) and recording.size == size and recording.size_origin


def test_frames_and_special_events_are_skipped(tmp_path):
    other = struct.pack('>IIIIII', 0x80001234, 5, 0x400, 6, 0x80000c00, 7)
    events, recording = read(tmp_path / 'a.aedat', aedat20(EVENTS) + other)
    assert equal(events, EVENTS) and recording.faults == {}


def test_first_address_that_looks_like_a_head(tmp_path):
    """Its first byte is '#', but the rest is no text."""
    first = EVENTS._replace(y=np.full(3000, 259 - 0x23 * 4, np.uint16))
    data = aedat20(first)
    assert data[len(AEDAT20_HEAD):][:1] == b'#'
    assert equal(read(tmp_path / 'a.aedat', data)[0], first)


def test_time_of_32_bits_wraps(tmp_path, monkeypatch):
    """The wrap lies in the third chunk, and applies to later ones."""
    monkeypatch.setattr(reader, 'CHUNK', 701)
    late = EVENTS._replace(t=EVENTS.t + 2**32 - 150_000)
    data = aedat20(late._replace(t=late.t % 2**32))
    assert equal(read(tmp_path / 'a.aedat', data)[0], late)


@pytest.mark.parametrize('head, message', [
    (AEDAT20_HEAD + '# AEChip: ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1c\r\n',
     'is of the chip CochleaAMS1c, whose addresses are not known'),
    ('#!AER-DAT1.0\r\n', 'is AEDAT of version 1.0')])
def test_other_chips_are_refused(tmp_path, head, message):
    with pytest.raises(ValueError, match=f'a.aedat {message}'):
        read(tmp_path / 'a.aedat', aedat20(EVENTS, head))


def test_packets_of_aedat31(tmp_path):
    events, recording = read(tmp_path / 'a.aedat', aedat31(EVENTS))
    assert equal(events, EVENTS) and recording.size == (346, 260) and recording.faults == {}
    assert recording.triggers.t.tolist() == EVENTS.t[::1000].tolist()
    assert recording.triggers.edge.all()


def test_overflows_and_invalid_events_of_aedat31(tmp_path):
    data = np.array([5 << 17 | 3 << 2 | 3, 5 << 17 | 3 << 2, 6 << 17 | 3 << 2 | 1])
    head = AEDAT31_HEAD.replace('DAVIS346', 'Unknown')
    packet = aedat31_packet(1, data, np.array([2**31 + 7, 2**31 + 8, 2**31 + 9]))
    events, recording = read(tmp_path / 'a.aedat', head.encode() + packet)
    assert events.t.tolist() == [2**31 + 7, 2**31 + 9] and events.x.tolist() == [5, 6]
    assert events.p.tolist() == [True, False] and recording.faults == {'marked invalid': 1}
    assert (recording.size, recording.size_origin) == ((7, 4), 'bounding box of the events')


def test_other_cameras_and_edges_of_aedat31(tmp_path):
    """Events of the first camera are read, and rising edges, falling ones and pulses."""
    special = aedat31_packet(0, np.array([2, 3, 4, 5]) << 1 | 1, np.arange(4))
    data = aedat31_packet(1, np.array([1]), np.zeros(1, np.int64), source=2)
    events, recording = read(tmp_path / 'a.aedat', aedat31(EVENTS.where(slice(9))) + data + special)
    assert events.count == 9
    assert recording.triggers.edge[1:].tolist() == [True, False, True]


@pytest.mark.parametrize('data, message', [
    (AEDAT31_HEAD.replace('RAW', 'SERIALTS').encode(), 'has packets of format SERIALTS'),
    (AEDAT31_HEAD.encode(), 'it has no packets of polarity events'),
    (AEDAT31_HEAD.encode() + bytes(28), 'the file is damaged in the packet at byte 107, and no'),
    (b'#!AER-DAT3.0\r\n#Source 0: DVS128\r\n', 'AEDAT 3 without the end of its header')])
def test_aedat31_that_is_refused(tmp_path, data, message):
    with pytest.raises(ValueError, match=f'a.aedat .*{message}'):
        read(tmp_path / 'a.aedat', data)


@pytest.mark.parametrize('write, note', [
    (aedat31, 'the file ends in the packet at byte '), (aedat4, 'the file ends or is damaged')])
def test_cut_packets(tmp_path, write, note):
    data = write(EVENTS)
    events, recording = read(tmp_path / 'a.aedat', data[:int(0.7 * len(data))])
    assert equal(events, EVENTS.where(slice(events.count))) and 1500 <= events.count <= 2500
    assert recording.faults == {'cut word': 1} and recording.notes[0].startswith(note)


def test_table_of_packets_of_aedat4(tmp_path):
    """The table behind the packets is no packet."""
    data = aedat4(EVENTS)
    place = data.find(struct.pack('<q', -1))
    data = data[:place] + struct.pack('<q', len(data)) + data[place + 8:] + bytes(range(99))
    events, recording = read(tmp_path / 'a.aedat4', data)
    assert equal(events, EVENTS) and recording.faults == {}


def test_damaged_packet_of_aedat4(tmp_path):
    """Other packets are read."""
    data = bytearray(aedat4(EVENTS))
    # The number of events in the second packet.
    place = data.find(b'EVTS', data.find(b'EVTS', 2000) + 1) + 20
    data[place:place + 4] = b'\xff' * 4
    events, recording = read(tmp_path / 'a.aedat4', bytes(data))
    assert events.count == 2500 and recording.faults == {'damaged packets': 1}


@pytest.mark.parametrize('compression', [LZ4, ZSTD])
def test_compressed_packets_of_aedat4(tmp_path, compression):
    if compression == LZ4:
        from lz4.frame import compress as pack
    else:
        pack = zstd().compress
    data = aedat4(EVENTS)
    head, rest = data[:data.find(b'</dv>') + 7], data[data.find(b'</dv>') + 7:]
    parts, place = [head], 0
    while place < len(rest):
        number, size = struct.unpack_from('<ii', rest, place)
        body = pack(rest[place + 8:place + 8 + size])
        parts.append(struct.pack('<ii', number, len(body)) + body)
        place += 8 + size
    joined = bytearray(b''.join(parts))
    # The field of the compression lies before the description.
    place = joined.find(b'<dv') - 8
    joined[place:place + 4] = struct.pack('<i', compression)
    assert equal(read(tmp_path / 'a.aedat4', bytes(joined))[0], EVENTS)


@pytest.mark.parametrize('old, new, message', [
    (b'EVTS<', b'IMUS<', 'has no stream of events'), (b'</dv>', b'</dw>', 'its header is damaged'),
    (b'DAT4.0', b'DAT4.1', 'its version or compression 0 is unknown')])
def test_aedat4_that_is_refused(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=f'a.aedat4 .*{message}'):
        read(tmp_path / 'a.aedat4', aedat4(EVENTS).replace(old, new))


def test_streams_of_aedat4(tmp_path):
    (tmp_path / 'a.aedat4').write_bytes(aedat4(EVENTS))
    assert Aedat4File(tmp_path / 'a.aedat4').streams == {0: ('EVTS', 346, 260)}
