# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The package as others meet it: its files, its messages, and what its imports bring along."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ament_index_python.packages import get_package_prefix, get_package_share_directory
from support.paths import REPOSITORY

# The hash in recordings of event cameras: with another one, ROS would not connect to them.
EVENT_PACKET = 'RIHS01_d6fa176260b1f37e5a40845305315e150a0f18191241eb64f407442aa29844aa'
# Executables for `ros2 run`. In bin, where pip puts them for all of a system, they have a prefix.
EXECUTABLES = {'segmenter', 'player', 'recorder', 'viewer'}
PREFIX = 'mfs-seg'
# Prints what setup.py hands to setuptools, as json.
SETUP_ARGUMENTS = """
import json
import runpy
import setuptools
setuptools.setup = lambda **arguments: print(json.dumps(arguments, default=str))
runpy.run_path('setup.py')
"""


def run(*arguments: str, cwd: Path = REPOSITORY) -> str:
    result = subprocess.run([sys.executable, *arguments], cwd=cwd, text=True, capture_output=True,
                            timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope='module')
def setup_arguments() -> dict:
    return json.loads(run('-c', SETUP_ARGUMENTS))


@pytest.fixture(scope='module')
def package_xml() -> ElementTree.Element:
    return ElementTree.parse(REPOSITORY / 'package.xml').getroot()


def test_both_descriptions_agree(setup_arguments, package_xml):
    assert setup_arguments['name'] == package_xml.findtext('name') == 'mfs_seg_ros'
    assert setup_arguments['version'] == package_xml.findtext('version')
    assert setup_arguments['license'] == package_xml.findtext('license') == 'Apache-2.0'
    assert package_xml.findtext('export/build_type') == 'ament_python'


def test_changelog_starts_with_this_version(package_xml):
    lines = (REPOSITORY / 'CHANGELOG.rst').read_text(encoding='utf-8').splitlines()
    versions = [line.split()[0] for line, below in zip(lines, lines[1:])
                if below and set(below) == {'-'}]
    assert versions[0] == package_xml.findtext('version')


def test_files_are_installed_once(setup_arguments):
    installed = [f'{folder}/{Path(file).name}'
                 for folder, files in setup_arguments['data_files'] for file in files]
    assert len(installed) == len(set(installed))
    share = {name.removeprefix('share/mfs_seg_ros/') for name in installed}
    assert {'package.xml', 'launch/segment.launch.py', 'launch/demo.launch.py',
            'config/segment.yaml', 'config/segment_events.yaml', 'config/segment_fusion.yaml',
            'config/fastdds_local.xml'} <= share
    assert 'share/ament_index/resource_index/packages/mfs_seg_ros' in installed
    for kind in ('launch', 'config'):
        in_tree = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / kind).rglob('*')
                   if path.is_file() and '__pycache__' not in path.parts}
        assert in_tree == {name for name in share if name.startswith(f'{kind}/')}


def test_every_package_is_installed(setup_arguments):
    in_tree = {'.'.join(path.parent.relative_to(REPOSITORY).parts)
               for name in ('mfs_seg_core', 'mfs_seg_ros')
               for path in (REPOSITORY / name).rglob('*.py')}
    assert in_tree == set(setup_arguments['packages'])


def test_ament_index_knows_the_package():
    share = Path(get_package_share_directory('mfs_seg_ros'))
    assert (share / 'launch' / 'segment.launch.py').is_file()
    assert (share / 'config' / 'segment.yaml').is_file()
    executables = Path(get_package_prefix('mfs_seg_ros')) / 'lib' / 'mfs_seg_ros'
    for name in EXECUTABLES:
        assert os.access(executables / name, os.X_OK), f'{executables / name} cannot be run'


def test_executables_have_their_functions(setup_arguments):
    scripts = dict(entry.split(' = ') for entry in setup_arguments['entry_points']
                   ['console_scripts'])
    assert set(scripts) == {PREFIX, *(f'{PREFIX}-{name}' for name in EXECUTABLES)}
    for target in scripts.values():
        module, function = target.split(':')
        tree = ast.parse((REPOSITORY / f'{module.replace(".", "/")}.py').read_text('utf-8'))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_event_packets_are_those_of_the_drivers():
    described = Path(get_package_share_directory('event_camera_msgs')) / 'msg' / 'EventPacket.json'
    if not described.is_file():
        pytest.skip('this ROS has no type hashes (before Iron): that of EventPacket not compared')
    hashes = json.loads(described.read_text(encoding='utf-8'))['type_hashes']
    assert {entry['type_name']: entry['hash_string'] for entry in hashes}[
        'event_camera_msgs/msg/EventPacket'] == EVENT_PACKET


def test_messages_have_their_fields():
    from event_camera_msgs.msg import EventPacket
    from vision_msgs.msg import LabelInfo, VisionClass, VisionInfo

    assert EventPacket.get_fields_and_field_types() == {
        'header': 'std_msgs/Header', 'height': 'uint32', 'width': 'uint32', 'seq': 'uint64',
        'time_base': 'uint64', 'encoding': 'string', 'is_bigendian': 'boolean',
        'events': 'sequence<uint8>'}
    assert LabelInfo.get_fields_and_field_types() == {
        'header': 'std_msgs/Header', 'class_map': 'sequence<vision_msgs/VisionClass>',
        'threshold': 'float'}
    assert VisionClass.get_fields_and_field_types() == {
        'class_id': 'uint16', 'class_name': 'string'}
    assert VisionInfo.get_fields_and_field_types() == {
        'header': 'std_msgs/Header', 'method': 'string', 'database_location': 'string',
        'database_version': 'int32'}


def imported(path: Path) -> set[str]:
    """Return the top-level names of all modules that a file imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: imports are written in full'
            names.add(node.module.split('.')[0])
    return names


@pytest.mark.parametrize('path', sorted((REPOSITORY / 'mfs_seg_core').rglob('*.py')),
                         ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_core_imports_no_ros(path):
    # rosbags reads the files of ROS without it.
    ros = {name for name in imported(path) - {'rosbags'}
           if name.endswith(('_msgs', '_srvs', '_interfaces', '_ros', '_py'))
           or name.startswith(('rcl', 'ros', 'ament', 'launch')) or name in ('mfs_seg_ros',
                                                                             'cv_bridge')}
    assert not ros


@pytest.mark.parametrize('path', sorted((REPOSITORY / 'mfs_seg_ros').rglob('*.py')),
                         ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_node_does_no_tensor_maths(path):
    assert not imported(path) & {'torch', 'safetensors', 'lightning'}


def test_streaming_needs_numpy_and_safetensors_only(tmp_path):
    # From elsewhere, so that the installed package is imported.
    loaded = set(json.loads(run('-c', 'import json, sys; import mfs_seg_core.streaming.segmenter; '
                                      'print(json.dumps(sorted(sys.modules)))', cwd=tmp_path)))
    assert 'mfs_seg_core.engine.engine' in loaded
    assert not loaded & {'torch', 'mfs_seg_core.weights.file', 'cv2', 'lightning',
                         'pytorch_lightning', 'torchvision', 'yaml', 'rclpy', 'rosbags',
                         'tensorboard', 'mfs_seg_ros'}
