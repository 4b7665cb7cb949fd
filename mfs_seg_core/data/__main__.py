# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Check a folder of images and labels before training.

``mfs-seg data own.yaml --root DIR --sheet out/sheet.png``
``mfs-seg data --example DIR``

FILE is a YAML file of settings of a training run, or one with the mapping ``data`` alone. The
shares of the classes are printed, then what is wrong; the exit code is 1 if something stops
training. The sheet shows images with their labels. --example draws a small data set of other
classes than CamVid's to try this on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from mfs_seg_core.data.folder.check import (
    SplitCheck,
    check_folder,
    compare_splits,
    remark_on_size,
)
from mfs_seg_core.data.folder.dataset import SPLIT, LabelledFolder
from mfs_seg_core.data.folder.example import write_example
from mfs_seg_core.data.folder.settings import DataFile, read_data_file
from mfs_seg_core.data.folder.sheet import sheet
from mfs_seg_core.data.folder.split import ALL, split_names
from mfs_seg_core.labels import UNLABELLED
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.image_file import save_image
from mfs_seg_core.util.table import cell, text_table


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg data``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg data', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('file', nargs='?', metavar='FILE', help='YAML file that describes the data')
    which.add_argument('--example', type=Path, metavar='DIR',
                       help='draw an example into a new folder')
    parser.add_argument('--root', help='folder of the data (default: that of FILE)')
    parser.add_argument('--sheet', type=Path, metavar='PNG',
                        help='image file for a sheet of images and labels')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    try:
        if options.example:
            print(f'mfs-seg data {write_example(options.example)}')
            return 0
        return _check(read_data_file(options.file, options.root), options)
    except (ValueError, OSError) as error:
        print(f'data: {error}', file=sys.stderr)
        return 1


def _check(described: DataFile, options: argparse.Namespace) -> int:
    settings = described.settings
    has_splits = split_names(settings.split) or SPLIT in settings.images
    names = dict.fromkeys((described.train, described.val) if has_splits else (ALL,))
    checks = [check_folder(LabelledFolder(described.root, settings, name)) for name in names]
    print(text_table(_rows(checks)))
    faults = [f'{check.folder.split}: {fault}' for check in checks for fault in check.faults]
    remarks = [f'{check.folder.split}: {remark}' for check in checks for remark in check.remarks]
    remarks += compare_splits(checks[0], checks[-1])
    if described.size:
        remarks += remark_on_size(checks[0], described.size)
    if not has_splits:
        faults.append('there is no split to train on: add for example "split: 0.2", to validate on '
                      'a fifth of the frames')
    for kind, sentences in (('fault', faults), ('remark', remarks)):
        for sentence in sentences:
            print(f'{kind}: {sentence}')
    if options.sheet:
        save_image(options.sheet, sheet(checks))
    if options.json:
        write_json(options.json, {
            'faults': faults, 'remarks': remarks,
            'splits': {check.folder.split: _figures(check) for check in checks}})
    return 1 if faults else 0


def _rows(checks: list[SplitCheck]) -> list[list[str]]:
    """Return a table: a row for each class, share of pixels and number of images by split."""
    head = ['class']
    for check in checks:
        head += [f'{check.folder.split}: pixels', 'images']
    classes = checks[0].folder.classes
    rows = [head]
    for number, name in [*enumerate(classes.names), (UNLABELLED, 'ignored')]:
        row = [f'{number} {name}']
        for check in checks:
            share = check.pixels[number] / max(1, check.pixels.sum())
            row += [f'{share:.2%}', str(check.frames_with[number])]
        rows.append(row)
    rows.append(['images with labels', *_column([len(check.counts) for check in checks])])
    if checks[0].folder.has_order:
        rows.append(['recordings', *_column([len(check.folder.recordings) for check in checks])])
        rows.append(['seconds from image to image',
                     *_column([cell(check.step_s, '.3g') for check in checks])])
    return rows


def _column(values: list) -> list[str]:
    """Return cells of a row with a value for each split."""
    return [text for value in values for text in ('', str(value))]


def _figures(check: SplitCheck) -> dict:
    names = check.folder.classes.names
    pixels, frames = check.pixels, check.frames_with
    return {'images': len(check.counts),
            'unreadable': int(np.sum([bool(each.fault) for each in check.counts])),
            'pixels': dict(zip(names, pixels.tolist())), 'ignored': int(pixels[UNLABELLED]),
            'images_with': dict(zip(names, frames.tolist()))}


if __name__ == '__main__':
    sys.exit(main())
