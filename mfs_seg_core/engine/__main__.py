# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Compile weights to programs, which are written beside them.

``python -m mfs_seg_core.engine street camvid``
"""

from __future__ import annotations

import argparse
import sys

from mfs_seg_core.engine.programs import write_program
from mfs_seg_core.util.extras import missing


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.engine', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('weights', nargs='+', help='name of shipped weights, or path')
    options = parser.parse_args(arguments)
    for weights in options.weights:
        try:
            print(write_program(weights))
        except ModuleNotFoundError as error:
            print(f'engine: compiling needs {missing(error.name)}', file=sys.stderr)
            return 1
        except (ValueError, OSError) as error:
            print(f'engine: {weights} cannot be compiled: {error}', file=sys.stderr)
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
