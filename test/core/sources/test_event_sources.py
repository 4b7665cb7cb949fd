# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events together with frames: of Street, and of bags."""

from itertools import islice

import numpy as np
import pytest
from support.bags import KINDS, image, packet, write_bag
from support.evt3_words import decode
from support.paths import NO_RECORDINGS, SHARED_DATA

from mfs_seg_core.data.street import EventCamera, Street
from mfs_seg_core.sources.items import EventBatch, Frame, SourceError, due_s
from mfs_seg_core.sources.open_source import open_source
from mfs_seg_core.sources.street import EVENT_INTERPOLATED, EVENT_STEP_S

DATA = SHARED_DATA
EVENT_TOPIC, IMAGE_TOPIC, LABEL_TOPIC = '/event_camera/events', '/camera/image', '/camera/label'
START_NS = 1_700_000_000_000_000_000
SIZE = {'width': 96, 'height': 72}


def kinds(items) -> str:
    """Return 'f' for each frame and 'e' for each batch."""
    return ''.join('f' if isinstance(item, Frame) else 'e' for item in items)


def joined(items) -> list[np.ndarray]:
    """Return t, x, y, p of all batches, decoded as one stream."""
    return list(decode([item.data for item in items if isinstance(item, EventBatch)]))


def test_street_with_both_has_the_frames_and_the_events():
    items = list(islice(open_source('street', sensors='fusion', seed=3, **SIZE), 34))
    assert kinds(items) == 'f' + 3 * ('e' * 10 + 'f')
    alone = list(islice(open_source('street', seed=3, **SIZE), 4))
    frames = [item for item in items if isinstance(item, Frame)]
    for one, other in zip(frames, alone):
        assert one.time_s == other.time_s
        assert np.array_equal(one.image, other.image) and np.array_equal(one.label, other.label)
    camera = EventCamera(Street(3, **SIZE), step_s=EVENT_STEP_S, interpolated=EVENT_INTERPOLATED)
    expected = [camera.events(0.05 * k, 0.05 * (k + 1)) for k in range(3)]
    for found, fields in zip(joined(items), zip(*expected)):
        assert np.array_equal(found, np.concatenate(fields))


def test_a_frame_comes_after_all_earlier_events():
    items = list(islice(open_source('street', sensors='fusion', batch_us=7000, **SIZE), 40))
    # But for the last digit of sums.
    assert np.diff([due_s(item) for item in items]).min() > -1e-9
    last_us = 0
    for item in items:
        if isinstance(item, Frame):
            assert last_us < item.time_s * 1e6 or not last_us
        else:
            times = decode([item.data]).t
            assert times[0] / 1e6 == pytest.approx(item.time_s)
            assert last_us <= times[0]
            last_us = times[-1]
            assert last_us / 1e6 < due_s(item) <= item.time_s + 0.007 + 1e-9


def test_street_with_events_alone_has_the_truth():
    items = list(islice(open_source('street', sensors='events', rate_hz=10.0, **SIZE), 23))
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.1])
    assert all(frame.image is None and frame.label.shape == (72, 96) for frame in frames)
    assert items[1].width == 96 and items[1].height == 72


def packets(count: int, step_ns: int, delay_ns: int, kind=KINDS[0]) -> list:
    """Return (log time, EventPacket) of a recording; the payload is arbitrary."""
    found = []
    for index in range(count):
        stamp = START_NS + index * step_ns
        message = packet(bytes(range(8 * index)), 'libcaer', (64, 48), stamp, 7 + index, kind)
        message.time_base = 123 + index
        found.append((stamp + delay_ns, message))
    return found


def images(count: int, step_ns: int, delay_ns: int = 0, encoding='rgb8') -> list:
    """Return (log time, Image) of a recording, with the number of the image in all samples."""
    shape = (4, 6, 3) if encoding == 'rgb8' else (4, 6)
    stamps = [START_NS + index * step_ns for index in range(count)]
    return [(stamp + delay_ns, image(np.full(shape, index, np.uint8), encoding, stamp))
            for index, stamp in enumerate(stamps)]


@pytest.mark.parametrize('kind', KINDS)
def test_packets_of_a_bag_are_passed_on_as_they_are(tmp_path, kind):
    recorded = packets(9, 10_000_000, 10_000_000, kind)
    bag = write_bag(tmp_path / 'bag', {EVENT_TOPIC: recorded}, kind)
    found = list(open_source(bag, sensors='events'))
    assert len(found) == 9
    for batch, (log_ns, message) in zip(found, recorded):
        assert batch.data == message.events.tobytes()
        for name in ('encoding', 'width', 'height', 'seq', 'time_base', 'is_bigendian'):
            assert getattr(batch, name) == getattr(message, name)
        assert batch.time_s == pytest.approx(log_ns / 1e9 - 0.01, abs=1e-6)
        assert batch.delay_s == pytest.approx(0.01)


def test_a_bag_keeps_the_order_of_its_recording(tmp_path):
    bag = write_bag(tmp_path / 'bag', {
        EVENT_TOPIC: packets(9, 10_000_000, 10_000_000),
        IMAGE_TOPIC: images(3, 35_000_000, 1_000_000)})
    items = list(open_source(bag, sensors='fusion'))
    assert kinds(items) == 'feeefeeeefee'
    assert [due_s(item) for item in items] == sorted(due_s(item) for item in items)
    assert [item.time_s - START_NS / 1e9 for item in items if isinstance(item, Frame)] == (
        pytest.approx([0.0, 0.035, 0.070], abs=1e-6))
    assert kinds(open_source(bag)) == 'fff'
    assert kinds(open_source(bag, sensors='events')) == 'e' * 9


def test_labels_of_a_bag_come_with_their_images_in_order(tmp_path):
    bag = write_bag(tmp_path / 'bag', {
        EVENT_TOPIC: packets(9, 10_000_000, 10_000_000),
        IMAGE_TOPIC: images(3, 35_000_000),
        LABEL_TOPIC: images(3, 35_000_000, 22_000_000, encoding='mono8')})
    for sensors in ('fusion', 'events'):
        items = list(open_source(bag, sensors=sensors))
        assert kinds(items) == 'feeefeeeefee'
        frames = [item for item in items if isinstance(item, Frame)]
        assert [int(frame.label[0, 0]) for frame in frames] == [0, 1, 2]
        assert all((frame.image is None) == (sensors == 'events') for frame in frames)


def test_stamps_of_another_clock_are_replaced_by_the_times_of_recording(tmp_path):
    recorded = packets(3, 10_000_000, 3_600_000_000_000)
    found = list(open_source(write_bag(tmp_path / 'bag', {EVENT_TOPIC: recorded}),
                             sensors='events'))
    assert [batch.time_s for batch in found] == pytest.approx(
        [log_ns / 1e9 for log_ns, _ in recorded], abs=1e-6)
    assert all(batch.delay_s == 0 for batch in found)


def test_another_topic_of_events_can_be_named(tmp_path):
    bag = write_bag(tmp_path / 'bag', {
        '/a': packets(2, 1000, 0), '/b': packets(3, 1000, 0)})
    assert len(list(open_source(bag, sensors='events'))) == 2
    assert len(list(open_source(bag, sensors='events', event_topic='/b'))) == 3
    with pytest.raises(SourceError, match="no topic '/c' of events: it has /a .*, /b "):
        list(open_source(bag, sensors='events', event_topic='/c'))


def test_a_missing_topic_of_labels_is_an_error_with_events_too(tmp_path):
    bag = write_bag(tmp_path / 'bag', {
        EVENT_TOPIC: packets(1, 1, 0), IMAGE_TOPIC: images(1, 1)})
    with pytest.raises(SourceError, match="no image topic '/c'"):
        list(open_source(bag, sensors='events', label_topic='/c'))


def test_a_folder_with_wrong_metadata_is_read_by_its_file(tmp_path):
    bag = write_bag(tmp_path / 'bag', {EVENT_TOPIC: packets(2, 1000, 0)})
    metadata = bag / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace(
        'storage_identifier: mcap', "storage_identifier: ''"))
    assert len(list(open_source(bag, sensors='events'))) == 2


@pytest.mark.parametrize('sensors, topics, sentence', [
    ('events', {IMAGE_TOPIC: images(1, 1)}, 'no topic of events .*are /camera/image'),
    ('fusion', {EVENT_TOPIC: packets(1, 1, 0)}, 'no topic of camera images'),
    ('camera', {EVENT_TOPIC: packets(1, 1, 0)}, 'no topic of camera images'),
])
def test_a_bag_without_what_is_asked_for_is_one_sentence(tmp_path, sensors, topics, sentence):
    bag = write_bag(tmp_path / 'bag', topics)
    with pytest.raises(SourceError, match=sentence):
        list(open_source(bag, sensors=sensors))


def test_what_has_no_events_is_one_sentence(tmp_path):
    with pytest.raises(SourceError, match='is a folder without a bag: give the file of its events'):
        open_source(tmp_path, sensors='fusion')
    with pytest.raises(SourceError, match="sensors is 'ears': give one of camera, events, fusion"):
        open_source('street', sensors='ears')


def test_events_have_their_own_times(tmp_path):
    bag = write_bag(tmp_path / 'bag', {EVENT_TOPIC: packets(1, 1, 0)})
    with pytest.raises(SourceError, match='give no rate'):
        open_source(bag, sensors='events', rate_hz=10.0)


@pytest.mark.skipif(not DATA.is_dir(), reason=NO_RECORDINGS)
@pytest.mark.parametrize('name, sensors, expected', [
    ('bags/davis346_street_frames_and_events', 'fusion', 'feeefeeeefeeeefeeeeee'),
    ('bags/davis346_street_frames_and_events', 'events', 'e' * 17),
    ('events/derived/evt3_driving_1280x720_eventpacket', 'events', 'e' * 9),
    ('events/ros_event_camera_py/test_events_1', 'events', 'e' * 517),
    ('events/ros_event_camera_py/test_events_2', 'events', 'e' * 100),
    ('events/ros_event_camera_codecs/test_data_libcaer_rollover', 'events', 'e' * 201),
    ('events/ros_event_camera_codecs/test_data_mono_cd', 'events', 'e' * 2),
])
def test_real_recordings(name, sensors, expected):
    items = list(open_source(DATA / name, sensors=sensors))
    assert kinds(items) == expected
    assert [due_s(item) for item in items] == sorted(due_s(item) for item in items)
    assert all(0 <= item.delay_s < 0.1 for item in items)
