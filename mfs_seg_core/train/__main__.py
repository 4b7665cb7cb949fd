# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train a network: ``mfs-seg train --config config/train/street_fast.yaml``.

The result is a weights file. All files of a run (checkpoints, TensorBoard, weights) are in
``runs/<name>``. The same command continues a stopped run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mfs_seg_core.train import train
from mfs_seg_core.train.settings import documented, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg train``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg train', description=__doc__)
    parser.add_argument('--config', required=True, help='YAML file of settings')
    parser.add_argument('--root', help='folder of the data set')
    parser.add_argument('--model', help="network: 'fast', 'paper' or 'unet' (default: the file's)")
    parser.add_argument('--output', default='runs', help='folder of runs (default: %(default)s)')
    parser.add_argument('--fresh', action='store_true',
                        help='start again instead of continuing a stopped run')
    parser.add_argument('--set', nargs='*', default=[], metavar='KEY=VALUE',
                        help='override settings of the file')
    parser.add_argument('--print-config', action='store_true',
                        help='print all settings with their descriptions, without training')
    options = parser.parse_args(arguments)
    try:
        # In quotes: a folder may be called 2024.
        changes = options.set + [f'{key}={json.dumps(value)}' for key in ('root', 'model')
                                 if (value := getattr(options, key))]
        settings = read_settings(options.config, changes)
        if options.print_config:
            print(documented(settings))
            return 0
        if result := train(settings, Path(options.output), options.fresh):
            print(result)
    except ValueError as error:
        print(f'train: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
