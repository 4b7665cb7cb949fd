# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lists of CamVid in SegNet's layout: pairs of image and label paths, as found in copies of it."""

from __future__ import annotations

import codecs
import re
from pathlib import Path, PureWindowsPath

# Separator of the two paths of a line; the paths themselves may hold blanks.
SEPARATOR = re.compile(r'[\s,;]+')
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_pairs(root: Path, split: str) -> list[tuple[Path, Path]]:
    """
    Read the list of a split.

    A line names an image and its label, or the image alone, whose label then has the same name in
    ``{split}annot``. A path is looked up as it is, from the folder, by its last two parts in the
    folder (the published lists hold absolute paths of their author's computer), and by its name in
    ``{split}`` or ``{split}annot``. Blanks in paths, quotes, backslashes, byte order marks, empty
    lines and comments (#) are allowed.

    :param root: folder of the data set.
    :param split: name of the list, without '.txt'.
    :returns: paths of existing images and labels.
    :raises ValueError: the list is missing or empty, or a file that it names is missing; one
        sentence.
    """
    listing = root / f'{split}.txt'
    if not listing.is_file():
        raise ValueError(f'{listing} is missing: expected {root} to be the folder of the '
                         'SegNet version of CamVid, with train.txt, val.txt and test.txt')
    pairs = [_pair(line.strip(), root, split, listing) for line in _text(listing).splitlines()
             if line.strip() and not line.lstrip().startswith('#')]
    if not pairs:
        raise ValueError(f'{listing} is empty: expected an image path and a label path per line')
    return pairs


def _text(listing: Path) -> str:
    data = listing.read_bytes()
    try:
        return data.decode('utf-16' if data.startswith(UTF_16) else 'utf-8-sig')
    except UnicodeDecodeError:
        raise ValueError(f'{listing} is not text in UTF-8: save it as UTF-8') from None


def _pair(line: str, root: Path, split: str, listing: Path) -> tuple[Path, Path]:
    # A path with blanks is taken for two only if no file has this name.
    whole = (root / line).is_file()
    cuts = [] if whole else [match.span() for match in SEPARATOR.finditer(line)]
    for left, right in ((line[:start], line[end:]) for start, end in cuts):
        image, label = _located(left, root, split), _located(right, root, f'{split}annot')
        if image and label:
            return image, label
    image = _located(line, root, split)
    if image:
        labels = root / f'{split}annot'
        for name in (image.name, f'{image.stem}.png'):
            if (labels / name).is_file():
                return image, labels / name
        raise ValueError(f"{labels / f'{image.stem}.png'} is missing: {listing} names only its "
                         'image, so its label must have the same name')
    if len(cuts) == 1:
        for name, folder in zip(SEPARATOR.split(line), (split, f'{split}annot')):
            if not _located(name, root, folder):
                raise ValueError(f'{root / name} is missing: {listing} names it')
    raise ValueError(f'{listing}: expected the paths of an existing image and its label per line, '
                     f'not {line!r}')


def _located(name: str, root: Path, folder: str) -> Path | None:
    """Return the file that a name of the list means; None: there is none."""
    name = name.strip('"\'')
    if not name or '\0' in name:
        return None
    parts = Path(name).parts if '/' in name else PureWindowsPath(name).parts
    places = [root / name, root.joinpath(*parts[-2:]), root / folder / parts[-1]]
    if not Path(parts[-1]).suffix:
        places += [root / folder / f'{parts[-1]}{suffix}' for suffix in ('.png', '.jpg')]
    return next((path for path in places if path.is_file()), None)
