# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Distribution of the tests over workers; fixtures of those with real ROS processes."""

import os
import tempfile
from pathlib import Path

import pytest
from support.optional import OptionalModule, reason
from support.workers import scope

from mfs_seg_core.util.openvino_runtime import disable_reports
from mfs_seg_ros.node.fastdds_environment import local_environment
from mfs_seg_ros.tools.processes import Children

# Compiled programs go to a folder of the tests, but Matplotlib's list of fonts takes long to make.
os.environ.setdefault('MPLCONFIGDIR', str(Path.home() / '.cache' / 'matplotlib'))
CACHE = tempfile.TemporaryDirectory(prefix='mfs_seg_cache_')
os.environ['XDG_CACHE_HOME'] = CACHE.name
disable_reports()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Distribute the tests over the workers by :func:`support.workers.scope`."""
    from xdist.scheduler import LoadScopeScheduling

    class ScopeScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope(config.rootpath, nodeid)

    return ScopeScheduling(config, log)


def pytest_collection_modifyitems(items):
    """Build the pages first: the worker that built them last would run alone for a minute."""
    items.sort(key=lambda item: item.path.name != 'test_docs.py')


def pytest_pycollect_makemodule(module_path, parent):
    """Skip a file of tests if an optional package is not installed."""
    return OptionalModule.from_parent(parent, path=module_path)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    """Skip a test if an optional package that it or its fixtures import is not installed."""
    if call.excinfo and (why := reason(call.excinfo.value)):
        call.excinfo = type(call).from_call(lambda: pytest.skip(why), call.when).excinfo


@pytest.fixture(scope='module')
def environment():
    """Set up an environment for this process and its children, with a ROS domain of its own."""
    # Imported here: the tests of the core run without ROS.
    import rclpy

    before = dict(os.environ)
    os.environ.update(local_environment())
    rclpy.init()
    yield dict(os.environ)
    rclpy.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope='module')
def children(environment, tmp_path_factory):
    """Start processes, which all end with the module."""
    with Children(tmp_path_factory.mktemp('logs'), environment) as started:
        yield started
