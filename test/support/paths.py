# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folders that the tests read: those of the repository, and recordings next to it if present."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / 'config'
# Third-party recordings: not part of the repository, and not everywhere.
SHARED_DATA = REPOSITORY.parent / 'shared' / 'data'
NO_RECORDINGS = f'no recordings in {SHARED_DATA}: not tested on real data'
