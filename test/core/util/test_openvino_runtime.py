# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO does not report its use, and leaves the signals of the process as they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mfs_seg_core

pytest.importorskip('openvino', reason='no OpenVINO: pip install openvino')

SCRIPTS = {'export': 'import mfs_seg_core.export.openvino_model',
           'benchmark': 'from mfs_seg_core.benchmark.step import _has_openvino; _has_openvino()'}

# Two models, of which the first ends first; then a signal.
SIGNAL = """
import faulthandler, os, signal
import numpy as np
from mfs_seg_core.util.openvino_runtime import openvino_core
import openvino
from openvino import opset13
faulthandler.enable()
def compiled():
    given = opset13.parameter([1, 2], np.float32)
    return openvino_core().compile_model(openvino.Model([opset13.relu(given)], [given]), 'CPU')
first = compiled()
second = compiled()
del first
del second
signal.signal(signal.SIGINT, lambda *_: print('handled'))
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize('name', SCRIPTS)
def test_openvino_writes_no_identity_for_reports(tmp_path, name):
    script = (f"{SCRIPTS[name]}; import sys; assert 'openvino.tools.ovc' in sys.modules; "
              "assert not sys.modules['openvino_telemetry']")
    subprocess.run([sys.executable, '-c', script], check=True, timeout=120,
                   # An environment that does not switch reports off by itself.
                   env={name: value for name, value in os.environ.items() if name != 'CI'}
                   | {'HOME': str(tmp_path)})
    assert not (tmp_path / 'intel').exists()


# Without AMX, signals work with several cores too.
def test_no_other_file_creates_a_core():
    root = Path(mfs_seg_core.__file__).parent
    assert [path.name for path in root.rglob('*.py') if 'Core()' in path.read_text('utf-8')] == [
        'openvino_runtime.py']


def test_signals_are_handled_after_several_models():
    assert subprocess.run([sys.executable, '-c', SIGNAL], check=True, timeout=120, text=True,
                          stdout=subprocess.PIPE).stdout == 'handled\n'
