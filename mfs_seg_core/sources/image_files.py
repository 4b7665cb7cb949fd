# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the image files of a folder, and the subfolder that holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.util.file_order import by_number
from mfs_seg_core.util.text import first_of

IMAGE_SUFFIXES = {'.png', '.jpg', '.jpeg', '.jpe', '.bmp', '.ppm', '.pgm', '.pnm', '.tif', '.tiff',
                  '.webp', '.jp2'}
# Data sets nest images deeper nowhere; the bounds keep the search short in any folder.
MAX_DEPTH, MAX_FOLDERS = 5, 2000
# Folders of macOS archives and of Synology's thumbnails.
UNSEEN = ('.', '@', '__macosx')
# Words in the names of folders whose images are no pictures of a camera.
NO_CAMERA = re.compile(
    r'label|annot|mask|truth|semantic|segm|instance|depth|disp|flow|thumb|(?<![a-z])(gt|seg)(?![a-z])',
    re.IGNORECASE)


def is_hidden(path: Path) -> bool:
    """Return whether a file or folder is one that file managers make and hide."""
    return path.name.lower().startswith(UNSEEN)


def image_files(folder: Path) -> list[Path]:
    """Return the image files of a folder, sorted by name with numbers in numerical order."""
    # A link to a file that is missing is a bad image, not none.
    found = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES
             and not is_hidden(path) and (path.is_file() or not path.exists()))
    return sorted(found, key=by_number)


def image_folder(folder: Path) -> Path | None:
    """
    Find the folder of a data set that holds the images of a camera.

    That is the folder itself if it holds images. Else it is its only subfolder with images, where
    those of labels, depth and the like do not count.

    :param folder: folder of a data set.
    :returns: the folder with images; None: there is none.
    :raises SourceError: several subfolders hold images; one sentence that lists them.
    """
    if image_files(folder):
        return folder
    found = [path for path in _subfolders(folder) if image_files(path)]
    cameras = [path for path in found
               if not NO_CAMERA.search(str(path.relative_to(folder)))] or found
    if len(cameras) > 1:
        names = first_of([str(path.relative_to(folder)) for path in cameras], 8)
        raise SourceError(
            f"'{folder}' has images in several subfolders ({names}): give one of them, for "
            f"example '{cameras[0]}'.")
    return cameras[0] if cameras else None


def _subfolders(folder: Path) -> Iterator[Path]:
    """Yield the folders below a folder by name; links to folders above do not make a circle."""
    pending, seen = [(folder, 0)], {folder.resolve()}
    while pending and len(seen) < MAX_FOLDERS:
        place, depth = pending.pop()
        if depth:
            yield place
        if depth == MAX_DEPTH:
            continue
        try:
            below = [path for path in place.iterdir() if path.is_dir() and not is_hidden(path)]
        except OSError:
            # Another user's folder holds nothing for this one.
            continue
        new = [path for path in below if path.resolve() not in seen]
        seen.update(path.resolve() for path in new)
        pending += [(path, depth + 1) for path in sorted(new, key=by_number, reverse=True)]
