# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of whole, cut and damaged bags of all kinds."""

from __future__ import annotations

import shutil
import sqlite3
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from support import mcap_records as mcap
from support.bags import IMAGE, KINDS, ROS1, file_of, image, store, write_bag

from mfs_seg_core.bags import definitions
from mfs_seg_core.bags.bag import Bag
from mfs_seg_core.bags.files import is_bag
from mfs_seg_core.bags.reader import read_message
from mfs_seg_core.bags.storage import MAX_CHUNK, BagDamage, Channel, decompressed, zstd

START_NS, STEP_NS = 1_700_000_000 * 10**9, 100_000_000
COUNT = 40
ROS2 = (StoragePlugin.MCAP, StoragePlugin.SQLITE3)


def name(kind) -> str:
    return getattr(kind, 'name', kind)


def noise(count: int = COUNT, side: int = 40) -> np.ndarray:
    """Return images that no compression makes smaller."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def images(pixels: np.ndarray, kind, first: int = 0) -> list:
    return [(START_NS + i * STEP_NS, image(item, 'rgb8', START_NS + i * STEP_NS, kind))
            for i, item in enumerate(pixels, first)]


def pictures(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Return all images of a bag, whose times must be in order, and sentences about damage."""
    bag, found, latest = Bag(path), [], 0
    for channel, time_ns, data in bag.messages(bag.channels):
        message = read_message(channel, data)
        stamp = message.header.stamp
        assert time_ns == stamp.sec * 10**9 + stamp.nanosec > latest
        latest = time_ns
        found.append(np.frombuffer(message.data, np.uint8).reshape(
            message.height, message.width, 3))
    bag.close()
    return found, bag.damage


def same(found: list[np.ndarray], expected: np.ndarray) -> bool:
    return len(found) == len(expected) and all(map(np.array_equal, found, expected))


@pytest.mark.parametrize('kind', KINDS, ids=name)
def test_whole_bags(tmp_path, kind):
    bag = write_bag(tmp_path / 'bag', {'/image': images(noise(), kind)}, kind)
    for path in {bag, file_of(bag)}:
        assert is_bag(path)
        found, damage = pictures(path)
        assert same(found, noise()) and damage == []
    # The content decides, whatever the name.
    other = file_of(bag).rename(tmp_path / 'recording with a strange # name?')
    assert is_bag(other) and same(pictures(other)[0], noise())


@pytest.mark.parametrize('compression', [
    (StoragePlugin.MCAP, CompressionMode.STORAGE, CompressionFormat.ZSTD),
    (StoragePlugin.MCAP, CompressionMode.MESSAGE, CompressionFormat.ZSTD),
    (StoragePlugin.SQLITE3, CompressionMode.MESSAGE, CompressionFormat.ZSTD),
    (StoragePlugin.MCAP, CompressionMode.FILE, CompressionFormat.ZSTD),
    (StoragePlugin.SQLITE3, CompressionMode.FILE, CompressionFormat.ZSTD),
    (ROS1, Ros1Writer.CompressionFormat.BZ2), (ROS1, Ros1Writer.CompressionFormat.LZ4),
], ids=lambda compression: '-'.join(map(name, compression[:2])))
def test_compressed_bags(tmp_path, compression):
    kind = compression[0]
    bag = write_bag(tmp_path / 'bag', {'/image': images(noise(), kind)}, kind, compression[1:])
    found, damage = pictures(bag)
    assert same(found, noise()) and damage == []


@pytest.mark.parametrize('share', [0.4, 0.7, 0.99])
@pytest.mark.parametrize('kind', KINDS, ids=name)
def test_cut_bags(tmp_path, kind, share):
    """The images before the end are all there, and the sentence names file and repair."""
    bag = file_of(write_bag(tmp_path / 'bag', {'/image': images(noise(), kind)}, kind))
    data = bag.read_bytes()
    cut = tmp_path / f'cut{bag.suffix}'
    cut.write_bytes(data[:int(len(data) * share)])
    found, damage = pictures(cut)
    # Of a page or a message, a part is no image.
    assert int(COUNT * share) - 5 <= len(found) and same(found, noise()[:len(found)])
    sentence, = damage
    repair = {StoragePlugin.MCAP: 'mcap recover', StoragePlugin.SQLITE3: '.recover',
              ROS1: 'rosbag reindex'}[kind]
    assert sentence.startswith(str(cut)) and repair in sentence and sentence.isprintable()


@pytest.mark.parametrize('compression', [
    (StoragePlugin.MCAP, CompressionMode.STORAGE, CompressionFormat.ZSTD),
    (ROS1, Ros1Writer.CompressionFormat.LZ4)], ids=lambda compression: name(compression[0]))
def test_the_start_of_a_cut_compressed_chunk_is_read(tmp_path, compression):
    kind = compression[0]
    # One chunk of several blocks of compressed data.
    bag = file_of(write_bag(tmp_path / 'bag', {'/image': images(noise(side=100), kind)}, kind,
                            compression[1:]))
    data = bag.read_bytes()
    bag.write_bytes(data[:len(data) * 3 // 4])
    found, damage = pictures(bag)
    assert COUNT // 2 < len(found) < COUNT and same(found, noise(side=100)[:len(found)])
    assert len(damage) == 1


@pytest.mark.parametrize('kind', KINDS, ids=name)
def test_a_damaged_block_is_passed_over(tmp_path, kind):
    pixels = noise(400, 60)
    bag = file_of(write_bag(tmp_path / 'bag', {'/image': images(pixels, kind)}, kind))
    data = bytearray(bag.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle:middle + 4096] = bytes(4096)
    bag.write_bytes(data)
    found, damage = pictures(bag)
    # A chunk holds many messages.
    assert len(found) > (390 if kind == StoragePlugin.SQLITE3 else 250)
    # The start of one message is there, and rosbags writes no checksums.
    wrong = {item.tobytes() for item in found} - {item.tobytes() for item in pixels}
    assert len(wrong) <= (kind != StoragePlugin.SQLITE3)
    assert np.array_equal(found[-1], pixels[-1]) and len(damage) == 1


def test_a_wrong_checksum_is_damage(tmp_path):
    """A flipped bit in uncompressed data leaves the records whole."""
    messages = b''.join(mcap.message(1, START_NS + i * STEP_NS, data)
                        for i, data in enumerate(serialised(6)))
    start = mcap.start() + mcap.schema(1, IMAGE, '', b'') + mcap.channel(1, 1, '/image')
    chunks = [mcap.chunk(messages[len(messages) * i // 3:len(messages) * (i + 1) // 3],
                         START_NS + 2 * i * STEP_NS, 0, crc=True) for i in range(3)]
    path = tmp_path / 'a.mcap'
    path.write_bytes(start + b''.join(chunks) + mcap.end())
    assert same(pictures(path)[0], noise(6)) and pictures(path)[1] == []
    chunks[1] = chunks[1][:3000] + bytes([chunks[1][3000] ^ 1]) + chunks[1][3001:]
    path.write_bytes(start + b''.join(chunks) + mcap.end())
    found, damage = pictures(path)
    assert same(found, noise(6)[[0, 1, 4, 5]]) and 'checksum' in damage[0]


def test_cut_pages_of_sqlite_are_not_read_as_zeros(tmp_path):
    """SQLite itself reads zeros in place of the rest of a page in which a file was cut."""
    pixels = noise(side=28)
    bag = file_of(write_bag(tmp_path / 'bag', {'/image': images(pixels, ROS2[1])}, ROS2[1]))
    data = bag.read_bytes()
    expected = {item.tobytes() for item in pixels}
    for size in range(len(data) // 2 // 4096 * 4096, len(data), 1024):
        bag.write_bytes(data[:size])
        assert {item.tobytes() for item in pictures(bag)[0]} <= expected


def test_a_cut_file_of_zstd(tmp_path):
    bag = file_of(write_bag(tmp_path / 'bag', {'/image': images(noise(side=100),
                                                                StoragePlugin.MCAP)}))
    packed = tmp_path / 'a.mcap.zstd'
    packed.write_bytes(zstd().compress(bag.read_bytes()))
    assert same(pictures(packed)[0], noise(side=100)) and pictures(packed)[1] == []
    # Several compressed frames, one after another, are one file.
    data = bag.read_bytes()
    packed.write_bytes(zstd().compress(data[:9999]) + zstd().compress(data[9999:]))
    assert same(pictures(packed)[0], noise(side=100)) and pictures(packed)[1] == []
    packed.write_bytes(packed.read_bytes()[:-200_000])
    found, damage = pictures(packed)
    assert COUNT // 2 < len(found) < COUNT and same(found, noise(side=100)[:len(found)])
    assert 'compressed data are cut' in damage[0]


@pytest.mark.parametrize('suffix', ['-wal', '-journal'])
def test_an_unfinished_transaction(tmp_path, suffix):
    """The recorder stopped: rows are in the log for writing, or the log undoes half a change."""
    bag = file_of(write_bag(tmp_path / 'bag', {'/image': images(noise(), ROS2[1])}, ROS2[1]))
    killed = tmp_path / 'killed' / 'killed.db3'
    killed.parent.mkdir()
    database = sqlite3.connect(bag)
    database.execute(f'PRAGMA journal_mode={"WAL" if suffix == "-wal" else "DELETE"}')
    database.execute('PRAGMA cache_size=1')
    database.execute('DELETE FROM messages WHERE id > 20')
    if suffix == '-wal':
        database.commit()
    else:
        # More than the cache holds: half of a change is in the file.
        database.execute('UPDATE messages SET data = zeroblob(length(data))')
    for end in ('', suffix):
        shutil.copy(f'{bag}{end}', f'{killed}{end}')
    before = {path.name: path.read_bytes() for path in killed.parent.iterdir()}
    database.close()
    found, damage = pictures(killed.parent)
    assert same(found, noise()[:20] if suffix == '-wal' else noise()) and damage == []
    assert {path.name: path.read_bytes() for path in killed.parent.iterdir()} == before


@pytest.mark.parametrize('kind', ROS2, ids=name)
def test_split_files_are_read_in_order(tmp_path, kind):
    folder = tmp_path / 'drive'
    folder.mkdir()
    # Numbers count: 10 comes after 9. The recorder was stopped before metadata.yaml was complete.
    for part in range(12):
        bag = write_bag(tmp_path / f'part{part}', {
            '/image': images(noise()[part:part + 1], kind, part)}, kind)
        file_of(bag).rename(folder / f'drive_{part}{file_of(bag).suffix}')
    assert same(pictures(folder)[0], noise()[:12])
    assert [f'{folder} has no metadata.yaml' in text for text in Bag(folder).remarks] == [True]
    suffix = '.mcap' if kind == StoragePlugin.MCAP else '.db3'
    (folder / 'metadata.yaml').write_text(
        f'rosbag2_bagfile_information:\n  relative_file_paths:\n    - drive_0{suffix}\n'
        f'    - drive_77{suffix}\n  storage_identifier: ""\n')
    (folder / f'._drive_3{suffix}').write_bytes(b'macOS')
    found, damage = pictures(folder)
    assert same(found, noise()[:12]) and damage == [] and Bag(folder).remarks == []
    # The last file is empty, as after a loss of power.
    (folder / f'drive_12{suffix}').write_bytes(b'')
    found, damage = pictures(folder)
    assert same(found, noise()[:12]) and 'it is empty' in damage[0]


def test_several_recordings_in_a_folder(tmp_path):
    for stem in ('monday', 'tuesday'):
        bag = write_bag(tmp_path / f'b_{stem}', {'/image': images(noise()[:2], ROS2[0])})
        file_of(bag).rename(tmp_path / f'{stem}.mcap')
    with pytest.raises(ValueError, match='holds several recordings, monday.mcap, tuesday.mcap'):
        Bag(tmp_path)
    (tmp_path / 'metadata.yaml').write_text('relative_file_paths: [tuesday.mcap]')
    assert same(pictures(tmp_path)[0], noise()[:2])


def test_a_decompressed_file_next_to_the_compressed_one(tmp_path):
    """`ros2 bag play` leaves it there."""
    bag = write_bag(tmp_path / 'bag', {'/image': images(noise(), ROS2[0])})
    file = file_of(bag)
    file.with_name(f'{file.name}.zstd').write_bytes(zstd().compress(file.read_bytes()))
    assert same(pictures(bag)[0], noise())


def serialised(count: int) -> list[bytes]:
    types = store()
    return [bytes(types.serialize_cdr(message, IMAGE))
            for _, message in images(noise(count), ROS2[0])]


def test_mcap_with_a_wrong_summary_is_scanned(tmp_path):
    definitions = mcap.schema(1, IMAGE, '', b'') + mcap.channel(1, 1, '/image')
    data, chunks = mcap.start() + definitions, []
    for i, message in enumerate(serialised(4)):
        time_ns = START_NS + i * STEP_NS
        chunks.append((len(data), mcap.chunk(mcap.message(1, time_ns, message), time_ns, time_ns)))
        data += chunks[-1][1]
    path = tmp_path / 'a.mcap'
    right = mcap.summary(len(data), definitions, chunks, 4)
    path.write_bytes(data + right)
    assert same(pictures(path)[0], noise(4)) and pictures(path)[1] == []
    # A flipped bit, and an index without the last chunk.
    for wrong in (right.replace(b'/image', b'/imagf'),
                  mcap.summary(len(data), definitions, chunks[:3], 4)):
        path.write_bytes(data + wrong)
        assert same(pictures(path)[0], noise(4)) and pictures(path)[1] == []
        assert [channel.topic for channel in Bag(path).channels] == ['/image']


def test_a_chunk_that_declares_too_many_bytes_is_not_decompressed():
    with pytest.raises(BagDamage, match='declares a chunk of 536870913 bytes'):
        decompressed(zstd().compress(b'a'), 'zstd', MAX_CHUNK + 1)


@pytest.mark.parametrize('layout', ['loose', 'chunked', 'mixed'])
def test_mcap_without_summary_in_any_order(tmp_path, layout):
    """Chunks may overlap in time, and messages may lie outside chunks."""
    messages = [mcap.message(1, START_NS + i * STEP_NS, data)
                for i, data in enumerate(serialised(12))]
    definitions = mcap.schema(1, IMAGE, '', b'') + mcap.channel(1, 1, '/image')
    if layout == 'chunked':
        body = b''.join(mcap.chunk(definitions + b''.join(messages[first::3]),
                                   START_NS + first * STEP_NS, START_NS + 11 * STEP_NS)
                        for first in (2, 0, 1))
    elif layout == 'mixed':
        chunk = mcap.chunk(b''.join(messages[:3]), START_NS, START_NS + 2 * STEP_NS)
        body = (definitions + messages[5] + messages[3] + chunk + messages[4]
                + b''.join(messages[6:]))
    else:
        body = definitions + b''.join(messages[i] for i in (3, 1, 2, 0, *range(4, 12)))
    path = tmp_path / 'a.mcap'
    path.write_bytes(mcap.start('') + body + mcap.end())
    found, damage = pictures(path)
    assert same(found, noise(12)) and damage == []


def test_channels_of_other_kinds_are_named(tmp_path):
    """Files of Foxglove hold JSON and Protobuf, whose schemas are no text."""
    body = (mcap.schema(1, IMAGE, 'ros2msg', 'no definition at all {')
            + mcap.schema(2, 'foxglove.Log', 'jsonschema', '{}')
            + mcap.schema(3, 'foxglove.CompressedImage', 'protobuf', b'\x0a\xff\xfe\x00')
            + mcap.channel(1, 1, '/image') + mcap.channel(2, 2, '/log', 'json')
            + mcap.channel(3, 3, '/camera', 'protobuf') + mcap.message(2, 1, b'{"a": 1}')
            + mcap.message(1, START_NS, serialised(1)[0]) + mcap.message(3, 2, b'\x0a\x00'))
    path = tmp_path / 'a.mcap'
    path.write_bytes(mcap.start('') + body + mcap.end())
    found, damage = pictures(path)
    assert same(found, noise(1)) and damage == []
    bag = Bag(path)
    assert [channel.topic for channel in bag.channels] == ['/image']
    assert [(channel.topic, channel.serialization) for channel in bag.foreign] == [
        ('/log', 'json'), ('/camera', 'protobuf')]


def test_ros1_messages_in_mcap(tmp_path):
    types = store(ROS1)
    data = [bytes(types.serialize_ros1(message, IMAGE)) for _, message in images(noise(3), ROS1)]
    path = tmp_path / 'a.mcap'
    path.write_bytes(mcap.start('ros1') + mcap.schema(1, 'sensor_msgs/Image', 'ros1msg', '')
                     + mcap.channel(1, 1, '/image', 'ros1')
                     + b''.join(mcap.message(1, START_NS + i * STEP_NS, item)
                                for i, item in enumerate(data)) + mcap.end())
    assert same(pictures(path)[0], noise(3))


def test_a_ros1_bag_that_is_still_recorded(tmp_path):
    """Without an index, and with a last chunk whose size is not written yet."""
    bag = write_bag(tmp_path / 'bag', {'/image': images(noise(), ROS1)}, ROS1)
    data = bytearray(bag.read_bytes())
    place = data.index(b'index_pos=') + len(b'index_pos=')
    index, = struct.unpack_from('<Q', data, place)
    data[place:place + 8] = bytes(8)
    active = tmp_path / 'bag.bag.active'
    active.write_bytes(data[:index])
    found, damage = pictures(active)
    assert same(found, noise()) and 'without an index' in damage[0]
    # The recorder writes the size of a chunk when it is complete; only one is in this bag.
    size = data.index(b'size=', data.index(b'op=\x05')) + len(b'size=')
    data[size:size + 8] = bytes(8)
    active.write_bytes(data[:index])
    found, damage = pictures(active)
    assert same(found, noise()) and 'without an index' in damage[0]


def test_messages_that_do_not_fit_the_definition_in_their_bag():
    """They are read by the known fields of their type if these fit; no byte may be left over."""
    data = serialised(1)[0]
    wrong = Channel('/image', IMAGE, 'cdr', definitions.KNOWN[IMAGE] + '\nuint32[4] more')
    assert bytes(read_message(wrong, data).data) == noise(1).tobytes()
    # Some writers append up to 7 bytes for alignment.
    assert bytes(read_message(wrong, data + bytes(7)).data) == noise(1).tobytes()
    with pytest.raises(ValueError, match='has 4[0-9]{3} bytes, its type .*Image takes 4[0-9]{3}'):
        read_message(wrong, data + bytes(8))


def test_an_encrypted_ros1_bag_is_refused(tmp_path):
    bag = write_bag(tmp_path / 'bag', {'/image': images(noise(1), ROS1)}, ROS1)
    data = bag.read_bytes()
    start = len(b'#ROSBAG V2.0\n')
    size, = struct.unpack_from('<I', data, start)
    end = start + 4 + size
    field = b'encryptor=rosbag/AesCbcEncryptor'
    field = struct.pack('<I', len(field)) + field
    # The padding of the header shrinks, so that all offsets in the file remain.
    padding, = struct.unpack_from('<I', data, end)
    bag.write_bytes(
        data[:start] + struct.pack('<I', size + len(field)) + data[start + 4:end] + field
        + struct.pack('<I', padding - len(field)) + data[end + 4 + len(field):])
    with pytest.raises(ValueError, match='it is encrypted: decrypt it with `rosbag decrypt`'):
        Bag(bag)


@pytest.mark.parametrize('file, content, sentence', [
    ('a.mcap', b'', 'it is empty'),
    ('a.mcap', b'no bag at all', 'does not begin as an MCAP file'),
    ('a.mcap', mcap.MAGIC, 'without a summary'),
    ('a.db3', bytes(5000), 'file is not a database'),
    ('a.db3', b'SQLite format 3\0', 'SQLite cannot read it'),
    ('a.bag', b'#ROSBAG V1.2\n', 'convert it with `rosbag fix`'),
    ('a.bag', b'#ROSBAG V2.0\n', 'without an index'),
    ('a.db3.zstd', b'\x28\xb5\x2f\xfd\0\0', 'compressed data are cut'),
    ('a.txt', b'1 2 3', 'it is no bag'),
])
def test_files_that_are_no_bags(tmp_path, file, content, sentence):
    path = tmp_path / file
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence) as error:
        Bag(path)
    assert str(error.value).startswith(str(path)) and str(error.value).isprintable()


def test_another_database(tmp_path):
    path = tmp_path / 'cookies.db3'
    database = sqlite3.connect(path)
    database.execute('CREATE TABLE cookies(id INTEGER)')
    database.commit()
    database.close()
    with pytest.raises(ValueError, match='without the tables of a rosbag2'):
        Bag(path)
    with pytest.raises(ValueError, match='a folder without a recording'):
        (tmp_path / 'empty').mkdir()
        Bag(tmp_path / 'empty')
    assert not is_bag(tmp_path / 'empty')


@pytest.mark.parametrize('kind, compression, absent', [
    (StoragePlugin.MCAP, None, 'rosbags.typesys'), (StoragePlugin.SQLITE3, None, 'apsw'),
    (StoragePlugin.MCAP, (CompressionMode.STORAGE, CompressionFormat.ZSTD), 'backports'),
    (ROS1, (Ros1Writer.CompressionFormat.LZ4,), 'lz4.frame'),
], ids=lambda value: name(value) if isinstance(value, str) else '')
def test_missing_packages_are_named(tmp_path, monkeypatch, kind, compression, absent):
    bag = file_of(write_bag(tmp_path / 'bag', {'/image': images(noise(3), kind)}, kind,
                            compression))
    definitions.known_types.cache_clear()
    definitions.types_of.cache_clear()
    monkeypatch.setitem(sys.modules, absent, None)
    if absent == 'backports':
        monkeypatch.setitem(sys.modules, 'compression', None)
    with pytest.raises(ValueError, match='rosbags, of the extra .events.: pip install rosbags'):
        pictures(bag)
