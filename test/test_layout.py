# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Imports point down the layout of docs/architecture.md, without circles; the core has no ROS."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.paths import REPOSITORY
from support.workers import scope

PACKAGES = ('mfs_seg_core', 'mfs_seg_ros')
MAX_ROOT_MODULES = 10
# Folders and modules in the roots of the packages, lowest first: each may import those before it,
# and those of its own line.
LEVELS = (
    ('mfs_seg_core.labels', 'mfs_seg_core.util'),
    ('mfs_seg_core.model', 'mfs_seg_core.bags', 'mfs_seg_core.class_groups',
     'mfs_seg_core.points'),
    ('mfs_seg_core.events', 'mfs_seg_core.images'),
    ('mfs_seg_core.weights',),
    ('mfs_seg_core.engine',),
    ('mfs_seg_core.legend', 'mfs_seg_core.streaming', 'mfs_seg_core.data'),
    ('mfs_seg_core.sources', 'mfs_seg_core.view'),
    ('mfs_seg_core.train', 'mfs_seg_core.evaluate', 'mfs_seg_core.export',
     'mfs_seg_core.analysis'),
    ('mfs_seg_core.segment',),
    ('mfs_seg_core.paper', 'mfs_seg_core.benchmark'),
    # The command, former names of its verbs, and the public names.
    ('mfs_seg_core.__main__', 'mfs_seg_core', 'mfs_seg_core.profile', 'mfs_seg_core.visualize',
     'mfs_seg_core.isometry', 'mfs_seg_core.ablation', 'mfs_seg_core.beside',
     'mfs_seg_core.reproduce'),
    ('mfs_seg_ros',),
    ('mfs_seg_ros.node',),
    ('mfs_seg_ros.messages', 'mfs_seg_ros.diagnostics'),
    ('mfs_seg_ros.pipeline', 'mfs_seg_ros.playback', 'mfs_seg_ros.tools'),
    ('mfs_seg_ros.recording',),
    ('mfs_seg_ros.segmenter', 'mfs_seg_ros.player', 'mfs_seg_ros.recorder', 'mfs_seg_ros.viewer',
     'mfs_seg_ros.demo',
     'mfs_seg_ros.benchmark', 'mfs_seg_ros.soak', 'mfs_seg_ros.executables'),
)
LEVEL = {place: level for level, places in enumerate(LEVELS) for place in places}
ROS = ('rclpy', 'sensor_msgs', 'std_msgs', 'std_srvs', 'builtin_interfaces', 'diagnostic_msgs',
       'lifecycle_msgs', 'rcl_interfaces', 'vision_msgs', 'event_camera_msgs', 'cv_bridge',
       'launch', 'launch_ros', 'ament_index_python', 'mfs_seg_ros')


def sources() -> dict[str, ast.Module]:
    """Return the syntax trees of all modules, by dotted name."""
    trees = {}
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob('*.py')):
            parts = path.relative_to(REPOSITORY).with_suffix('').parts
            name = '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)
            trees[name] = ast.parse(path.read_text(encoding='utf-8'))
    return trees


SOURCES = sources()


def imported(tree: ast.Module) -> set[str]:
    """Return the dotted names that a module imports, inside functions too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, 'imports are absolute'
            # A name may be a module itself.
            names |= {module if (module := f'{node.module}.{alias.name}') in SOURCES
                      else node.module for alias in node.names}
    return names


def place(module: str) -> str:
    """Return the folder or module in a package's root that a module lies in."""
    return '.'.join(module.split('.')[:2])


def arrows() -> Counter[tuple[str, str]]:
    """Count the imports between two places."""
    return Counter(
        (place(module), place(name)) for module, tree in SOURCES.items()
        for name in imported(tree) if name.split('.')[0] in PACKAGES
        and place(name) != place(module))


def circle(graph: dict[str, set[str]]) -> list[str] | None:
    """Return nodes of a graph that lead back to the first of them; None: there are none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str] | None:
        if node in path:
            return path[path.index(node):]
        if node in done:
            return None
        done.add(node)
        for target in sorted(graph.get(node, ())):
            if found := walk(target, [*path, node]):
                return found
        return None

    for node in sorted(graph):
        if found := walk(node, []):
            return found
    return None


def test_every_place_has_a_level():
    assert {place(module) for module in SOURCES} == set(LEVEL)


def test_imports_point_down():
    upward = [f'{source} -> {target}' for source, target in arrows()
              if LEVEL[target] > LEVEL[source]]
    assert not upward


@pytest.mark.parametrize('shorten', [str, place], ids=['modules', 'places'])
def test_imports_have_no_circle(shorten):
    graph: dict[str, set[str]] = {}
    for module, tree in SOURCES.items():
        targets = {shorten(name) for name in imported(tree) if name.split('.')[0] in PACKAGES}
        graph.setdefault(shorten(module), set()).update(targets - {shorten(module)})
    assert circle(graph) is None


def test_a_circle_is_found():
    assert circle({'a': {'b'}, 'b': {'c'}, 'c': {'b'}, 'd': set()}) == ['b', 'c']
    assert circle({'a': {'b', 'c'}, 'b': {'c'}, 'c': set()}) is None


def test_the_core_imports_no_ros():
    wrong = [f'{module} -> {name}' for module, tree in SOURCES.items()
             if module.startswith('mfs_seg_core')
             for name in imported(tree) if name.split('.')[0] in ROS]
    assert not wrong


@pytest.mark.parametrize('package', PACKAGES)
def test_the_root_of_a_package_is_short(package):
    modules = sorted(path.name for path in (REPOSITORY / package).glob('*.py'))
    assert len(modules) <= MAX_ROOT_MODULES, modules


def test_nothing_imports_the_studies_of_the_paper():
    users = {source for source, target in arrows() if target == 'mfs_seg_core.paper'}
    assert users <= {'mfs_seg_core.ablation', 'mfs_seg_core.beside', 'mfs_seg_core.reproduce'}


def test_no_class_name_occurs_twice():
    names = Counter(node.name for tree in SOURCES.values() for node in ast.walk(tree)
                    if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


def test_tests_mirror_the_folders():
    folders = {'core': 'mfs_seg_core', 'ros': 'mfs_seg_ros'}
    for short, package in folders.items():
        for path in (REPOSITORY / 'test' / short).rglob('test_*.py'):
            folder = path.parent.relative_to(REPOSITORY / 'test' / short)
            assert (REPOSITORY / package / folder).is_dir(), path


# Prints the time of importing the core alone, and what that brings along.
FIRST_IMPORT = """
import sys, time
start = time.perf_counter()
import mfs_seg_core
print(time.perf_counter() - start, *(name for name in ('torch', 'numpy') if name in sys.modules))
from mfs_seg_core import EventWindow, Segmenter, load_weights, open_recording
assert all(name in dir(mfs_seg_core) for name in mfs_seg_core.__all__)
"""


def test_the_public_names_are_imported_lazily():
    runs = [subprocess.run([sys.executable, '-c', FIRST_IMPORT], cwd=REPOSITORY, text=True,
                           capture_output=True, check=True).stdout.split() for _ in range(3)]
    assert all(len(run) == 1 for run in runs), runs
    # The quickest: other work on the machine takes time too.
    assert min(float(run[0]) for run in runs) < 0.1


def test_unknown_names_are_no_part_of_the_package():
    import mfs_seg_core

    with pytest.raises(AttributeError, match='has no attribute'):
        _ = mfs_seg_core.nothing
    assert Path(mfs_seg_core.__file__).parent == REPOSITORY / 'mfs_seg_core'


def test_all_tests_that_start_nodes_are_for_one_worker():
    """Found by their fixtures: those of test/conftest.py, and fixtures made of them."""
    fixtures = {'environment', 'children'}
    for path in sorted((REPOSITORY / 'test').rglob('*.py')):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        arguments = {argument.arg for each in functions for argument in each.args.args}
        if path.name.startswith('test_') and arguments & fixtures:
            nodeid = f'{path.relative_to(REPOSITORY)}::test'
            assert scope(REPOSITORY, nodeid) == 'nodes', path
    assert scope(REPOSITORY, 'test/ros/pipeline/test_worker.py::test') != 'nodes'
    assert scope(REPOSITORY, 'test/core/model/test_unet.py::test') != 'nodes'
