# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixture of the benchmarks."""

import pytest
import torch


@pytest.fixture
def threads():
    """Restore the number of threads, which benchmarks set."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
