# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Progress bars with rate and time left; none where the output is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mfs_seg_core.segment.run import Progress


@contextmanager
def progress_bar(label: str, unit: str) -> Iterator[Progress]:
    """
    Show a bar while the context is open.

    :param label: text before it.
    :param unit: name of a part, such as 'mask'.
    :yields: a function that takes the number of parts, or None, and returns the function that
        advances the bar.
    """
    # Imported here: other verbs do not need it.
    from tqdm import tqdm
    # None: no bar where the output is no terminal.
    bar = tqdm(desc=label, unit=unit, disable=None, dynamic_ncols=True, leave=False,
               file=sys.stderr)

    def start(total: int | None) -> Callable[[], None]:
        bar.total = total
        bar.refresh()
        return bar.update

    try:
        yield start
    finally:
        bar.close()
