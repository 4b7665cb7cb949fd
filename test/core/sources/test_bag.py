# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames, labels and events of bags: choice of topics, broken messages, event arrays, damage."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import mcap_records as mcap
from support.bags import (
    ARRAY_PACKAGES,
    IMAGE,
    KINDS,
    ROS1,
    compressed,
    event_array,
    file_of,
    image,
    packet,
    store,
    write_bag,
)
from support.event_encoders import evt3
from support.event_trees import equal, random_events

from mfs_seg_core.bags.bag import Bag
from mfs_seg_core.events.decoders import open_decoder
from mfs_seg_core.events.types import Events, concatenate
from mfs_seg_core.sources.bag_topics import choose_image_channels
from mfs_seg_core.sources.items import EventBatch, Frame, SourceError
from mfs_seg_core.sources.open_source import open_source

START_NS, STEP_NS = 1_700_000_000 * 10**9, 50_000_000
SIZE = 346, 260
JPEG = cv2.imencode('.jpg', np.full((24, 32, 3), 90, np.uint8))[1].tobytes()


def name(kind) -> str:
    return getattr(kind, 'name', kind)


def raw(encoding: str, kind=KINDS[0], count: int = 2) -> list:
    """Return images of an encoding, with the number of the image in all bytes."""
    kinds = {'rgb8': (np.uint8, 3), '16UC1': (np.uint16, 1), '32FC1': (np.float32, 1),
             'mono16': (np.uint16, 1), '32FC3': (np.float32, 3), '8SC4': (np.int8, 4)}
    dtype, channels = kinds.get(encoding, (np.uint8, 1))
    return [(START_NS + i * STEP_NS, image(np.full((24, 32, channels), i, dtype), encoding,
                                           START_NS + i * STEP_NS, kind)) for i in range(count)]


def packed(form: str, kind=KINDS[0]) -> list:
    return [(START_NS + i * STEP_NS, compressed(JPEG, form, START_NS + i * STEP_NS, kind))
            for i in range(2)]


# Topics of drivers in the order of their choice, and those that are never chosen.
TOPICS = {
    '/z/color/image_raw': (raw, 'rgb8'),
    '/y/image_raw/compressed': (packed, 'bgr8; jpeg compressed bgr8'),
    '/x/mono': (raw, 'mono8'),
    '/w/mono/compressed': (packed, 'mono8; jpeg compressed '),
    '/camera/infra1/image_rect_raw': (raw, 'mono8'),
}
DEPTH = {
    '/a/aligned_depth_to_color/image_raw': (raw, '16UC1'),
    '/a/depth/points_image': (raw, '32FC1'),
    '/device_0/sensor_0/Depth_0/image/data': (raw, 'mono16'),
    '/a/depth/image_raw/compressedDepth': (packed, '16UC1; compressedDepth png'),
    '/a/disparity/compressed': (packed, 'mono8; png compressed '),
    '/a/normals': (raw, '32FC3'),
    '/a/unsupported': (raw, '8SC4'),
}


def made(topics: dict, kind=KINDS[0]) -> dict:
    return {topic: make(encoding, kind) for topic, (make, encoding) in topics.items()}


@pytest.mark.parametrize('kind', KINDS, ids=name)
def test_colour_before_grey_before_infrared_and_never_depth(tmp_path, kind):
    left = dict(reversed(TOPICS.items()))
    for expected in TOPICS:
        bag = write_bag(tmp_path / f'bag{len(left)}', made({**DEPTH, **left}, kind), kind)
        chosen, label = choose_image_channels(Bag(bag), '', '')
        assert chosen.topic == expected and label is None
        del left[expected]
    with pytest.raises(SourceError, match='no topic of camera images') as error:
        list(open_source(write_bag(tmp_path / 'depth', made(DEPTH, kind), kind)))
    assert all(topic in str(error.value) for topic in DEPTH)
    assert '16UC1; compressedDepth png)' in str(error.value)


@pytest.mark.parametrize('topic, sentence', [
    ('/a/aligned_depth_to_color/image_raw', 'that of depth'),
    ('/a/depth/image_raw/compressedDepth', 'that of depth'),
    ('/a/normals', "encoding '32FC3' is that of depth or other measurements"),
    ('/nothing', "no image topic '/nothing'"),
])
def test_an_explicit_topic_that_cannot_be_played(tmp_path, topic, sentence):
    bag = write_bag(tmp_path / 'bag', made({**TOPICS, **DEPTH}))
    with pytest.raises(SourceError, match=sentence) as error:
        list(open_source(bag, image_topic=topic))
    assert '/z/color/image_raw (sensor_msgs/msg/Image, rgb8)' in str(error.value)
    # A topic that is named is played, although its name suggests depth.
    assert len(list(open_source(bag, image_topic='/a/disparity/compressed'))) == 2


def test_the_first_readable_message_decides(tmp_path):
    (log_ns, _), second = raw('rgb8')
    broken = (log_ns - 1, b'\0\1')
    bag = write_bag(tmp_path / 'bag', {
        '/a/image': [broken, second], '/b/image': raw('rgb8')})
    assert choose_image_channels(Bag(bag), '', '')[0].topic == '/a/image'
    empty = write_bag(tmp_path / 'empty', {
        '/a/image': [broken, (log_ns, bytes(store().serialize_cdr(second[1], IMAGE))[:30]), second],
        '/b/image': raw('rgb8')})
    assert choose_image_channels(Bag(empty), '', '')[0].topic == '/a/image'


@pytest.mark.parametrize('broken', [
    compressed(b'', 'jpeg', START_NS), compressed(JPEG[:50], 'jpeg', START_NS),
    compressed(b'\0' * 500, 'jpeg', START_NS), b'\0\1\0\0', b''])
def test_a_broken_frame_is_left_out_and_named(tmp_path, broken):
    messages = [(START_NS + i * STEP_NS, compressed(JPEG, 'jpeg', START_NS + i * STEP_NS))
                for i in range(30)]
    messages[7] = (messages[7][0], broken)
    if not isinstance(broken, bytes):
        broken.header = messages[8][1].header
    source = open_source(write_bag(tmp_path / 'bag', {'/cam/compressed': messages}))
    frames = list(source)
    assert [round((frame.time_s - START_NS / 1e9) / 0.05) for frame in frames] == [
        i for i in range(30) if i != 7]
    assert source.report.skipped == {'frames': 1}
    assert '/cam/compressed' in source.report.first_skipped[0]
    assert source.report.bad_share({'frames': len(frames)}) == pytest.approx(1 / 30)


def test_broken_raw_images_and_labels(tmp_path):
    images, labels = raw('rgb8', count=5), raw('mono8', count=5)
    images[1][1].data = images[1][1].data[:-5]
    labels[3][1].data = labels[3][1].data[:-1]
    source = open_source(write_bag(tmp_path / 'bag', {'/image': images, '/label': labels}))
    frames = list(source)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 2, 3, 4]
    assert [frame.label is None for frame in frames] == [False, False, True, False]
    assert source.report.skipped == {'frames': 1, 'labels': 1}


@pytest.mark.parametrize('labelled, bad', [(60, 3), (1, 40)])
def test_a_frame_waits_for_its_label_but_not_to_the_end(tmp_path, labelled, bad):
    """The bad image, which is counted when it is read, is not read before the second frame."""
    images, labels = raw('rgb8', count=60), raw('mono8', count=labelled)
    images[bad] = (images[bad][0], b'')
    source = open_source(write_bag(tmp_path / 'bag', {'/image': images, '/label': labels}))
    frames = iter(source)
    first = [next(frames), next(frames)]
    assert not source.report.skipped
    first += frames
    assert [frame.label is not None for frame in first] == [
        index < labelled for index in range(60) if index != bad]
    assert source.report.skipped == {'frames': 1}


def test_labels_as_jpeg_are_left_out_and_named(tmp_path):
    source = open_source(write_bag(tmp_path / 'bag', {
        '/image': raw('rgb8'), '/label/compressed': packed('jpeg')}))
    assert [frame.label for frame in source] == [None, None]
    assert source.report.skipped == {'labels': 2}
    assert 'it must be a PNG of 8-bit grey values' in source.report.first_skipped[0]


def test_ids_above_the_last_class_are_unlabelled(tmp_path):
    ids = np.array([[0, 10, 11, 12, 254, 255]], np.uint8)
    bag = write_bag(tmp_path / 'bag', {
        '/image': raw('rgb8', count=1), '/label': [(START_NS, image(ids, 'mono8', START_NS))]})
    frame, = open_source(bag)
    assert frame.label.tolist() == [[0, 10, 255, 255, 255, 255]]


def test_a_topic_of_images_may_have_label_in_its_name(tmp_path):
    bag = write_bag(tmp_path / 'bag', {'/label_camera': raw('mono8')})
    assert [frame.label for frame in open_source(bag, image_topic='/label_camera')] == [None, None]


def test_bits_in_use_are_those_of_the_whole_bag(tmp_path):
    grey = np.linspace(0, 255, 24 * 32).astype(np.uint16).reshape(24, 32)
    bright_dark = [grey * 16, grey]
    messages = [(START_NS + i * STEP_NS, image(pixels, 'mono16', START_NS + i * STEP_NS))
                for i, pixels in enumerate(bright_dark)]
    source = open_source(write_bag(tmp_path / 'bag', {'/camera': messages}))
    for frame, pixels in zip(source, bright_dark):
        np.testing.assert_allclose(frame.image[..., 0].astype(int), pixels / 16, atol=1)
    note, = source.report.notes
    assert note.startswith("/camera: images of encoding 'mono16' use 12 bits")


def test_nothing_but_broken_frames(tmp_path):
    bag = write_bag(tmp_path / 'bag', {'/image': [
        (log_ns, compressed(b'x', 'jpeg', log_ns)) for log_ns, _ in packed('jpeg')]})
    with pytest.raises(SourceError, match='no readable message on the chosen topics: the image of '
                                          '/image with stamp .* cannot be decoded'):
        list(open_source(bag))


@pytest.mark.parametrize('package', ARRAY_PACKAGES[:2])
@pytest.mark.parametrize('kind', KINDS, ids=name)
def test_event_arrays(tmp_path, kind, package):
    """Arrays become EVT3 packets with the same events, in the order and at the times of the log."""
    events = random_events(2000, 300_000, SIZE)
    parts = [events.where(part) for part in np.array_split(np.arange(2000), 6)]
    log_ns = [START_NS + int(part.t[-1]) * 1000 + 2_000_000 for part in parts]
    on_clock = events._replace(t=events.t + START_NS // 1000)
    arrays = [(log, event_array(on_clock.where(slice(i, i + part.count)), SIZE, START_NS, kind,
                                package))
              for log, part, i in zip(log_ns, parts, np.cumsum([0] + [p.count for p in parts]))]
    bag = write_bag(tmp_path / 'bag', {'/e': arrays, '/image': raw('rgb8', kind, 5)}, kind)
    source = open_source(bag, sensors='fusion')
    items = list(source)
    assert [item.time_s for item in items if isinstance(item, Frame)] == pytest.approx(
        [START_NS / 1e9 + 0.05 * i for i in range(5)])
    found = []
    for batch in (item for item in items if isinstance(item, EventBatch)):
        assert (batch.encoding, batch.width, batch.height, batch.seq) == ('evt3', *SIZE, None)
        part = open_decoder('evt3', *SIZE).decode(batch.data)
        # EVT3 holds the time modulo 2^24 us; the packet has that of its first event.
        first_us = round(batch.time_s * 1e6)
        found.append(Events(part.t - part.t[0] + first_us, *part[1:]))
        assert round((batch.time_s + batch.delay_s) * 1e6) in [log // 1000 for log in log_ns]
    assert equal(concatenate(found), on_clock)
    due = [item.time_s + item.delay_s for item in items]
    assert due == sorted(due)
    assert source.report.accepted == 2000 and not source.report.faults


def test_event_arrays_of_another_clock(tmp_path):
    """The sensor counts from its start: the stamp is that of the first event."""
    events = random_events(100, 10_000, SIZE)
    bag = write_bag(tmp_path / 'bag', {'/e': [
        (START_NS + 5_000_000, event_array(events, SIZE, START_NS))]})
    batch, = open_source(bag, sensors='events')
    assert batch.time_s == pytest.approx(START_NS / 1e9)
    assert batch.delay_s == pytest.approx(0.005)


def test_rejected_events_are_counted(tmp_path):
    events = random_events(1000, 10_000, SIZE)
    on_clock = events._replace(t=events.t + START_NS // 1000)
    for messages in ([(START_NS, event_array(on_clock, (100, 260), START_NS))],
                     [(START_NS, packet(evt3(events), 'evt3', (100, 260), START_NS))]):
        topic = f'/{type(messages[0][1]).__name__.lower()}'
        source = open_source(write_bag(tmp_path / topic[-6:], {topic: messages}), sensors='events')
        assert list(source)
        accepted = int((events.x < 100).sum())
        assert source.report.accepted == accepted
        assert source.report.faults['outside the sensor'] == 1000 - accepted
        assert 'give the size of the sensor' in source.report.rejection()


@pytest.mark.parametrize('kind', KINDS, ids=name)
def test_cut_bags_are_played_to_their_end(tmp_path, kind):
    bag = file_of(write_bag(tmp_path / 'bag', {'/image': raw('rgb8', kind, 60)}, kind))
    data = bag.read_bytes()
    bag.write_bytes(data[:len(data) * 2 // 3])
    source = open_source(bag)
    frames = list(source)
    assert 30 < len(frames) < 60
    assert [int(frame.image[0, 0, 0]) for frame in frames] == list(range(len(frames)))
    note, = source.report.notes
    assert str(bag) in note and 'cut or damaged' in note
    assert all(0 < b.time_s - a.time_s < 0.06 for a, b in pairwise(frames))


def test_channels_of_other_kinds_are_left_out_and_named(tmp_path):
    types, path = store(), tmp_path / 'a.mcap'
    (log_ns, message), *_ = raw('rgb8')
    path.write_bytes(
        mcap.start('') + mcap.schema(1, IMAGE, '', '') + mcap.channel(1, 1, '/image')
        + mcap.schema(2, 'foxglove.CompressedImage', 'protobuf', b'\xff\0')
        + mcap.channel(2, 2, '/foxglove', 'protobuf') + mcap.message(2, 1, b'\0')
        + mcap.message(1, log_ns, bytes(types.serialize_cdr(message, IMAGE))) + mcap.end())
    source = open_source(path)
    assert len(list(source)) == 1
    assert '/foxglove (protobuf)' in source.report.notes[0]
    with pytest.raises(SourceError, match='/foxglove .foxglove.CompressedImage'):
        list(open_source(path, image_topic='/foxglove'))


def test_metadata_without_files(tmp_path):
    bag = write_bag(tmp_path / 'bag', {'/image': raw('rgb8')})
    file_of(bag).unlink()
    with pytest.raises(SourceError, match='a folder without a recording'):
        list(open_source(bag))


def test_a_ros1_bag_under_another_name(tmp_path):
    bag = write_bag(tmp_path / 'bag', {'/image': raw('rgb8', ROS1)}, ROS1)
    other = Path(bag.rename(tmp_path / 'recording'))
    assert len(list(open_source(other))) == 2
