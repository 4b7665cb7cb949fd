# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Distribution of the tests over several workers."""

import re
from functools import cache
from pathlib import Path

# Words of test files that start nodes or programs.
STARTS_NODES = re.compile(r'\b(environment|children|subprocess)\b')


@cache
def starts_nodes(file: Path) -> bool:
    """Return whether the tests of a file start ROS nodes."""
    return not {'ros', 'cases'}.isdisjoint(file.parts) and bool(
        STARTS_NODES.search(file.read_text(encoding='utf-8')))


def scope(root: Path, nodeid: str) -> str:
    """
    Return the group of a test, which one worker runs.

    Files stay whole, for the fixtures of their modules. All files that start nodes are one group:
    they have deadlines, and share a ROS domain.
    """
    file = nodeid.split('::')[0]
    return 'nodes' if starts_nodes(root / file) else file
