# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The package in a colcon workspace: dependencies that rosdep installs, and the build."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from support.paths import REPOSITORY

# Ubuntu's name of each rosdep key of package.xml that is no ROS package, as in rosdistro.
SYSTEM_KEYS = {name: [name] for name in (
    'python3-h5py', 'python3-hypothesis', 'python3-matplotlib', 'python3-numba', 'python3-numpy',
    'python3-opencv', 'python3-pytest', 'python3-yaml')}
UBUNTU = {'humble': 'jammy', 'jazzy': 'noble'}
DEPENDENCIES = ('exec_depend', 'test_depend')
# ROS packages of which the code uses modules, by the package of the repository or the folder.
PLACES = {'exec_depend': ('mfs_seg_ros', 'launch'), 'test_depend': ('test',)}
WORDS_OF_ROS = ('rcl', 'ament', 'launch', 'composition', 'std_', 'cv_bridge')


def declared(kind: str) -> set[str]:
    root = ElementTree.parse(REPOSITORY / 'package.xml').getroot()
    return {element.text for element in root.findall(kind)}


def rosdep(home: Path, *arguments: str) -> subprocess.CompletedProcess:
    # An empty AMENT_PREFIX_PATH: --ignore-src leaves out the packages that are installed.
    environment = {**os.environ, 'AMENT_PREFIX_PATH': str(home), 'HOME': str(home),
                   'ROS_HOME': str(home / 'ros'), 'ROSDEP_SOURCE_PATH': str(home / 'sources'),
                   'ROSDISTRO_INDEX_URL': (home / 'index.yaml').as_uri()}
    program = 'from rosdep2.main import rosdep_main; rosdep_main()'
    return subprocess.run([sys.executable, '-c', program, *arguments], env=environment, text=True,
                          capture_output=True, timeout=120)


@pytest.fixture(scope='module')
def rosdep_home(tmp_path_factory) -> Path:
    """Return a folder with a database of rosdep and an index of ROS packages of our own."""
    pytest.importorskip('rosdep2', reason='rosdep is not installed: keys were not resolved')
    home = tmp_path_factory.mktemp('rosdep')
    (home / 'sources').mkdir()
    (home / 'keys.yaml').write_text(yaml.safe_dump(
        {key: {'ubuntu': packages} for key, packages in SYSTEM_KEYS.items()}))
    (home / 'sources' / '10.list').write_text(f"yaml {(home / 'keys.yaml').as_uri()}\n")
    packages = {name for kind in DEPENDENCIES for name in declared(kind)} - set(SYSTEM_KEYS)
    for distribution, ubuntu in UBUNTU.items():
        (home / f'{distribution}.yaml').write_text(yaml.safe_dump({
            'type': 'distribution', 'version': 2, 'release_platforms': {'ubuntu': [ubuntu]},
            'repositories': {name: {'release': {
                'url': f'https://ros.example/{name}.git', 'version': '1.0.0-1',
                'tags': {'release': 'release/{package}/{version}'}}} for name in packages}}))
    (home / 'index.yaml').write_text(yaml.safe_dump({
        'type': 'index', 'version': 4, 'distributions': {distribution: {
            'distribution': [f'{distribution}.yaml'], 'distribution_status': 'active',
            'distribution_type': 'ros2', 'python_version': 3} for distribution in UBUNTU}}))
    done = rosdep(home, 'update')
    assert done.returncode == 0, done.stderr
    return home


@pytest.mark.parametrize('distribution', UBUNTU)
def test_rosdep_installs_everything_with_apt(rosdep_home, distribution):
    arguments = ('install', '--from-paths', str(REPOSITORY), '--ignore-src', '--simulate',
                 '--reinstall', f'--os=ubuntu:{UBUNTU[distribution]}', '--rosdistro', distribution)
    done = rosdep(rosdep_home, *arguments)
    assert done.returncode == 0, done.stderr
    assert '#pip' not in done.stdout
    installed = {line.split()[-1] for line in done.stdout.splitlines() if 'apt-get' in line}
    ros = {f"ros-{distribution}-{name.replace('_', '-')}" for kind in DEPENDENCIES
           for name in declared(kind) - set(SYSTEM_KEYS)}
    assert installed == ros | set(SYSTEM_KEYS)


def test_the_readme_skips_no_keys():
    text = (REPOSITORY / 'README.md').read_text(encoding='utf-8')
    assert 'rosdep install --from-paths src --ignore-src\n' in text


@pytest.mark.parametrize('kind', PLACES)
def test_package_xml_declares_the_ros_packages_that_are_imported(kind):
    names = set()
    for place in PLACES[kind]:
        for path in (REPOSITORY / place).rglob('*.py'):
            for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
                modules = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                           else [node.module or ''] if isinstance(node, ast.ImportFrom) else [])
                names |= {module.partition('.')[0] for module in modules}
    ros = {name for name in names if name.startswith(WORDS_OF_ROS)
           or name.endswith(('_msgs', '_srvs', '_interfaces'))}
    known = declared('exec_depend') | declared(kind)
    # Optional: the other types of event messages, of which a user installs one.
    assert ros - known <= {'dvs_msgs', 'prophesee_event_msgs'}


def test_setup_works_from_links(tmp_path):
    """As `colcon build --symlink-install` runs it, in a folder without the other files."""
    for name in ('setup.py', 'setup.cfg', 'mfs_seg_core', 'mfs_seg_ros'):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    done = subprocess.run([sys.executable, 'setup.py', '--version', '--long-description'],
                          cwd=tmp_path, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert '0.1.0' in done.stdout and '# mfs_seg_ros' in done.stdout


@pytest.fixture
def workspace(tmp_path) -> Path:
    """Return a workspace with the package, made of links."""
    pytest.importorskip('colcon_ros', reason='colcon is not installed: nothing was built')
    source = tmp_path / 'src' / 'mfs_seg_ros'
    for name in ('setup.py', 'setup.cfg', 'package.xml', 'README.md', 'pyproject.toml',
                 'mfs_seg_core', 'mfs_seg_ros', 'launch', 'config', 'resource', 'executables'):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).symlink_to(REPOSITORY / name)
    return tmp_path


@pytest.mark.parametrize('option', ['', '--symlink-install'])
def test_colcon_builds_executables_for_the_active_environment(workspace, option):
    import setuptools

    if option and int(setuptools.__version__.partition('.')[0]) >= 80:
        pytest.skip(f'colcon links files with setuptools before 80 only, '
                    f'not {setuptools.__version__}')
    # Optimising the engine takes most of the time of a build, and changes nothing here.
    compiler = workspace / 'c++'
    compiler.write_text('#!/bin/sh\nexec c++ "$@" -O0\n')
    compiler.chmod(0o755)
    done = subprocess.run([sys.executable, '-m', 'colcon', 'build', *filter(None, [option])],
                          cwd=workspace, text=True, capture_output=True, timeout=300,
                          env={**os.environ, 'CC': str(compiler), 'CXX': str(compiler)})
    assert done.returncode == 0, done.stderr
    prefix = workspace / 'install' / 'mfs_seg_ros'
    executables = prefix / 'lib' / 'mfs_seg_ros'
    for name in ('segmenter', 'player', 'recorder'):
        assert os.access(executables / name, os.X_OK)
        first = (executables / name).read_text(encoding='utf-8').partition('\n')[0]
        assert first == '#!/usr/bin/env python3'
    for name in ('launch/segment.launch.py', 'config/segment.yaml', 'config/train/beside.yaml',
                 'package.xml'):
        assert (prefix / 'share' / 'mfs_seg_ros' / name).is_file()
    assert option or list(prefix.rglob('mfs_seg_core/engine/_native.*so'))
    # What the executables import is that of the workspace, with the Python of the environment.
    program = 'import mfs_seg_ros.executables as module; print(module.__file__)'
    done = subprocess.run(
        ['bash', '-c', f'. install/setup.bash && python3 -c "{program}"'], cwd=workspace,
        env={**os.environ, 'PATH': f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        text=True, capture_output=True, timeout=120)
    assert done.stdout.startswith(str(workspace)), done.stderr
