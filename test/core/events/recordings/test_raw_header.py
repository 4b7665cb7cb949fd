# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RAW: encoding, size and byte order that the header states, implies or leaves open."""

import struct

import pytest
from support.event_encoders import evt2, evt3, evt21, evt21_legacy
from support.event_trees import equal, random_events

from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.recordings.prophesee_header import SYSTEMS
from mfs_seg_core.events.types import concatenate

EVENTS = random_events(1000, 300_000, (300, 240))
PSEE = b'% camera_integrator_name Prophesee\n% plugin_integrator_name Prophesee\n'


def opened(path, header: bytes, encode=evt3):
    path.write_bytes(header + encode(EVENTS))
    recording = open_recording(path)
    assert equal(concatenate(list(recording)), EVENTS) and recording.faults == {}
    return recording


@pytest.mark.parametrize('header, encode, size, origin', [
    (b'% evt 3.0\n% integrator_name CenturyArks\n% system_ID 40\n', evt3, (640, 480),
     'system_ID 40'),
    (b'% evt 2.0\n% system_ID 0x1F\n', evt2, (1280, 720), 'system_ID 0x1F'),
    # Encoding by the camera alone.
    (b'% system_ID 28\n% integrator_name Prophesee\n', evt2, (640, 480), 'system_ID 28'),
    (b'% Date 2019-01-01\n% system_ID 49\n', evt3, (1280, 720), 'system_ID 49'),
    (b'% plugin_name hal_plugin_gen3_fx3\n', evt2, (640, 480), 'plugin_name hal_plugin_gen3_fx3'),
    (b'% sensor_generation 3.1\n% serial_number 0001\n', evt2, (640, 480), 'generation 3.1'),
    (b'% evt 3.0\n% sensor_name IMX636\n', evt3, (1280, 720), 'sensor_name IMX636'),
    (b'% format EVT3\n% system_ID 64\n', evt3, (320, 320), 'system_ID 64'),
    (b'% format EVT3\n% generation 4.2\n', evt3, (1280, 720), 'generation 4.2'),
    (b'% evt 3.0\n% system_ID x\n', evt3, (1280, 720), 'usual sensor of EVT3'),
    (b'% evt 2.0\n', evt2, (640, 480), 'usual sensor of EVT2'),
    # A NUL for a newline, letters of other languages, carriage returns.
    (b'% evt 3.0\n% format EVT3;height=320;width=320\x00% generation 4.2\n% end\n', evt3,
     (320, 320), ''),
    (b'% format EVT3;height=320;width=320\x00% serial 1\x00% geometry 320x320\n', evt3, (320, 320),
     ''),
    ('% evt 3.0\n% camera Gerät für Straße 相机\n% geometry 320x320\n'.encode(), evt3, (320, 320),
     ''),
    ('% camera Gerät\n% evt 3.0\n% geometry 320x320\n% end\n'.encode('latin-1'), evt3, (320, 320),
     ''),
    (b'% evt 3.0\r\n% geometry 320 x 320\r\n% end\r\n', evt3, (320, 320), '')])
def test_headers(tmp_path, header, encode, size, origin):
    recording = opened(tmp_path / 'a.raw', header, encode)
    assert recording.size == size and recording.size_origin == origin


def test_size_of_the_caller_overrides_a_guess(tmp_path):
    (tmp_path / 'a.raw').write_bytes(b'% evt 3.0\n% system_ID 40\n' + evt3(EVENTS))
    recording = open_recording(tmp_path / 'a.raw', size=(320, 240))
    assert (recording.size, recording.size_origin) == ((320, 240), '')


def test_sizes_that_contradict(tmp_path):
    (tmp_path / 'a.raw').write_bytes(
        b'% format EVT3;height=320;width=320\n% geometry 640x480\n% end\n')
    with pytest.raises(ValueError, match='declares two sizes of its sensor, 320 x 320 and 640 x'):
        open_recording(tmp_path / 'a.raw')


@pytest.mark.parametrize('head, legacy', [
    (b'% endianness legacy\n', True), (b'% endianness little\n', False),
    (b'% endianness legacy\n% system_ID 64\n', True),
    (b'% endianness little\n% system_ID 49\n', False),
    (PSEE + b'% system_ID 49\n', True), (PSEE + b'% system_ID 54\n', True),
    (PSEE + b'% system_ID 55\n', False), (b'% integrator_name Prophesee\n% system_ID 49\n', True),
    (b'% system_ID 49\n', True),
    # Nothing is said, or not for this maker: the data tell.
    (b'', True), (b'', False), (PSEE, True), (PSEE, False),
    (b'% integrator_name Other\n% system_ID 49\n', False),
    (b'% integrator_name Other\n% system_ID 49\n', True)])
def test_byte_order_of_evt21(tmp_path, head, legacy):
    header = b'% evt 2.1\n' + head + b'% format EVT21;height=320;width=320\n% end\n'
    recording = opened(tmp_path / 'a.raw', header, evt21_legacy if legacy else evt21)
    assert recording.encoding == ('evt21_legacy' if legacy else 'evt21')


def test_byte_order_without_events(tmp_path):
    (tmp_path / 'a.raw').write_bytes(b'% format EVT21\n% end\n')
    assert open_recording(tmp_path / 'a.raw').encoding == 'evt21'


def test_vectors_of_the_legacy_order(tmp_path):
    """Three events in a mask, in the order of a file whose line stands of its own."""
    words = b''.join(struct.pack('<II', high, low) for i in range(200) for high, low in (
        (1 << 31 | 10**6 + 50 * i >> 6, 0),
        ((i & 1) << 28 | (10**6 + 50 * i & 63) << 22 | i << 11 | i, 0b1011)))
    (tmp_path / 'a.raw').write_bytes(b'% endianness legacy\n% format EVT21;height=320;width=320\n'
                                     b'% end\n' + words)
    events = concatenate(list(open_recording(tmp_path / 'a.raw')))
    assert events.t.tolist() == [10**6 + 50 * i for i in range(200) for _ in range(3)]
    assert events.x[:6].tolist() == [0, 1, 3, 1, 2, 4]


def test_known_systems():
    """Sizes and encodings as OpenEB has them."""
    assert SYSTEMS[0x28] == ((640, 480), 'evt3') and SYSTEMS[0x32] == ((1280, 720), 'evt3')
    assert SYSTEMS[0x99] == ((640, 480), 'evt2') and SYSTEMS[0x27] == ((1280, 720), 'evt2')


@pytest.mark.parametrize('header, message', [
    (b'% serial_number 1\n', 'does not name its encoding'),
    (b'% format AER-8b\n% end\n', "is encoded as 'AER-8b'"),
    (b'% evt 3.0\n% geometry 0x480\n', "sensor of '0' x '480' pixels"),
    (b'% evt 3.0\n% geometry \x7f\x01x480\n% end\n', "sensor of '\\?\\?' x '480' pixels")])
def test_refused(tmp_path, header, message):
    (tmp_path / 'a.raw').write_bytes(header + b'\0\1')
    with pytest.raises(ValueError, match=message) as error:
        open_recording(tmp_path / 'a.raw')
    assert str(error.value).isprintable()
