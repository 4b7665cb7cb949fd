# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker makes of what waits, and of a fault that nobody foresaw."""

import subprocess
import sys

# A node whose network fails now and then, as a device without memory would make it.
FAILS = """
import sys
import mfs_seg_ros.pipeline.worker as worker
from mfs_seg_ros.segmenter import main

step_together, calls = worker.step_together, []

def failing(steps, *given, **named):
    calls.append(1)
    if len(calls) == 3:
        raise RuntimeError('the device has no memory left')
    return step_together(steps, *given, **named)

worker.step_together = failing
sys.exit(main(['segmenter', '--ros-args', '-r', '__ns:=/failing', '-p', 'sensors:=camera',
               '-p', 'input_width:=64', '-p', 'threads:=1', '-p', 'report_period:=0.2']))
"""


def test_a_fault_costs_one_step(environment):
    from camera import Camera, as_message, picture, same

    node = subprocess.Popen([sys.executable, '-c', FAILS], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        camera = Camera('/failing/mfs_seg')
        camera.wait(lambda: all(publisher.get_subscription_count()
                                for publisher in camera.publishers.values()), 'the node')
        camera.wait(lambda: camera.send(as_message(picture(1))) and camera.masks >= 2, 'two masks')
        seen = camera.masks
        camera.wait(lambda: camera.send(as_message(picture(1))) and camera.masks > seen + 3,
                    'masks after the fault')
        camera.reset()
        first = camera.ask(picture(5))
        assert not same(camera.ask(picture(5)), first)
        camera.close()
    finally:
        node.terminate()
        said = node.communicate(timeout=30)[0]
    assert node.returncode == 0, said
    assert 'a step failed' in said and 'the device has no memory left' in said


# A node of two cameras that says how many went through the network together, and takes its time.
SLOW = """
import sys, time
import mfs_seg_ros.pipeline.worker as worker
from mfs_seg_ros.segmenter import main

step_together = worker.step_together

def slow(steps, *given, **named):
    print('together', len(steps), flush=True)
    time.sleep(0.5)
    return step_together(steps, *given, **named)

worker.step_together = slow
sys.exit(main(['segmenter', '--ros-args', '-r', '__ns:=/slow', '-p', 'sensors:=camera',
               '-p', 'input_width:=64', '-p', 'threads:=1', '-p', 'cameras:=[front, left]']))
"""


def test_what_waits_at_the_same_time_is_one_batch(environment):
    from camera import Camera, picture

    node = subprocess.Popen([sys.executable, '-c', SLOW], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        cameras = [Camera(f'/slow/mfs_seg/{name}', node='/slow/mfs_seg')
                   for name in ('front', 'left')]
        for camera in cameras:
            camera.wait_for_segmenter()
        # While the network is busy with the first, one of each comes.
        for camera in (cameras[0], *cameras):
            stamp = camera.send_picture(picture(1)).header.stamp
            camera.executor.spin_once(timeout_sec=0.05)
        cameras[1].answer(stamp)
        for camera in cameras:
            camera.close()
    finally:
        node.terminate()
        said = node.communicate(timeout=30)[0]
    assert node.returncode == 0, said
    assert 'together 2' in said
