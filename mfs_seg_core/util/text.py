# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text in log messages: untrusted text on one line, and long lists."""

from __future__ import annotations

from collections.abc import Sequence


def printable(text: str, most: int = 100) -> str:
    """Return the text on one line, cut off after ``most``; '?' replaces unprintable characters."""
    shown = ''.join(letter if letter.isprintable() else '?' for letter in text[:most])
    return shown + '...' * (len(text) > most)


def first_of(names: Sequence[str], most: int) -> str:
    """Return up to ``most`` names, and the number of those left out."""
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(names[:most]) + more
