# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of images and labels: two patterns whose wildcards match the same text."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import NamedTuple

from mfs_seg_core.util.file_order import by_number

# '**/', '*', '?' and '[...]'; the text that each matches is captured.
WILDCARD = re.compile(r'\*\*/|\*|\?|\[!?\]?[^\]]*\]')


class PathPair(NamedTuple):
    """
    An image and its label.

    :param image: path of the image.
    :param label: path of the label; None: there is none.
    :param name: text that the wildcards of the image's pattern match, joined by '/'.
    """

    image: Path
    label: Path | None
    name: str


class PathPairs(NamedTuple):
    """
    Images of a folder with their labels.

    :param pairs: one for each image, sorted by path, with numbers in numerical order.
    :param lonely: labels without an image.
    """

    pairs: list[PathPair]
    lonely: list[Path]


def find_pairs(root: Path, images: str, labels: str) -> PathPairs:
    """
    Find images and labels.

    An image and a label belong together if the wildcards of their patterns match the same text:
    ``images/*.jpg`` and ``labels/*_L.png`` pair ``images/a.jpg`` with ``labels/a_L.png``.

    :param root: folder that the patterns are relative to.
    :param images: pattern of the images. ``*`` matches any text without '/', ``**/`` any folders,
        ``?`` one letter, ``[...]`` one of these letters.
    :param labels: pattern of the labels, with as many wildcards.
    :returns: images and labels.
    :raises ValueError: the patterns differ in the number of wildcards, no image is found, or no
        image has a label; one sentence.
    """
    counts = [len(WILDCARD.findall(pattern)) for pattern in (images, labels)]
    if counts[0] != counts[1] or not counts[0]:
        raise ValueError(
            f"images '{images}' has {counts[0]} wildcards and labels '{labels}' {counts[1]}: give "
            'both the same number, at least one, as an image and its label are found by the text '
            'that the wildcards match')
    if not root.is_dir():
        raise ValueError(f'{root} is no folder: name the folder of the data by --root DIR')
    found = sorted(_matches(root, images).items(), key=lambda each: _order(each[1]))
    expected = _matches(root, labels)
    if not found:
        raise ValueError(f"no file matches images '{images}' in {root}: correct the pattern, or "
                         'name another folder by --root DIR')
    pairs = [PathPair(path, expected.pop(texts, None), '/'.join(filter(None, texts)))
             for texts, path in found]
    if not any(pair.label for pair in pairs):
        raise ValueError(f'none of {len(pairs)} images has a label: {found[0][1]} needs '
                         f'{root / _filled(labels, found[0][0])}; correct the pattern of the '
                         'labels, or fetch them')
    return PathPairs(pairs, sorted(expected.values(), key=_order))


def _matches(root: Path, pattern: str) -> dict[tuple[str, ...], Path]:
    """Return the files of a pattern by the texts that its wildcards match."""
    parts, place = [], 0
    for match in WILDCARD.finditer(pattern):
        parts.append(re.escape(pattern[place:match.start()]))
        letters = match[0].replace('[!', '[^')
        parts.append({'**/': '((?:.*/)?)', '*': '([^/]*)', '?': '([^/])'}.get(
            letters, f'({letters})'))
        place = match.end()
    whole = re.compile(''.join(parts) + re.escape(pattern[place:]))
    found = {}
    for name in glob.glob(pattern, root_dir=root, recursive=True):
        match = whole.fullmatch(name)
        if match and (root / name).is_file():
            found[tuple(text.rstrip('/') for text in match.groups())] = root / name
    return found


def _filled(pattern: str, texts: tuple[str, ...]) -> str:
    """Return a pattern with texts in the place of its wildcards."""
    remaining = iter(texts)

    def text(match: re.Match) -> str:
        found = next(remaining)
        return f'{found}/' if match[0] == '**/' and found else found

    return WILDCARD.sub(text, pattern)


def _order(path: Path) -> list:
    """Return a key that sorts paths by folder and name, with numbers in numerical order."""
    return [by_number(Path(part)) for part in path.parts]
