# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading of serialised event arrays of dvs_msgs and prophesee_event_msgs."""

import numpy as np
import pytest
from support.event_arrays import SIZE, STAMP_NS, serialise
from support.event_trees import equal, random_events

from mfs_seg_core.events.dvs_messages import read_event_array
from mfs_seg_core.events.types import Events

START_US = STAMP_NS // 1000


def events_of(count: int) -> Events:
    events = random_events(count, 3_000_000, SIZE, seed=count)
    return events._replace(t=events.t + START_US)


@pytest.mark.parametrize('order', '<>')
@pytest.mark.parametrize('frame_id', ['', 'a', 'ab', 'abc', 'event_camera'])
@pytest.mark.parametrize('count', [0, 1, 2, 3, 1000])
def test_event_array(order, frame_id, count):
    events = events_of(count)
    array = read_event_array(serialise(events, frame_id, order=order))
    assert equal(array.events, events)
    assert array._replace(events=None) == (STAMP_NS, frame_id, *SIZE, None, 0)


def test_agrees_with_the_cdr_of_rosbags():
    """The bytes of an independent implementation of CDR are read too."""
    pytest.importorskip('rosbags', reason='rosbags is not installed: pip install rosbags')
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    types = get_typestore(Stores.LATEST)
    types.register(get_types_from_msg('uint16 x\nuint16 y\nbuiltin_interfaces/Time ts\n'
                                      'bool polarity', 'dvs_msgs/msg/Event'))
    types.register(get_types_from_msg('std_msgs/Header header\nuint32 height\nuint32 width\n'
                                      'Event[] events', 'dvs_msgs/msg/EventArray'))
    kinds, events = types.types, events_of(50)
    time = kinds['builtin_interfaces/msg/Time']
    message = kinds['dvs_msgs/msg/EventArray'](
        kinds['std_msgs/msg/Header'](time(*divmod(STAMP_NS, 10**9)), 'camera'), SIZE[1], SIZE[0],
        [kinds['dvs_msgs/msg/Event'](x, y, time(t // 10**6, t % 10**6 * 1000 + 999), p)
         for t, x, y, p in zip(*(field.tolist() for field in events))])
    for order in '<>':
        data = bytes(types.serialize_cdr(message, message.__msgtype__, little_endian=order == '<'))
        expected = serialise(events, order=order)
        # The last 2 of the 4 bytes of the header are options.
        assert data[:2] + data[4:len(expected)] == expected[:2] + expected[4:]
        assert equal(read_event_array(data).events, events)


def test_outside_the_sensor():
    events = Events(np.arange(4), np.array([9, 10, 0, 65535], np.uint16),
                    np.array([4, 0, 5, 65535], np.uint16), np.ones(4, bool))
    array = read_event_array(serialise(events, size=(10, 5)))
    assert equal(array.events, events.where(slice(1))) and array.outside == 3


def test_truncated_message():
    """A message that ends before its last polarity is rejected, wherever it ends."""
    data = serialise(events_of(3))
    for end in range(len(data)):
        with pytest.raises(ValueError, match='^the message (ends after|begins with)'):
            read_event_array(data[:end])
    assert read_event_array(data + b'\0\0\0').events.count == 3


def test_wrong_count():
    data = bytearray(serialise(events_of(0)))
    data[-4:] = b'\xff' * 4
    with pytest.raises(ValueError, match='before its declared end'):
        read_event_array(bytes(data))


def test_nanoseconds_beyond_one_second():
    data = bytearray(serialise(events_of(0)))
    data[8:12] = (10**9).to_bytes(4, 'little')
    with pytest.raises(ValueError, match='a stamp of 1000000000 ns within a second'):
        read_event_array(bytes(data))


def test_missing_cdr_header():
    with pytest.raises(ValueError, match='begins with 07000000, not with the header of CDR'):
        read_event_array(bytes([7, 0, 0, 0]) + serialise(events_of(1))[4:])


@pytest.mark.parametrize('seed', range(20))
def test_random_bytes(seed):
    random = np.random.default_rng(seed)
    data = bytearray(serialise(events_of(20)))
    for place in random.integers(0, len(data), 5):
        data[place] = random.integers(256)
    try:
        array = read_event_array(bytes(data))
    except ValueError as error:
        assert 'the message' in str(error)
    else:
        assert not (array.events.x >= array.width).any()
        assert not (array.events.y >= array.height).any()
