# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter as a real process, spoken to through rclpy."""

import re
import time
from array import array

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float32
from support.camera import MODULE, QUICK, Camera, coarse_image, same
from vision_msgs.msg import LabelInfo

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_ros.messages.images import image_message
from mfs_seg_ros.node.parameters import SEGMENTER

REPORT_PERIOD_S = 0.5


@pytest.fixture(scope='module')
def segmenter(children):
    """Start one segmenter for all tests, and yield its camera."""
    children.start('segmenter', MODULE,
                   {**QUICK, 'sensors': 'camera', 'report_period': REPORT_PERIOD_S})
    with Camera().connected() as camera:
        yield camera


@pytest.fixture
def camera(segmenter):
    """Reset the segmenter, and return its camera."""
    segmenter.reset()
    return segmenter


@pytest.fixture
def logged(camera, children):
    """Return a function that waits for a line in the segmenter's log."""
    return lambda pattern: camera.wait(
        lambda: children.last_match('segmenter', pattern), f'the log line {pattern!r}')


def as_image(rgb: np.ndarray, encoding: str, padding: int = 0) -> Image:
    """Return an image as a driver of this encoding would send it."""
    rows = rgb if encoding == 'rgb8' else cv2.cvtColor(rgb, {
        'bgr8': cv2.COLOR_RGB2BGR, 'rgba8': cv2.COLOR_RGB2RGBA, 'bgra8': cv2.COLOR_RGB2BGRA,
        'mono8': cv2.COLOR_RGB2GRAY}[encoding])
    rows = np.pad(rows.reshape(len(rgb), -1), ((0, 0), (0, padding)))
    message = image_message(rows, encoding, Image().header)
    message.width = rgb.shape[1]
    return message


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('encoding', ['bgr8', 'rgba8', 'bgra8', 'mono8'])
def test_mask_is_the_same_in_each_encoding(camera, encoding, padding):
    shown = coarse_image(1)
    if encoding == 'mono8':
        shown = np.repeat(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    first = camera.ask(shown)
    camera.reset()
    assert same(camera.ask(as_image(shown, encoding, padding)), first)


@pytest.mark.parametrize('encoding, bytes_a_pixel', [
    ('bayer_rggb8', 1), ('bayer_grbg16', 2), ('yuv422', 2), ('yuv422_yuy2', 2), ('mono16', 2)])
@pytest.mark.parametrize('bigendian', [0, 1])
def test_mask_for_sensor_encodings(camera, encoding, bytes_a_pixel, bigendian):
    noise = np.random.default_rng(2).integers(0, 256, (32, 48 * bytes_a_pixel), np.uint8)
    message = image_message(noise, encoding, Image().header)
    message.width, message.is_bigendian = 48, bigendian
    camera.ask(message)
    mask = camera.answers['mask']
    assert (mask.width, mask.height, mask.step, mask.encoding) == (48, 32, 48, 'mono8')
    assert set(bytes(mask.data)) <= {*range(len(CAMVID)), 255}


def test_mask_of_12_bits_in_16_is_that_of_8(camera, logged):
    shown = coarse_image(1)
    first = camera.ask(shown)
    samples = np.round(shown * (4095 / 255)).astype('<u2')
    message = image_message(samples.view(np.uint8).reshape(32, -1), 'rgb16', Image().header)
    message.width = 48
    camera.reset()
    assert same(camera.ask(message), first)
    logged("images of encoding 'rgb16' use 12 bits")


def test_mask_of_a_compressed_mosaic_is_that_of_the_raw_one(camera):
    shown = cv2.cvtColor(coarse_image(1), cv2.COLOR_RGB2GRAY)
    first = camera.ask(image_message(shown, 'bayer_rggb8', Image().header))
    camera.reset()
    data = cv2.imencode('.png', shown)[1].tobytes()
    message = CompressedImage(format='bayer_rggb8; png compressed ', data=array('B', data))
    assert same(camera.ask(message), first)


def test_answer_is_the_core_s(camera):
    core = Segmenter.from_weights('street_lite', input_size=(64, 48), backend='native')
    for seed in (3, 4):
        shown = coarse_image(seed, 60, 40)
        expected = core.step(shown, confidence=True)
        answer = camera.ask(shown)
        assert np.mean(answer['mask'] == expected.mask) > 0.99
        np.testing.assert_allclose(
            answer['confidence'].astype(int), expected.confidence, atol=2)


def test_header_is_copied(camera):
    message = image_message(coarse_image(1), 'rgb8', Image().header)
    message.header.frame_id = 'front/left camera_optical_frame'
    camera.ask(message, step_ns=123_456_789)
    for output in ('mask', 'confidence'):
        assert camera.answers[output].header == message.header


def test_late_joiner_gets_the_labels(camera):
    received = []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    subscription = camera.node.create_subscription(
        LabelInfo, '/mfs_seg/label_info', received.append, latched)
    camera.wait(lambda: received, 'the label info')
    camera.node.destroy_subscription(subscription)
    names = {item.class_id: item.class_name for item in received[0].class_map}
    assert names == {**dict(enumerate(CAMVID.names)), 255: 'unlabelled'}


def test_state_is_kept_and_reset(camera, logged):
    first, second = camera.ask(coarse_image(5)), camera.ask(coarse_image(5))
    assert not same(first, second)
    camera.reset()
    assert same(camera.ask(coarse_image(5)), first)
    assert same(camera.ask(coarse_image(5)), second)
    logged('the state returns to rest: ~/reset_state was called')


@pytest.mark.parametrize('step_ns, reason', [
    (-600_000_000, r'the stamp went back by 0\.600 s'),
    (-3_600_000_000_000, r'the stamp went back by 3600\.000 s'),
    (1_500_000_000, r'no image for 1\.500 s \(max_gap is 1 s\)'),
])
def test_broken_stream_starts_from_rest(camera, logged, step_ns, reason):
    first = camera.ask(coarse_image(5))
    assert not same(camera.ask(coarse_image(5)), first)
    assert same(camera.ask(coarse_image(5), step_ns=step_ns), first)
    logged(f'the state returns to rest: {reason}')


def test_other_size_starts_from_rest(camera, logged):
    first = camera.ask(coarse_image(5))
    camera.ask(coarse_image(5))
    camera.ask(coarse_image(5, 96, 64))
    logged('the state returns to rest: the size changed from 48x32 to 96x64')
    assert same(camera.ask(coarse_image(5)), first)


def set_parameter(camera, name: str, value):
    client = camera.node.create_client(SetParameters, '/mfs_seg/set_parameters')
    camera.wait(client.service_is_ready, 'the parameter service')
    request = SetParameters.Request(
        parameters=[Parameter(name, value=value).to_parameter_msg()])
    result = camera.call(client, request).results[0]
    camera.node.destroy_client(client)
    return result


def test_keep_state_may_change(camera):
    assert set_parameter(camera, 'keep_state', False).successful
    first = camera.ask(coarse_image(6))
    assert same(camera.ask(coarse_image(6)), first)
    assert set_parameter(camera, 'keep_state', True).successful
    assert not same(camera.ask(coarse_image(6)), first)


def test_other_parameters_may_not_change(camera):
    for name, value in (
        ('weights', 'camvid'), ('max_gap', 2.0), ('bit_depth', 12), ('overlay_opacity', 1.5),
        ('overlay_opacity', float('nan')), ('keep_state', 1),
    ):
        result = set_parameter(camera, name, value)
        assert not result.successful
        assert result.reason


def test_parameters_are_metadata_of(camera):
    client = camera.node.create_client(DescribeParameters, '/mfs_seg/describe_parameters')
    camera.wait(client.service_is_ready, 'the parameter service')
    names = [setting.name for setting in SEGMENTER]
    described = camera.call(client, DescribeParameters.Request(names=names)).descriptors
    camera.node.destroy_client(client)
    for setting, descriptor in zip(SEGMENTER, described):
        assert descriptor.description == setting.description
        # What may not change says why when it is tried.
        assert not descriptor.read_only


def test_firing_rates_of_the_layers(camera):
    rates = []
    subscription = camera.node.create_subscription(
        DiagnosticArray, '/mfs_seg/debug/firing_rates', rates.append, 10)

    def measured() -> bool:
        camera.ask(coarse_image(7), wait_for=('mask',))
        return bool(rates)

    camera.wait(measured, 'the firing rates')
    camera.node.destroy_subscription(subscription)
    assert rates[0].header.frame_id == camera.answers['mask'].header.frame_id
    values = {pair.key: float(pair.value) for pair in rates[0].status[0].values}
    assert {'encoder.0.0.depthwise.lif', 'heads.0.lif'} <= set(values)
    assert 0.0 < sum(values.values()) and min(values.values()) >= 0.0


def test_overlay_only_on_demand(camera):
    assert set_parameter(camera, 'overlay_opacity', 0.0).successful
    shown = coarse_image(7)
    subscription = camera.subscribe_to('overlay')
    times = []
    debug = camera.node.create_subscription(
        Float32, '/mfs_seg/debug/model_time_ms', times.append, 10)

    def asked_until_heard() -> bool:
        camera.ask(shown, wait_for=('mask',))
        return 'overlay' in camera.answers and times

    camera.wait(asked_until_heard, 'the overlay and the model time')
    assert times[0].data > 0.0
    np.testing.assert_array_equal(camera.ask(shown)['overlay'], shown.reshape(32, -1))
    assert camera.answers['overlay'].encoding == 'rgb8'
    assert camera.answers['overlay'].header == camera.answers['mask'].header
    assert set_parameter(camera, 'overlay_opacity', 1.0).successful
    answer = camera.ask(shown)
    np.testing.assert_array_equal(
        answer['overlay'].reshape(32, 48, 3), CAMVID.palette[answer['mask']])
    camera.outputs.remove('overlay')
    camera.node.destroy_subscription(debug)
    camera.node.destroy_subscription(subscription)


@pytest.mark.parametrize('extension', ['.jpg', '.png'])
def test_compressed_images(camera, extension):
    shown = coarse_image(8)
    data = cv2.imencode(extension, shown[..., ::-1])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    first = camera.ask(decoded)
    camera.reset()
    message = CompressedImage(format=extension[1:], data=array('B', data.tobytes()))
    assert same(camera.ask(message), first)


def wrong(width: int = 48, height: int = 32, step: int = 144, data: int = 32 * 144,
          encoding: str = 'rgb8') -> Image:
    return Image(width=width, height=height, step=step, encoding=encoding,
                 data=array('B', bytes(data)))


@pytest.mark.parametrize('message, sentence', [
    (wrong(step=100, data=3200), "step is 100 bytes, but 48 pixels of 'rgb8' take 144"),
    (wrong(data=4000), 'data has 4000 bytes, but 32 rows of step 144 take 4608'),
    (wrong(data=0), 'data has 0 bytes'),
    (wrong(encoding='rgb9'), "unknown encoding 'rgb9'"),
    (wrong(encoding='16UC1'), "encoding '16UC1' is that of depth"),
    (CompressedImage(format='16UC1; compressedDepth png'), 'is that of depth images'),
    (wrong(0, 0, 0, 0), 'the image is empty: 0x0 pixels'),
    (wrong(1, 1, 3, 3), 'the image is 1x1 pixels: send at least 8x8'),
    (wrong(100_000, 100_000, 300_000), 'the image is 100000x100000 pixels'),
    (CompressedImage(format='jpeg', data=array('B', b'nothing')), 'cannot be decoded'),
    (CompressedImage(), 'compressed image of 0 bytes'),
])
def test_unusable_images_are_logged_and_survived(camera, children, message, sentence):
    first = camera.ask(coarse_image(9))
    next_s = 0.0

    def logged():
        # Sent again: ten different sentences are logged in a report period, and there are more.
        nonlocal next_s
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + 2 * REPORT_PERIOD_S
            # Under the stamp of the image before: a step takes the time since the last one.
            camera.send(message, step_ns=0)
        return children.last_match(
            'segmenter', rf'\[ERROR\] .*unusable message: .*{re.escape(sentence)}')

    camera.wait(logged, f'the log line {sentence!r}')
    # The stream goes on as if the message had not been there.
    second = camera.ask(coarse_image(9))
    camera.reset()
    assert same(camera.ask(coarse_image(9)), first)
    assert same(camera.ask(coarse_image(9)), second)


def test_newest_image_wins_and_drops_are_reported(camera, logged):
    before = camera.masks
    # Together they fit into the shared memory: only the segmenter drops any.
    large = image_message(coarse_image(1, 320, 240), 'rgb8', Image().header)
    sent = 40
    for _ in range(sent):
        last = camera.send(large, step_ns=1_000_000).header.stamp
        camera.executor.spin_once(timeout_sec=0.002)
    camera.wait(lambda: camera.answers['mask'].header.stamp == last, 'the mask of the newest image')
    assert camera.masks - before < sent
    logged(r'of \d+ images so far, [1-9]\d* were dropped for newer ones')


def test_start_is_logged(logged):
    logged("configured: weights 'street_lite', input 64x48, trigger 'image', backend native")
    logged('active: /mfs_seg/image or /mfs_seg/image/compressed -> /mfs_seg/mask')
