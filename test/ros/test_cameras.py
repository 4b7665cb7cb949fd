# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras in one node, as real processes."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from support.camera import MODULE, QUICK, Camera, coarse_image, same

NAMES = ('front', 'left', 'right')


@pytest.fixture(scope='module')
def cameras(children):
    """Yield the cameras of one node by their names."""
    children.start('segmenter', MODULE, {**QUICK, 'sensors': 'camera', 'cameras': [*NAMES]})
    cameras = {name: Camera(f'/mfs_seg/{name}', node='/mfs_seg') for name in NAMES}
    for camera in cameras.values():
        camera.wait_for_segmenter()
    yield cameras
    for camera in cameras.values():
        camera.close()


def test_each_has_a_state_of_its_own(cameras):
    front, left = cameras['front'], cameras['left']
    front.reset()
    first, second = front.ask(coarse_image(5)), front.ask(coarse_image(5))
    assert not same(first, second)
    assert same(left.ask(coarse_image(5)), first)
    assert same(left.ask(coarse_image(5)), second)
    front.reset()
    assert same(front.ask(coarse_image(5)), first)
    # The service is the node's: all are at rest.
    assert same(left.ask(coarse_image(5)), first)


def test_what_waits_together_is_answered_as_each_alone(cameras):
    images = {'front': coarse_image(1), 'left': coarse_image(2, 60, 40), 'right': coarse_image(3)}
    cameras['front'].reset()
    alone = {name: [cameras[name].ask(shown) for _ in range(3)]
             for name, shown in images.items()}
    cameras['front'].reset()
    together = {name: [] for name in NAMES}
    for _ in range(3):
        stamps = {name: cameras[name].send_image(shown).header.stamp
                  for name, shown in images.items()}
        for name, stamp in stamps.items():
            together[name].append(cameras[name].answer(stamp))
    for name in NAMES:
        for one, other in zip(alone[name], together[name]):
            assert (one['mask'] == other['mask']).mean() > 0.99


def test_a_bad_image_of_one_costs_the_others_nothing(cameras):
    front, left = cameras['front'], cameras['left']
    front.reset()
    first = left.ask(coarse_image(5))
    bad = front.send_image(coarse_image(5))
    bad.step = 1
    front.publishers[type(bad)].publish(bad)
    assert not same(left.ask(coarse_image(5)), first)
    assert front.ask(coarse_image(5))['mask'].shape == (32, 48)


def test_each_has_a_diagnostic_status(cameras):
    front = cameras['front']
    received = []
    front.node.create_subscription(
        DiagnosticArray, '/diagnostics', lambda message: received.append(message.status), 10)
    front.ask(coarse_image(1))
    front.wait(lambda: received and len(received[-1]) == 4, 'the diagnostics')
    assert [status.name for status in received[-1]] == [
        'mfs_seg: front', 'mfs_seg: left', 'mfs_seg: right', 'mfs_seg: node']
    values = {item.key: item.value for item in received[-1][0].values}
    assert int(values['masks published']) > 0
