# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text that came from outside, made fit for a line of a log."""

from __future__ import annotations


def printable(text: str, most: int = 100) -> str:
    """Give the text with '?' for what cannot be printed (ends of lines too), cut off if long."""
    shown = ''.join(letter if letter.isprintable() else '?' for letter in text[:most])
    return shown + '...' * (len(text) > most)
