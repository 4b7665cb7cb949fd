# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Imports stay quick: optional packages are imported on first use."""

import subprocess
import sys

OPTIONAL = {'numba', 'cv2', 'h5py', 'hdf5plugin', 'rosbags', 'lz4', 'matplotlib', 'lightning'}


def test_optional_packages_are_imported_on_first_use():
    modules = ', '.join(f'mfs_seg_core.{name}' for name in (
        'streaming.segmenter', 'events.decoders', 'events.dsec_hdf5', 'events.recordings.bag',
        'events.__main__'))
    loaded = subprocess.run(
        [sys.executable, '-c', f'import sys, {modules}; print(*sys.modules)'],
        capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert 'mfs_seg_core.events.dsec_hdf5' in loaded
    assert not OPTIONAL & set(loaded)
