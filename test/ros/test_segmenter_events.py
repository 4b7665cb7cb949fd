# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmenters of events, alone and with a camera, as real processes."""

import subprocess
import sys
from array import array

import numpy as np
import pytest
from std_msgs.msg import Float32
from support.camera import MODULE, QUICK, coarse_image, pixels
from support.event_camera import SENSOR, WINDOW_US, EventCamera, save_untrained, some_events

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.events.types import Events
from mfs_seg_core.streaming.segmenter import Segmenter

BLUE, RED, GREY = (30, 60, 220), (220, 30, 30), (128, 128, 128)
QUEUE_BYTES = 20_000


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """Return the path of weights for both sensors."""
    return save_untrained(tmp_path_factory.mktemp('weights') / 'both.safetensors')


@pytest.fixture(scope='module')
def fusion_segmenter(children, weights):
    """Start a segmenter of a camera and events, and yield its sensors."""
    # Images wait for their events for as long as a busy machine may take.
    children.start('fusion', MODULE, {
        **QUICK, 'weights': weights, 'sensors': 'fusion', 'report_period': 0.5,
        'event_wait': 1.0}, {'__ns': '/fusion'})
    with EventCamera('/fusion/mfs_seg').connected() as sensors:
        yield sensors


@pytest.fixture(scope='module')
def events_segmenter(children, weights):
    """Start a segmenter of events alone, and yield its event camera."""
    children.start('events', MODULE, {
        **QUICK, 'weights': weights, 'sensors': 'fusion', 'trigger': 'events', 'report_period': 0.5,
        'event_queue_bytes': QUEUE_BYTES, 'overlay_opacity': 0.0}, {'__ns': '/alone'})
    with EventCamera('/alone/mfs_seg', sensors=('events',)).connected() as sensors:
        yield sensors


@pytest.fixture
def fusion(fusion_segmenter):
    """Reset the segmenter of both, and return its sensors."""
    fusion_segmenter.begin()
    return fusion_segmenter


@pytest.fixture
def alone(events_segmenter):
    """Reset the segmenter of events, and return its event camera."""
    events_segmenter.begin()
    return events_segmenter


def window(start_us: int, end_us: int) -> EventWindow:
    """Return what the event camera sends of a time."""
    return EventWindow(some_events(start_us, end_us), start_us, end_us, SENSOR)


def test_each_window_of_events_has_a_mask(alone, weights):
    core = Segmenter.from_weights(weights, input_size=(64, 48), backend='native')
    alone.pass_time(0, WINDOW_US)
    sent = alone.send_events(some_events(WINDOW_US, WINDOW_US + 10_000), WINDOW_US)
    # The packet that shows that the window is complete.
    assert alone.masks_at(1) == [WINDOW_US]
    assert alone.all_masks[0].header == sent.header
    assert (alone.all_masks[0].width, alone.all_masks[0].height) == SENSOR
    for count in (2, 3, 4):
        alone.pass_time((count - 1) * WINDOW_US + 10_000, count * WINDOW_US + 10_000)
        assert alone.masks_at(count)[-1] == count * WINDOW_US
    for index, mask in enumerate(alone.all_masks):
        expected = core.step(events=window(index * WINDOW_US, (index + 1) * WINDOW_US),
                             elapsed_s=0.05 if index else None, confidence=True)
        assert np.mean(pixels(mask) == expected.mask) > 0.99
    alone.wait(lambda: alone.answers['confidence'].header == mask.header, 'its confidence')
    np.testing.assert_allclose(
        pixels(alone.answers['confidence']).astype(int), expected.confidence, atol=2)


def test_image_and_events_are_one_step(fusion, weights):
    core = Segmenter.from_weights(weights, input_size=(64, 48), backend='native')
    camera_only = Segmenter.from_weights(weights, input_size=(64, 48), backend='native')
    for index in range(1, 4):
        shown, end_us = coarse_image(index), index * WINDOW_US
        fusion.pass_time(end_us - WINDOW_US, end_us)
        fusion.send_image(shown, end_us)
        assert fusion.masks_at(index) == [WINDOW_US * (1 + step) for step in range(index)]
        expected = core.step(shown, 0.05, confidence=True,
                             events=window(end_us - WINDOW_US, end_us))
        mask = pixels(fusion.all_masks[-1])
        assert np.mean(mask == expected.mask) > 0.99
        assert np.mean(camera_only.step(shown, 0.05).mask == mask) < 0.95, 'events change nothing'


def test_images_alone_and_events_alone_are_steps(fusion):
    fusion.ask(coarse_image(1))
    fusion.ask(coarse_image(2))
    assert len(fusion.masks_at(2)) == 2
    fusion.begin()
    fusion.pass_time(0, WINDOW_US + 10_000)
    assert fusion.masks_at(1) == [WINDOW_US]
    fusion.pass_time(WINDOW_US + 10_000, 2 * WINDOW_US + 10_000)
    assert fusion.masks_at(2)[-1] == 2 * WINDOW_US
    # At the size that the camera has.
    assert (fusion.all_masks[0].width, fusion.all_masks[0].height) == (48, 32)
    assert fusion.all_masks[0].header.frame_id == 'event camera'


def test_without_its_camera_it_goes_on(fusion, children):
    fusion.pass_time(0, WINDOW_US)
    fusion.send_image(coarse_image(1), WINDOW_US)
    fusion.masks_at(1)
    # Half a window and a packet late: an image might have come.
    late_us, sent_us = 30_000, WINDOW_US
    for count in (2, 3, 4, 5):
        end_us = count * WINDOW_US + late_us
        fusion.pass_time(sent_us, end_us + 10_000)
        sent_us = end_us + 10_000
        assert fusion.masks_at(count)[-1] in (end_us - 10_000, end_us)
    fusion.pass_time(sent_us, 6 * WINDOW_US)
    fusion.send_image(coarse_image(1), 6 * WINDOW_US)
    assert fusion.masks_at(6)[-1] == 6 * WINDOW_US
    assert len(fusion.all_masks) == 6
    rests = children.last_match('fusion', 'the state returns to rest: (.*)')
    assert rests[1] == '~/reset_state was called'


def test_overlay_shows_the_events(alone):
    alone.subscribe_to('overlay')
    decode_ms = []
    alone.node.create_subscription(
        Float32, f'{alone.name}/debug/decode_time_ms', decode_ms.append, 10)
    alone.wait(lambda: alone.node.count_subscribers(f'{alone.name}/overlay') == 1, 'discovery')
    events = Events(np.array([0, 10, 20, WINDOW_US]), np.array([3, 5, 3, 7], np.uint16),
                    np.array([2, 4, 2, 8], np.uint16), np.array([False, False, True, True]))

    def drawn() -> bool:
        alone.begin()
        alone.send_events(events, 0)
        alone.masks_at(1)
        return 'overlay' in alone.answers and decode_ms

    alone.wait(drawn, 'the overlay')
    alone.outputs.remove('overlay')
    shown = pixels(alone.answers['overlay']).reshape(SENSOR[1], SENSOR[0], 3)
    assert tuple(shown[2, 3]) == RED
    assert tuple(shown[4, 5]) == BLUE
    assert tuple(shown[8, 7]) == GREY
    assert decode_ms[0].data > 0.0


@pytest.mark.parametrize('fields, sentence', [
    ({'encoding': 'evt9'}, "no decoder for events encoded as 'evt9'"),
    ({'width': 0}, 'the events are of a sensor of 0x30 pixels'),
])
def test_unusable_packets_are_logged_and_survived(alone, children, fields, sentence):
    alone.pass_time(0, WINDOW_US)
    alone.send_events(some_events(0, 10), WINDOW_US, **fields)
    alone.pass_time(WINDOW_US, WINDOW_US + 10_000)
    alone.wait(lambda: children.last_match('events', f'unusable message: .*{sentence}'), sentence)
    assert alone.masks_at(1) == [WINDOW_US]


def test_another_encoding_is_another_stream(alone, children):
    alone.pass_time(0, WINDOW_US + 10_000)
    before = alone.masks_at(1)[-1]
    t, x, y, p = some_events(0, 40_000)
    words = np.stack([x.astype(np.uint32) << 17 | y.astype(np.uint32) << 2
                      | p.astype(np.uint32) << 1 | 1, t.astype(np.uint32)], 1)
    for start_us in (3 * WINDOW_US, 3 * WINDOW_US + 40_000):
        alone.send_events(
            some_events(0, 0), start_us, encoding='libcaer', events=array('B', words.tobytes()),
            time_base=alone.start_ns + start_us * 1000)
    assert alone.masks_at(2)[-1] > before
    assert children.last_match('events', 'the state returns to rest: the events changed from '
                               'evt3 of 40x30 to libcaer of 40x30')


def test_lost_packets_are_reported(alone, children):
    alone.pass_time(0, WINDOW_US)
    alone.seq += 3
    alone.pass_time(WINDOW_US, WINDOW_US + 10_000)
    assert alone.masks_at(1) == [WINDOW_US]
    alone.wait(lambda: children.last_match('events', '[^0] more are missing in the count'),
               'the report')


def test_a_full_queue_drops_the_oldest(alone, children):
    large = some_events(0, 3_000_000)
    assert 6 * large.count > 10 * QUEUE_BYTES
    for start in range(0, large.count, 2000):
        alone.send_events(large.where(slice(start, start + 2000)), start * 50)
    alone.wait(lambda: children.last_match(
        'events', '[1-9][0-9]* were dropped because the queue was full'), 'the report')
    # Those that came last are there.
    alone.wait(lambda: alone.all_masks and alone.masks_at(1)[-1] > 2_700_000, 'the last masks')


def test_a_map_of_another_sensor_is_refused(children, weights, tmp_path):
    np.save(tmp_path / 'map.npy', np.zeros((480, 640, 2)))
    children.start('mapped', MODULE, {**QUICK, 'weights': weights, 'sensors': 'fusion',
                                      'event_map': str(tmp_path / 'map.npy')}, {'__ns': '/mapped'})
    sensors = EventCamera('/mapped/mfs_seg')
    sensors.wait_for_segmenter()
    # The camera is served all the same.
    assert sensors.ask(coarse_image(1))['mask'].shape == (32, 48)
    assert children.last_match('mapped', 'is of a sensor of 640x480 pixels, the events come from '
                               '40x30: give the map of this sensor')
    sensors.close()
    children.stop('mapped')


def test_start_is_logged(fusion, children):
    assert children.last_match('fusion', "trigger 'both'")
    assert children.last_match(
        'fusion', 'active: /fusion/mfs_seg/image or /fusion/mfs_seg/image/compressed and '
        '/fusion/mfs_seg/events -> /fusion/mfs_seg/mask')


# Which modules a segmenter of these sensors has loaded, and what it listens to.
LISTENS = """
import sys
import rclpy
rclpy.init(args=['--ros-args', '-p', 'weights:=' + sys.argv[1], *sys.argv[2].split()])
if 'events' not in sys.argv[2]:
    # Not installed.
    sys.modules['numba'] = None
from mfs_seg_ros.node.stop import Stop
from mfs_seg_ros.segmenter import SegmenterNode
node = SegmenterNode(Stop())
node.trigger_configure()
node.trigger_activate()
print(bool(sys.modules.get('numba')), 'event_camera_msgs' in sys.modules,
      *sorted(subscription.topic_name.split('/')[2] for subscription in node.subscriptions))
node.trigger_shutdown()
node.destroy_node()
rclpy.shutdown()
"""


@pytest.mark.parametrize('given, expected, trigger', [
    # Weights that take both do not ask for events, and a camera alone does not need Numba.
    ('', 'False False image image', 'image'),
    ('-p sensors:=camera', 'False False image image', 'image'),
    ('-p sensors:=events', 'True True events', 'events')])
def test_sensors_are_those_asked_for(environment, weights, given, expected, trigger):
    run = subprocess.run([sys.executable, '-c', LISTENS, weights, given], text=True,
                         capture_output=True, env=environment, timeout=60)
    assert run.stdout.splitlines()[-1] == expected, run.stderr
    assert f"trigger '{trigger}'" in run.stdout + run.stderr
