# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO does not report its use where this package imports it."""

import os
import subprocess
import sys

import pytest

SCRIPTS = {'export': 'import mfs_seg_core.export.openvino_model',
           'benchmark': 'from mfs_seg_core.benchmark.step import _has_openvino; _has_openvino()'}


@pytest.mark.parametrize('name', SCRIPTS)
def test_openvino_writes_no_identity_for_reports(tmp_path, name):
    script = (f"{SCRIPTS[name]}; import sys; assert 'openvino.tools.ovc' in sys.modules; "
              "assert not sys.modules['openvino_telemetry']")
    subprocess.run([sys.executable, '-c', script], check=True, timeout=120,
                   # An environment that does not switch reports off by itself.
                   env={name: value for name, value in os.environ.items() if name != 'CI'}
                   | {'HOME': str(tmp_path)})
    assert not (tmp_path / 'intel').exists()
