# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write one step of a network as a file for another runtime.

``mfs-seg export --weights street --to onnx --output street.onnx``
``mfs-seg export --weights street --to openvino --stateful --output street.xml``

The file is compared with the network in PyTorch over 20 frames, and is not written where it
differs. docs/export.md describes inputs, outputs and properties.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mfs_seg_core.util.extras import missing

try:
    from mfs_seg_core.export.targets import SUFFIXES, Exported, ExportSettings, export
    from mfs_seg_core.util.modalities import SENSORS
except ModuleNotFoundError as error:
    if __name__ != '__main__':
        raise
    sys.exit(f'export: exporting needs {missing(error.name, ["export"])}')


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg export``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg export', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weights', required=True, help='name or path')
    parser.add_argument('--to', required=True, choices=tuple(SUFFIXES), dest='target',
                        help='kind of file')
    parser.add_argument('--output', required=True, type=Path, metavar='FILE',
                        help=f'file to write, which ends in {", ".join(SUFFIXES.values())}')
    parser.add_argument('--size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
                        help='size of the input (default: as trained)')
    parser.add_argument('--batch', type=_batch, default=1, metavar='N',
                        help="number of streams, or 'dynamic' (default: %(default)s)")
    parser.add_argument('--sensors', choices=tuple(SENSORS),
                        help='sensors of the inputs (default: those of the weights)')
    parser.add_argument('--stateful', action='store_true',
                        help='keep the state in the model (OpenVINO)')
    options = parser.parse_args(arguments)
    settings = ExportSettings(options.size and tuple(options.size), options.batch, options.sensors,
                              options.stateful)
    try:
        print(_sentences(export(options.weights, options.target, options.output, settings)))
    except (ValueError, OSError) as error:
        print(f'export: {error}', file=sys.stderr)
        return 1
    return 0


def _batch(text: str) -> int | None:
    if text != 'dynamic' and not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of streams: give 1 or more, or "
                                         "'dynamic'")
    return None if text == 'dynamic' else int(text)


def _sentences(exported: Exported) -> str:
    """Return what was written, and how far it agrees with the network."""
    lines = [f'{file}: {file.stat().st_size / 1e6:.2f} MB' for file in exported.files]
    if exported.numbers:
        lines.append(f'scores and state after one step: {exported.numbers.different:.2%} differ '
                     f"at most, in '{exported.numbers.tensor}'")
    masks = exported.masks
    lines.append(f'masks over 20 frames, state kept: {masks.same:.2%} of the pixels are the same '
                 f'(by rounding alone: {masks.same_by_rounding:.2%})')
    return '\n'.join(lines)


if __name__ == '__main__':
    sys.exit(main())
