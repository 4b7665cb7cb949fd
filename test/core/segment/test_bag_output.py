# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bag of an input: its own messages unchanged, and masks under the headers of the images."""

from __future__ import annotations

import numpy as np
import pytest
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode
from rosbags.typesys import get_types_from_msg
from support.bags import KINDS, ROS1, file_of, image, store, write_bag
from support.masks import class_ids
from support.paths import SHARED_DATA

from mfs_seg_core.bags.bag import Bag
from mfs_seg_core.bags.reader import read_message
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.segment.bag_types import LATCHED, RESULT
from mfs_seg_core.util.serialization import nanoseconds

START_NS, STEP_NS, DELAY_NS = 1_700_000_000_123_456_789, 50_000_000, 3_000_000
RESULTS = ['/mfs_seg/confidence', '/mfs_seg/label_info', '/mfs_seg/mask']
RECORDING = SHARED_DATA / 'bags/udacity_test_video_640x360_25hz'


def recorded(kind, count: int = 3) -> dict:
    """Return topics: images, recorded after their stamps, and poses between them."""
    types = store(kind).types
    pixels = np.random.default_rng(0).integers(0, 256, (count, 24, 32, 3), np.uint8)
    stamps = [START_NS + index * STEP_NS for index in range(count)]
    point = types['geometry_msgs/msg/Point']
    return {'/front/image': [(stamp + DELAY_NS, image(each, 'rgb8', stamp, kind))
                             for stamp, each in zip(stamps, pixels)],
            '/point': [(stamp + 2 * DELAY_NS, point(0.0, 1.0, float(index)))
                       for index, stamp in enumerate(stamps)]}


def messages(path) -> dict[str, list]:
    """Return the time and data of the messages of a bag, by topic."""
    bag = Bag(path)
    found: dict[str, list] = {channel.topic: [] for channel in bag.channels}
    for message in bag.messages(bag.channels):
        found[message.channel.topic].append((message.time_ns, bytes(message.data)))
    bag.close()
    return found


def headers(path, topic: str) -> list[tuple[int, str, int]]:
    """Return stamp, frame and time of recording of the messages of a topic."""
    bag = Bag(path)
    channels = [channel for channel in bag.channels if channel.topic == topic]
    found = []
    for channel, time_ns, data in bag.messages(channels):
        header = read_message(channel, data).header
        found.append((nanoseconds(header.stamp.sec, header.stamp.nanosec), header.frame_id,
                      time_ns))
    bag.close()
    return found


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: getattr(kind, 'name', kind))
def test_messages_are_copied_and_masks_have_the_headers_of_images(kind, label, tmp_path):
    path = write_bag(tmp_path / 'drive', recorded(kind), kind)
    code, _, errors = label(path, '--output', tmp_path / 'out', '--bag')
    assert (code, errors) == (0, [])
    written = tmp_path / 'out/drive/bag'
    copies = messages(written)
    assert sorted(copies) == ['/front/image', *RESULTS, '/point']
    # Messages of ROS 1 become those of ROS 2.
    originals = messages(path if kind != ROS1 else write_bag(tmp_path / 'two', recorded(KINDS[0])))
    assert {topic: copies[topic] for topic in originals} == originals
    expected = [(START_NS + index * STEP_NS, 'camera', START_NS + index * STEP_NS + DELAY_NS)
                for index in range(3)]
    for topic in ('/front/image', '/mfs_seg/mask', '/mfs_seg/confidence'):
        assert headers(written, topic) == expected
    assert [time_ns for time_ns, _ in copies['/mfs_seg/label_info']] == [expected[0][2]]


def test_masks_and_names_are_those_of_the_files(label, tmp_path):
    path = write_bag(tmp_path / 'drive', recorded(KINDS[0]))
    assert label(path, '--output', tmp_path / 'out', '--bag', '--masks')[0] == 0
    types = store()
    for name, text in (('vision_msgs/msg/VisionClass', 'uint16 class_id\nstring class_name'),
                       ('vision_msgs/msg/LabelInfo', 'std_msgs/Header header\n'
                        'vision_msgs/VisionClass[] class_map\nfloat32 threshold')):
        if name not in types.types:
            types.register(get_types_from_msg(text, name))
    with Reader(tmp_path / 'out/drive/bag') as reader:
        qos = {each.topic: each.ext.offered_qos_profiles for each in reader.connections}
        found = [(each.topic, types.deserialize_cdr(data, each.msgtype))
                 for each, _, data in reader.messages()]
    assert qos['/mfs_seg/mask'] == [RESULT] and qos['/mfs_seg/label_info'] == [LATCHED]
    assert RESULT.durability is QosDurability.VOLATILE
    (info,) = [message for topic, message in found if topic == '/mfs_seg/label_info']
    assert [(each.class_id, each.class_name) for each in info.class_map] == [
        *enumerate(CAMVID.names), (255, 'unlabelled')]
    masks = [message for topic, message in found if topic == '/mfs_seg/mask']
    assert info.header == masks[0].header
    assert [(each.encoding, each.height, each.width, each.step) for each in masks] == [
        ('mono8', 24, 32, 32)] * 3
    for index, each in enumerate(masks):
        stored = class_ids(tmp_path / f'out/drive/masks/{index:06d}.png')
        assert (each.data.reshape(24, 32) == stored).all()


@pytest.mark.parametrize('kind', KINDS[:2], ids=lambda kind: kind.name)
def test_the_qos_of_topics_is_kept(kind, label, tmp_path):
    path = tmp_path / 'drive'
    profile = LATCHED._replace(reliability=QosReliability.BEST_EFFORT, depth=7)
    writer = Writer(path, version=9, storage_plugin=kind)
    with writer:
        connection = writer.add_connection('/image', 'sensor_msgs/msg/Image', typestore=store(),
                                           offered_qos_profiles=[profile])
        pixels = np.zeros((24, 32, 3), np.uint8)
        writer.write(connection, START_NS, bytes(store().serialize_cdr(
            image(pixels, 'rgb8', START_NS), connection.msgtype)))
    assert label(path, '--output', tmp_path / 'out', '--bag')[0] == 0
    with Reader(tmp_path / 'out/drive/bag') as reader:
        (found,) = [each for each in reader.connections if each.topic == '/image']
    assert found.ext.offered_qos_profiles == [profile]


def test_compressed_messages_are_copied_unpacked(label, tmp_path):
    topics = recorded(StoragePlugin.SQLITE3)
    plain = write_bag(tmp_path / 'plain', topics, StoragePlugin.SQLITE3)
    packed = write_bag(tmp_path / 'drive', topics, StoragePlugin.SQLITE3,
                       (CompressionMode.MESSAGE, CompressionFormat.ZSTD))
    assert label(packed, '--output', tmp_path / 'out', '--bag')[0] == 0
    copies = messages(tmp_path / 'out/drive/bag')
    assert {topic: copies[topic] for topic in topics} == messages(plain)


def test_a_labelled_bag_is_labelled_again(label, tmp_path):
    path = write_bag(tmp_path / 'drive', recorded(KINDS[0]))
    assert label(path, '--output', tmp_path / 'one', '--bag')[0] == 0
    labelled = tmp_path / 'one/drive/bag'
    code, _, errors = label(file_of(labelled), '--output', tmp_path / 'two', '--bag')
    assert code == 0 and len(errors) == 3
    assert all('is not copied into the bag: a topic of the results has its name' in error
               for error in errors)
    assert messages(tmp_path / 'two/bag/bag') == messages(labelled)


def test_of_images_the_bag_has_them_too(folder, label, tmp_path):
    assert label(folder, '--output', tmp_path, '--bag', '--frames', 3)[0] == 0
    found = messages(tmp_path / 'drive/bag')
    assert sorted(found) == ['/camera/image_raw', *RESULTS]
    images = headers(tmp_path / 'drive/bag', '/camera/image_raw')
    assert headers(tmp_path / 'drive/bag', '/mfs_seg/mask') == images[:3]
    # A stamp of 0 means 'unknown'.
    assert images[0][0] > 0


def test_a_recorded_drive_replays_with_one_mask_a_frame(label, tmp_path):
    if not RECORDING.is_dir():
        pytest.skip('the recordings of shared/data are not here')
    code, lines, errors = label(RECORDING, '--output', tmp_path, '--bag')
    assert (code, errors) == (0, [])
    assert lines[0] == f"'{RECORDING}': 38 masks"
    written = tmp_path / RECORDING.name / 'bag'
    camera = headers(written, '/camera/image_raw/compressed')
    assert len(camera) == 38
    assert headers(written, '/mfs_seg/mask') == camera
    assert messages(written)['/camera/image_raw/compressed'] == messages(RECORDING)[
        '/camera/image_raw/compressed']
