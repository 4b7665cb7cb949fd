# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Order of the files of a folder by their names."""

from __future__ import annotations

import re
from pathlib import Path


def by_number(path: Path) -> list[tuple[int, str]]:
    """Return a key that sorts paths by name, with numbers in numerical order."""
    # Every second part is a number.
    parts = re.split(r'(\d+)', path.name)
    return [(int(part), '') if index % 2 else (-1, part) for index, part in enumerate(parts)]
