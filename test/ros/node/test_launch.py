# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments of segment.launch.py, and, if launch is installed, its start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.camera import TIMEOUT_S, Camera, coarse_image
from support.launching import LAUNCH
from support.paths import REPOSITORY

from mfs_seg_ros.node.launch_arguments import ARGUMENTS, node_options
from mfs_seg_ros.node.launch_checks import check_argument_names

LAUNCH_FILE = REPOSITORY / 'launch' / 'segment.launch.py'
CONFIG = REPOSITORY / 'config'
EVENTS = ('~/events', '/event_camera/events')


def options(**given: str):
    return node_options(
        {argument.name: argument.default for argument in ARGUMENTS} | given, CONFIG)


def test_default_is_a_single_camera():
    chosen = options()
    assert chosen.params_file == str(CONFIG / 'segment.yaml')
    assert chosen.parameters == {'sensors': 'camera'}
    # Camera information too, as a parameter file may ask for points.
    assert chosen.remappings == [('~/image', '/camera/image_raw'), EVENTS,
                                 ('~/camera_info', '/camera/camera_info')]
    assert (chosen.namespace, chosen.log_level, chosen.respawn) == ('', 'info', False)


@pytest.mark.parametrize('sensors', ['events', 'fusion'])
def test_sensors_choose_the_parameter_file(sensors):
    chosen = options(sensors=sensors)
    assert chosen.params_file == str(CONFIG / f'segment_{sensors}.yaml')
    assert Path(chosen.params_file).is_file()
    assert chosen.parameters == {'sensors': sensors}


@pytest.fixture
def params_file(tmp_path) -> str:
    path = tmp_path / 'my.yaml'
    path.write_text('/**: {ros__parameters: {weights: street}}')
    return str(path)


def test_a_given_parameter_file_selects_the_sensors(params_file, monkeypatch):
    assert options(params_file=params_file).params_file == params_file
    assert options(params_file=params_file).parameters == {}
    chosen = options(params_file=params_file, sensors='fusion')
    assert (chosen.params_file, chosen.parameters) == (params_file, {'sensors': 'fusion'})
    monkeypatch.setenv('HOME', str(Path(params_file).parent))
    assert options(params_file='~/my.yaml').params_file == params_file


def test_arguments_override_the_parameter_file_and_keep_their_types(params_file):
    file = {'params_file': params_file}
    chosen = options(weights='123', device='cuda:0', backend='torch', use_sim_time='True',
                     **file)
    assert chosen.parameters == {'weights': '123', 'device': 'cuda:0', 'backend': 'torch',
                                 'use_sim_time': True}
    assert options(use_sim_time='false', **file).parameters == {'use_sim_time': False}
    chosen = options(autostart='false', input_width='160', input_height='0', max_latency='1',
                     **file).parameters
    assert chosen == {'autostart': False, 'input_width': 160, 'input_height': 0,
                      'max_latency': 1.0}
    assert type(chosen['max_latency']) is float


def test_topics_of_points():
    image = ('~/image', '/camera/image_raw')
    chosen = options(points='depth')
    assert chosen.parameters == {'sensors': 'camera', 'points': 'depth'}
    assert chosen.remappings == [image, EVENTS, ('~/camera_info', '/camera/camera_info')]
    # The parameter may be in a parameter file.
    assert options(points_topic='/points').remappings == [
        image, EVENTS, ('~/depth', '/points'), ('~/cloud', '/points'),
        ('~/camera_info', '/camera/camera_info')]
    assert options(camera_info_topic='/info').remappings[2:] == [('~/camera_info', '/info')]
    several = options(points='cloud', cameras='left,right', image_topic='/{camera}/rgb/image',
                      points_topic='/{camera}/points').remappings
    assert several[-4:] == [('~/right/events', '/right/events'), ('~/right/depth', '/right/points'),
                            ('~/right/cloud', '/right/points'),
                            ('~/right/camera_info', '/right/rgb/camera_info')]
    with pytest.raises(ValueError, match="points_topic '/points' is one topic for several"):
        options(points_topic='/points', cameras='left,right')


@pytest.mark.parametrize('text, sentence', [
    (None, r"params_file '.*my.yaml' cannot be read \(No such file or directory\): give"),
    (b'\xff\xfe\x00', r"my.yaml' cannot be read \(it is not UTF-8 text\)"),
    (b'/**:\n  ros__parameters: [1\n', r"my.yaml' is not YAML in line 3: correct it"),
    (b'', "my.yaml' has no parameters for the node 'mfs_seg', it has no 'ros__parameters'"),
    (b'weights: street', "it has no 'ros__parameters': write '/\\*\\*:' or 'mfs_seg:' above"),
    (b'segmenter: {ros__parameters: {}}', 'it names segmenter: write'),
    (b'/front/mfs_sag: {ros__parameters: {}}', 'it names front/mfs_sag: write'),
])
def test_unusable_parameter_files_raise_one_sentence(text, sentence, params_file):
    Path(params_file).unlink() if text is None else Path(params_file).write_bytes(text)
    with pytest.raises(ValueError, match=sentence):
        options(params_file=params_file)


@pytest.mark.parametrize('text', [
    '/**: {ros__parameters: {}}', 'mfs_seg: {ros__parameters: {}}',
    '/front/mfs_seg: {ros__parameters: {}}', 'front: {mfs_seg: {ros__parameters: {}}}',
    '/*/mfs_seg: {ros__parameters: {}}', '/*: {ros__parameters: {}}',
    'other: {ros__parameters: {}}\nmfs_seg: {ros__parameters: {}}'])
def test_all_ways_to_name_the_node_are_accepted(text, params_file):
    Path(params_file).write_text(text)
    assert options(params_file=params_file).params_file == params_file


def check_names(*arguments: str, command: str = 'ros2 launch mfs_seg_ros segment.launch.py'):
    check_argument_names(arguments, [argument.name for argument in ARGUMENTS], str(LAUNCH_FILE),
                         command.split())


def test_unknown_arguments_are_refused():
    check_names('sensors:=camera', 'launch-prefix:=nice', 'emulate_tty:=true')
    with pytest.raises(ValueError, match="there is no argument 'sensor': did you mean 'sensors'"):
        check_names('weights:=street', 'sensor:=events')
    with pytest.raises(ValueError, match="there is no argument 'x': --show-args lists them"):
        check_names('x:=1')


def test_the_arguments_of_an_including_launch_file_are_its_own():
    check_names('robot:=spot', command='ros2 launch robot bringup.launch.py')


def test_other_options():
    chosen = options(namespace='front', log_level='debug', respawn='true')
    assert (chosen.namespace, chosen.log_level, chosen.respawn) == ('front', 'debug', True)


def test_transport_selects_one_image_topic():
    assert options(image_topic='/a/b').remappings[:2] == [('~/image', '/a/b'), EVENTS]
    assert options(image_topic='/a/b', image_transport='compressed').remappings[:2] == [
        ('~/image/compressed', '/a/b/compressed'), EVENTS]


def test_topics_of_several_cameras_follow_their_names():
    chosen = options(cameras='front, left')
    assert chosen.parameters['cameras'] == ['front', 'left']
    assert [each for each in chosen.remappings if 'camera_info' not in each[0]] == [
        ('~/front/image', '/front/image_raw'), ('~/front/events', '/front/events'),
        ('~/left/image', '/left/image_raw'), ('~/left/events', '/left/events')]
    chosen = options(cameras='left', image_topic='/cams/{camera}/rgb', image_transport='compressed')
    assert chosen.remappings[0] == ('~/left/image/compressed', '/cams/left/rgb/compressed')


def test_events_topic_is_remapped():
    assert options(events_topic='/a/events').remappings[1] == ('~/events', '/a/events')


@pytest.mark.parametrize('given, sentence', [
    ({'use_sim_time': 'maybe'}, "use_sim_time must be true or false, not 'maybe'"),
    ({'autostart': '2'}, "autostart must be true or false, not '2'"),
    ({'input_width': '64.0'}, "input_width must be an integer, not '64.0'"),
    ({'max_latency': 'fast'}, "max_latency must be a number, not 'fast'"),
    ({'respawn': ''}, "respawn must be true or false, not ''"),
    ({'sensors': 'radar'}, "sensors must be one of camera, events, fusion, not 'radar'"),
    ({'cameras': 'front,left', 'image_topic': '/cam'}, "'/cam' is one topic for several cameras"),
    ({'image_transport': 'theora'}, "must be 'raw' or 'compressed', not 'theora'"),
])
def test_invalid_values_raise_one_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        options(**given)


@pytest.fixture
def launch():
    """Skip a test if launch is not installed."""
    pytest.importorskip('launch_ros.actions', reason='launch_ros is not installed: only the '
                        'mapping of the launch arguments was tested')


def launched(environment, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, '-c', LAUNCH, str(LAUNCH_FILE), *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=environment, start_new_session=True)


def end(process: subprocess.Popen, number: signal.Signals) -> str:
    os.killpg(process.pid, number)
    return process.communicate(timeout=TIMEOUT_S)[0]


def test_launched_node_answers(launch, environment, tmp_path):
    params_file = tmp_path / 'params.yaml'
    # The arguments override these weights, which do not exist, and this width.
    params_file.write_text('/**: {ros__parameters: {weights: nosuch, input_width: 32, '
                           'input_height: 48, max_latncy: 0.5}}')
    process = launched(environment, f'params_file:={params_file}', 'weights:=street',
                       'namespace:=front', 'image_topic:=/front/mfs_seg/image',
                       'input_width:=64', 'max_latency:=3', 'use_sim_time:=false')
    try:
        camera = Camera('/front/mfs_seg', outputs=('mask',))
        camera.wait_for_segmenter()
        assert camera.ask(coarse_image(1))['mask'].shape == (32, 48)
        camera.close()
        output = end(process, signal.SIGINT)
        assert "weights 'street' on cpu, input 64x48" in output
        assert ("the parameter 'max_latncy' does not exist and is ignored: did you mean "
                "'max_latency'?") in output
        assert 'process has finished cleanly' in output
        assert 'Traceback' not in output
    finally:
        if process.poll() is None:
            end(process, signal.SIGKILL)


@pytest.mark.parametrize('sensors', ['camera', 'fusion'])
def test_parameter_files_are_found(launch, environment, sensors):
    weights = 'nosuch' if sensors == 'camera' else 'camvid'
    process = launched(environment, f'weights:={weights}', f'sensors:={sensors}')
    try:
        output = process.communicate(timeout=TIMEOUT_S)[0]
        assert {'camera': "no weights 'nosuch'",
                'fusion': "sensors 'fusion' needs weights that take camera and events"
                }[sensors] in output
        assert 'exit code 1' in output
    finally:
        if process.poll() is None:
            end(process, signal.SIGKILL)


def test_a_node_that_cannot_start_is_not_started_for_ever(launch, environment):
    process = launched(environment, 'weights:=nosuch', 'respawn:=true')
    try:
        output = process.communicate(timeout=3 * TIMEOUT_S)[0]
        assert output.count("no weights 'nosuch'") == 3
        assert 'mfs_seg could not start 3 times in a row' in output
    finally:
        if process.poll() is None:
            end(process, signal.SIGKILL)


def test_launch_names_unknown_arguments(launch, environment):
    output = launched(environment, 'sensor:=events').communicate(timeout=TIMEOUT_S)[0]
    assert "there is no argument 'sensor': did you mean 'sensors'?" in output
    assert 'process started' not in output
