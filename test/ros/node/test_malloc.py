# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Retention of freed memory: allocations cause no further page faults."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import sys
import numpy as np
from mfs_seg_ros.node.malloc import retain_freed_memory
if sys.argv[1] == 'retain':
    retain_freed_memory()
def work():
    for _ in range(100):
        kept = [np.ones(1 << 18) for _ in range(8)]
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='the C library is not glibc')
def test_retained_memory_causes_few_page_faults():
    faults = {mode: int(subprocess.run([sys.executable, '-c', FAULTS, mode], check=True,
                                       capture_output=True, text=True, timeout=60).stdout)
              for mode in ('retain', 'release')}
    assert faults['retain'] < faults['release'] / 10
