# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Errors of `mfs-seg` where a package of an extra is not installed."""

import json
import subprocess
import sys

import pytest
from support.paths import REPOSITORY

from mfs_seg_core.util.extras import EXTRAS, missing

# Runs `mfs-seg` in a Python that does not find some packages.
COMMAND = """
import sys
hidden = sys.argv[1].split(',')

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if any(name == each or name.startswith(each + '.') for each in hidden):
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Hidden())
from mfs_seg_core.__main__ import main
sys.exit(main(sys.argv[2:]))
"""
ALL = sorted({name for extra in EXTRAS.values() for name in extra})
STREET = ['--weights', 'street', '--data', 'street']


def run(hidden: list[str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, '-c', COMMAND, ','.join(hidden), *arguments],
                          text=True, capture_output=True, timeout=120, cwd=REPOSITORY)


def recording(folder) -> str:
    path = folder / 'events.raw'
    path.write_bytes(b'% evt 3.0\n% geometry 640x480\n% end\n' + bytes(16))
    return str(path)


# Arguments of each verb that needs an extra, and that extra.
VERBS = {
    'train': (['--config', 'street_fast'], 'train'),
    'evaluate': (STREET, 'data'),
    'segment': (['street', '--weights', 'street', '--output', 'OUT'], 'segment'),
    'data': (['own.yaml'], 'data'),
    'benchmark': (['events', '--count', '1000', '--rounds', '1'], 'events'),
    'export': (['--weights', 'street', '--to', 'onnx', '--output', 'OUT'], 'export'),
    'profile': (STREET, 'torch'),
    'visualize': (['--weights', 'street', '--input', 'street', '--output', 'OUT'], 'torch'),
    'isometry': (['--weights', 'street'], 'torch'),
    'legend': (['--weights', 'street', '--output', 'OUT'], 'data'),
    'ablation': (['blocks', '--steps', '1'], 'train'),
    'compare': (['--data', 'street'], 'train'),
}


@pytest.mark.parametrize('verb', VERBS)
def test_without_extras_each_verb_names_its_extra(verb, tmp_path):
    arguments, extra = VERBS[verb]
    done = run(ALL, verb, *(str(tmp_path / 'out') if word == 'OUT' else word
                            for word in arguments))
    assert done.returncode == 1, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"of the extra '{extra}': pip install" in done.stderr
    assert f'pip install ".[{extra}]" in the repository' in done.stderr
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('module, arguments, extra', [
    ('train', ['--config', str(REPOSITORY / 'config/train/street_fast.yaml')], 'train'),
    ('evaluate', STREET, 'data'),
    ('export', ['--weights', 'street'], 'export'),
    ('export.compare', ['street.onnx'], 'export')])
def test_modules_that_are_run_name_their_extra(module, arguments, extra):
    program = COMMAND[:COMMAND.index('from mfs_seg_core')] + (
        "import runpy; sys.argv[:] = ['', *sys.argv[2:]]; "
        f"runpy.run_module('mfs_seg_core.{module}', run_name='__main__')")
    done = subprocess.run([sys.executable, '-c', program, ','.join(ALL), *arguments], text=True,
                          capture_output=True, timeout=120, cwd=REPOSITORY)
    assert done.returncode == 1, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"of the extra '{extra}': pip install" in done.stderr


def test_events_need_numba_to_be_decoded(tmp_path):
    done = run(ALL, 'events', recording(tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "events: decoding events needs numba, of the extra 'events': pip install numba, or pip "
        'install ".[events]" in the repository']


def test_the_extras_are_those_of_the_package():
    program = ('import json, runpy, setuptools; '
               'setuptools.setup = lambda **given: print(json.dumps(given["extras_require"])); '
               'runpy.run_path("setup.py")')
    done = subprocess.run([sys.executable, '-c', program], text=True, capture_output=True,
                          check=True, cwd=REPOSITORY)
    declared = json.loads(done.stdout)
    assert {extra: set(packages.values()) for extra, packages in EXTRAS.items()} == {
        extra: set(declared[extra]) for extra in EXTRAS}


def test_packages_without_an_extra_are_named():
    assert missing('nosuch.part') == 'the package nosuch: pip install nosuch'
    assert missing('rosbags.typesys').startswith('rosbags, of the extra')
    assert missing('cv2', ['train']) == (
        "cv2, of the extra 'train': pip install 'opencv-python-headless<5', or pip install "
        '".[train]" in the repository')
