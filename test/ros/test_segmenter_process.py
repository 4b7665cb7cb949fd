# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several segmenters, and the end of a segmenter."""

import re
import signal
import subprocess
import sys

import pytest
from sensor_msgs.msg import Image
from support.camera import MODULE, QUICK, TIMEOUT_S, Camera, coarse_image, same

from mfs_seg_ros.messages.images import image_message


def test_two_namespaces_are_two_streams(children):
    cameras = []
    for side in ('left', 'right'):
        children.start(side, MODULE, QUICK, {'__ns': f'/{side}'})
        cameras.append(Camera(f'/{side}/mfs_seg'))
    for camera in cameras:
        camera.wait_for_segmenter()
    left, right = cameras
    first, second = left.ask(coarse_image(5)), left.ask(coarse_image(5))
    assert same(right.ask(coarse_image(5)), first)
    assert same(right.ask(coarse_image(5)), second)
    left.reset()
    third = right.ask(coarse_image(5))
    assert same(left.ask(coarse_image(5)), first)
    assert not same(third, first)
    for camera in cameras:
        camera.close()
    for side in ('left', 'right'):
        children.stop(side)
        assert not children.last_match(side, 'Traceback')


def start(environment, arguments: list[str]) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, '-m', MODULE, '--ros-args', *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=environment)


WRONG = {
    '-p weights:=nosuch': "no weights 'nosuch'",
    '-p backend:=abacus': "no backend 'abacus': choose from auto, native, torch",
    '-p device:=cuda:99': "device 'cuda:99' cannot be used here",
    '-p overlay_opacity:=3.0': "'overlay_opacity' must be a number with a point from 0.0 to 1.0",
    '-p keep_state:=perhaps': "parameter 'keep_state' must be true or false",
    '-p cameras:=[front,front]': "'cameras' must name at least one camera, none twice",
    '-p cameras:=[front/left]': "has the name 'front/left': use letters",
    '-p trigger:=sometimes': "'trigger' must be one of image, events, both, or empty",
    '-p weights:=camvid -p sensors:=events': 'needs weights that take events: these take camera',
    '-p event_homography:=1.0': "'event_homography' must be a list of numbers with a point",
    '-p weights': 'the ROS arguments cannot be used',
    '-- --weights street': "'--weights street' is not understood",
}


# A few at once: each needs a core while it starts.
@pytest.mark.parametrize('first', range(0, len(WRONG), 3))
def test_wrong_parameters_end_with_one_sentence(environment, first):
    chosen = list(WRONG)[first:first + 3]
    processes = {given: start(environment, given.split()) for given in chosen}
    try:
        for given, process in processes.items():
            output = process.communicate(timeout=2 * TIMEOUT_S)[0]
            errors = re.findall(r'\[(?:ERROR|FATAL)\] \[[\d.]+\] \[mfs_seg\]: .*', output)
            # The middleware may hang at its end: see node/run.py.
            assert process.returncode in (1, -signal.SIGALRM), output
            assert len(errors) == 1, output
            assert WRONG[given] in errors[0]
            assert 'Traceback' not in output
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_ends_well(environment, number):
    quick = [part for name, value in QUICK.items() for part in ('-p', f'{name}:={value}')]
    process = start(environment, ['-r', '__ns:=/ending', *quick])
    try:
        camera = Camera('/ending/mfs_seg')
        camera.wait_for_segmenter()
        for _ in range(3):
            camera.send(image_message(coarse_image(1), 'rgb8', Image().header))
        process.send_signal(number)
        output = process.communicate(timeout=TIMEOUT_S)[0]
        camera.close()
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, output
    assert 'Traceback' not in output
    assert 'ERROR' not in output
