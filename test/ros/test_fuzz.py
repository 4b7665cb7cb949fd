# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that no driver would send, thousands of them, and a segmenter that outlives them."""

import struct
import time
import zlib
from array import array
from pathlib import Path

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from event_camera_msgs.msg import EventPacket
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from support.camera import MODULE, QUICK, coarse_image, same
from support.event_camera import EventCamera, save_untrained, some_events

from mfs_seg_core.events.decoders import ENCODINGS
from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.packet import read_packet
from mfs_seg_core.images import ImageStream
from mfs_seg_core.images.encoding import LAYOUTS, Layout, MessageError
from mfs_seg_core.streaming.continuity import Continuity
from mfs_seg_core.streaming.event_stream import EventStream
from mfs_seg_ros.messages.images import header_of

NAME = '/fuzzed/mfs_seg'
# The same messages on every run; they cannot be made smaller, since the node remembers.
FUZZ = dict(deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck))
# Of each kind, and how often the node is asked for a mask in between.
MESSAGES, A_WHILE, PAUSE_S = 800, 100, 0.002
# Pictures of 60000x640 pixels, as some claim to be, are still possible; of 30000x30000, not.
MORE_MEMORY_KB = 1_200_000

WORDS = st.integers(0, 2**32 - 1)
SIDES = st.one_of(st.integers(0, 64), st.sampled_from([
    8, 640, 30_000, 60_000, 2**16, 2**31, 2**32 - 1]))
STAMPS = st.one_of(
    st.builds(Time, sec=st.integers(-2**31, 2**31 - 1), nanosec=WORDS),
    st.builds(Time, sec=st.just(1_700_000_000), nanosec=st.integers(0, 10**9 - 1)),
    st.just(Time()), st.just(Time(sec=2**31 - 1, nanosec=2**32 - 1)))
NAMES = st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']), max_size=20)
HEADERS = st.builds(Header, stamp=STAMPS, frame_id=NAMES)
OCTETS = st.binary(max_size=300).map(lambda data: array('B', data))


@st.composite
def images(draw) -> Image:
    """Images whose fields agree, but for one of them, or do not agree at all."""
    encoding = draw(st.one_of(st.sampled_from([*LAYOUTS, '16UC1', 'mono12p']), NAMES))
    layout = LAYOUTS.get(encoding, Layout(1))
    # Mostly even, as several encodings require.
    width, height = (draw(st.integers(1, 20)) * 2 - draw(st.sampled_from([0, 0, 0, 1]))
                     for _ in range(2))
    step = width * layout.pixel + draw(st.sampled_from([0, 0, 2, 13]))
    size = layout.size(step, height)
    data = array('B', draw(st.binary(min_size=1, max_size=8)) * size)[:size]
    wrong = draw(st.sampled_from(['', '', 'width', 'height', 'step', 'data', 'all']))
    return Image(
        header=draw(HEADERS), encoding=encoding, is_bigendian=draw(st.integers(0, 255)),
        width=draw(SIDES) if wrong in ('width', 'all') else width,
        height=draw(SIDES) if wrong in ('height', 'all') else height,
        step=draw(WORDS) if wrong in ('step', 'all') else step,
        data=draw(OCTETS) if wrong in ('data', 'all') else data)


def png_that_claims(width: int, height: int, depth: int = 8, kind: int = 2) -> bytes:
    """Return a PNG of a few bytes whose header speaks of a large image."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + name + data + struct.pack(
            '>I', zlib.crc32(name + data))

    header = struct.pack('>IIBBBBB', width, height, depth, kind, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(bytes(99)))
            + chunk(b'IEND', b''))


def jpeg_that_claims(width: int, height: int) -> bytes:
    """Return a JPEG of a few bytes whose header speaks of a large image."""
    data = bytearray(cv2.imencode('.jpg', coarse_image(0))[1].tobytes())
    frame = data.index(b'\xff\xc0')
    data[frame + 5:frame + 9] = struct.pack('>HH', height & 0xffff, width & 0xffff)
    return bytes(data)


# Parts of the format of compressed images, in their order.
FORMAT = (['', 'rgb8', 'bgr8', 'mono8', 'mono16', 'bayer_rggb8', 'bayer_gbrg16', '16UC1', 'yuv422'],
          ['', ';', '; ', ';;'], ['', 'jpeg', 'png', 'tiff', 'compressedDepth'],
          ['', ' compressed ', 'compressed'], ['', 'bgr8', 'rgb16', 'mono8', 'bayer_rggb8'])
FORMATS = st.one_of(NAMES, st.tuples(*map(st.sampled_from, FORMAT)).map(''.join))
PICTURES = [cv2.imencode(kind, coarse_image(1))[1].tobytes()
            for kind in ('.png', '.jpg', '.bmp', '.tiff', '.webp', '.ppm')]
PICTURES += [cv2.imencode(kind, pixels)[1].tobytes() for kind, pixels in (
    ('.png', coarse_image(1)[..., 0]), ('.jpg', coarse_image(1)[..., 0]),
    ('.png', coarse_image(1)[..., 0].astype(np.uint16) * 16),
    ('.png', coarse_image(1).astype(np.uint16) * 16))]


@st.composite
def damaged(draw, data: bytes) -> bytes:
    """Bytes of which some are others, or the end is missing."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(0, 4))):
        changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed[:draw(st.one_of(st.just(len(changed)), st.integers(0, len(changed))))])


compressed = st.builds(
    CompressedImage, header=HEADERS, format=FORMATS,
    data=st.one_of(
        st.binary(max_size=300), st.sampled_from(PICTURES).flatmap(damaged),
        st.builds(png_that_claims, SIDES, SIDES, st.sampled_from([1, 8, 16]),
                  st.integers(0, 6)),
        st.builds(jpeg_that_claims, SIDES, SIDES),
    ).map(lambda data: array('B', data)))

packets = st.builds(
    EventPacket, header=HEADERS,
    width=st.one_of(st.just(40), SIDES), height=st.one_of(st.just(30), SIDES),
    seq=st.one_of(st.integers(0, 2000), st.integers(0, 2**64 - 1)),
    time_base=st.one_of(st.just(0), st.just(1_700_000_000 * 10**9), st.integers(0, 2**64 - 1)),
    encoding=st.one_of(st.sampled_from(ENCODINGS), NAMES), is_bigendian=st.booleans(),
    events=st.one_of(
        OCTETS, st.integers(0, 10**6).map(
            lambda us: array('B', encode_evt3(some_events(us, us + 2000))))))
# One for all examples, as for a topic whose encoding changes.
STREAM = ImageStream()
KINDS = {Image: images(), CompressedImage: compressed, EventPacket: packets}


@st.composite
def serialised(draw, messages) -> bytes:
    """Messages as they go over the wire, one in four of them damaged there."""
    data = serialize_message(draw(messages))
    return draw(damaged(data)) if draw(st.integers(0, 3)) == 0 else data


@settings(max_examples=1000, **FUZZ)
@given(message=images())
def test_images_become_pictures_or_a_sentence(message):
    try:
        image = STREAM.rgb(message)
    except MessageError as error:
        assert str(error).isprintable()
        return
    assert image.shape == (message.height, message.width, 3) and image.dtype == np.uint8
    assert all(sentence.isprintable() for sentence in STREAM.new_remarks())


@settings(max_examples=1000, **FUZZ)
@given(message=compressed)
def test_compressed_images_become_pictures_or_a_sentence(message):
    try:
        image = STREAM.rgb(message)
    except MessageError as error:
        assert str(error).isprintable()
        return
    assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
    assert all(sentence.isprintable() for sentence in STREAM.new_remarks())


@settings(max_examples=1000, **FUZZ)
@given(data=serialised(packets), order=st.sampled_from([b'\0\1', b'\0\0', b'']))
def test_packets_are_read_or_a_sentence(data, order):
    stream = EventStream(Continuity(1.0))
    try:
        packet = read_packet(order + data[2:])
        header_of(packet.stamp_ns, packet.frame_id)
        events = stream.decode(packet).events
    except ValueError as error:
        assert str(error).isprintable()
        return
    assert (events.x < packet.width).all() and (events.y < packet.height).all()


def memory_kb(pid: int, what: str) -> int:
    """Return what the kernel says of a process's memory."""
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1])
    raise AssertionError(f'{what} is not known')


@pytest.fixture(scope='module')
def fuzzed(children, tmp_path_factory):
    """Start the segmenter that receives all of them, and yield its camera."""
    children.start('segmenter', MODULE, {
        **QUICK, 'weights': save_untrained(tmp_path_factory.mktemp('weights') / 'test.safetensors'),
        'sensors': 'fusion', 'trigger': 'both', 'event_window': 5.0, 'event_wait': 1.0,
        'report_period': 0.5},
        {'__ns': '/fuzzed'})
    with EventCamera(NAME).connected() as camera:
        yield camera


def answer(camera) -> dict[str, np.ndarray]:
    """Return the outputs for an image and the events before it, from rest."""
    camera.begin()
    camera.pass_time(0, 50_000)
    camera.stamp_ns = camera.start_ns
    return camera.ask(coarse_image(9))


def ask_until_answered(camera) -> None:
    """Send an image until it is answered: an earlier message of another topic may replace it."""
    sent = []

    def answered() -> bool:
        if not sent or time.monotonic() - sent[-1] > 0.5:
            camera.ask(coarse_image(1), wait_for=())
            sent.append(time.monotonic())
        return 'mask' in camera.answers

    camera.answers.clear()
    camera.wait(answered, 'a mask')


def send_all(camera, kind, messages, children) -> int:
    """Send many messages, and ask for a mask now and then; return how many."""
    sent = 0

    @settings(max_examples=MESSAGES, **FUZZ)
    @given(data=messages)
    def send(data):
        nonlocal sent
        camera.publishers[kind].publish(data)
        sent += 1
        # Of images the newest wins: it gets the time to look at most of them.
        time.sleep(PAUSE_S)
        if sent % A_WHILE == 0:
            children.check_running('segmenter')
            ask_until_answered(camera)

    send()
    return sent


def test_the_segmenter_outlives_them(fuzzed, children):
    camera, pid = fuzzed, children.pid('segmenter')
    first = answer(camera)
    before_kb = memory_kb(pid, 'VmRSS')
    sent = 0
    for kind, messages in KINDS.items():
        sent += send_all(camera, kind, serialised(messages), children)
    assert sent >= 3 * MESSAGES - 100
    camera.stamp_ns = 1_800_000_000 * 10**9
    assert same(answer(camera), first)
    children.check_running('segmenter')
    assert memory_kb(pid, 'VmHWM') - before_kb < MORE_MEMORY_KB
    images = [int(count) for count in camera.wait(lambda: children.last_match(
        'segmenter', r'of (\d+) images so far, (\d+) were dropped for newer ones, (\d+) were '
        r'unusable, (\d+) were too old and (\d+) out of order; .*; (\d+) masks'),
        'the report of images').groups()]
    # Two may be under way. (There are masks of events alone, too.)
    assert sum(images[1:]) >= images[0] - 2
    packets = [int(count) for count in camera.wait(lambda: children.last_match(
        'segmenter', r'event packets so far, (\d+) were dropped .*, (\d+) were unusable'),
        'the report of events').groups()]
    for unusable in images[2], packets[1]:
        assert unusable > MESSAGES / 4
