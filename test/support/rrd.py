# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of recordings of Rerun."""

from collections import Counter
from pathlib import Path
from typing import Any

from rerun.chunk import RrdReader


def column(path: Path, entity: str, name: str) -> list[Any]:
    """Return the values of a column of an entity, in the order of the file; stamps in ns."""
    values = []
    for chunk in RrdReader(str(path)).stream().to_chunks():
        batch = chunk.to_record_batch()
        if chunk.entity_path == f'/{entity}' and name in batch.schema.names:
            found = batch.column(name)
            # Times of Python have no nanoseconds.
            values += (found.cast('int64') if name == 'stamp' else found).to_pylist()
    return values


def logged(path: Path) -> Counter[str]:
    """Count the values with a time of each entity."""
    counts: Counter[str] = Counter()
    for chunk in RrdReader(str(path)).stream().to_chunks():
        if not chunk.is_static:
            counts[chunk.entity_path.lstrip('/').partition('/')[0]] += chunk.num_rows
    return counts
