# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Colours in files of settings."""

from __future__ import annotations


def read_colour(where: str, given: object) -> tuple[int, int, int]:
    """
    Return the colour that ``[R, G, B]`` or '#rrggbb' names.

    :param where: file and entry of the colour, for the message.
    :param given: value in the file.
    :returns: red, green and blue, each from 0 to 255.
    :raises ValueError: the value names no colour; one sentence.
    """
    try:
        numbers = (tuple(bytes.fromhex(given.removeprefix('#'))) if isinstance(given, str)
                   else tuple(given))
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != 3 or any(type(n) is not int or not 0 <= n <= 255 for n in numbers):
        raise ValueError(f"{where} has the colour {given!r}: write [R, G, B], each from 0 to 255, "
                         "or '#rrggbb'")
    return numbers
