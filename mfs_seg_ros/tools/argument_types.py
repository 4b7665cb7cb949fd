# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Types of arguments on command lines."""

from __future__ import annotations

import argparse


def positive(text: str) -> float:
    """Return the number of a text, for argparse; refuse numbers that are not above zero."""
    value = float(text)
    if not value > 0.0 or value == float('inf'):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value
