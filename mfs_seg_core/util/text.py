# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Untrusted text in log messages."""

from __future__ import annotations


def printable(text: str, most: int = 100) -> str:
    """Return the text on one line, cut off after ``most``; '?' replaces unprintable characters."""
    shown = ''.join(letter if letter.isprintable() else '?' for letter in text[:most])
    return shown + '...' * (len(text) > most)
