# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An environment of processes that do not find torch."""

import os
from pathlib import Path

# A folder with a package `torch` that raises the error of a missing one.
PACKAGES = Path(__file__).parent / 'packages'


def without_torch(environment: dict[str, str] | None = None) -> dict[str, str]:
    """
    Return an environment without torch, and with an empty cache of programs.

    environment: the variables otherwise; None: those of this process.
    """
    given = dict(os.environ if environment is None else environment)
    path = os.pathsep.join(filter(None, [str(PACKAGES), given.get('PYTHONPATH')]))
    return {**given, 'PYTHONPATH': path, 'XDG_CACHE_HOME': str(PACKAGES / 'no_cache')}
