# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``mfs-seg``, with one verb for each tool of the package."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from mfs_seg_core.util.extras import missing

# By verb: the module whose `main` runs it, its line of help, and the extras that it needs.
VERBS = {
    'train': ('mfs_seg_core.train.__main__', 'Train a network on labelled frames and events.',
              ('train',)),
    'imagenet': ('mfs_seg_core.train.imagenet',
                 'Write an ImageNet-trained encoder to start training from.', ('pretrain',)),
    'evaluate': ('mfs_seg_core.evaluate.__main__', 'Measure mIoU of weights on labelled frames.',
                 ('data',)),
    'segment': ('mfs_seg_core.segment.__main__',
                'Label recordings: masks, videos, bags and figures.', ('segment',)),
    'data': ('mfs_seg_core.data.__main__',
             'Check a folder of images and labels before training on it.', ('data',)),
    'benchmark': ('mfs_seg_core.benchmark.__main__', 'Measure speed and memory against peers.',
                  ('events',)),
    'events': ('mfs_seg_core.events.__main__', 'Describe an event recording, and plot it.',
               ('events',)),
    'export': ('mfs_seg_core.export.__main__',
               'Write a step of a network for ONNX Runtime, OpenVINO or the engine.',
               ('export',)),
    'profile': ('mfs_seg_core.analysis.profile',
                'Count parameters, operations, firing rates and energy.', ('data', 'torch')),
    'visualize': ('mfs_seg_core.analysis.visualize', 'Plot masks, spikes and firing rates.',
                  ('plots', 'data')),
    'isometry': ('mfs_seg_core.analysis.isometry',
                 'Measure block dynamical isometry of each block.', ('data', 'torch')),
    'legend': ('mfs_seg_core.legend', 'Draw the classes of masks: id, colour and name.',
               ('data',)),
    'ablation': ('mfs_seg_core.paper.ablation', 'Train variants of the blocks, and compare them.',
                 ('train',)),
    'compare': ('mfs_seg_core.paper.comparison',
                'Train U-Net and MFS-Seg with the same settings, and compare them.', ('train',)),
    'report': ('mfs_seg_core.paper.report',
               "Write the paper's claims next to our results.", ()),
}


def usage() -> str:
    """Return the text of ``mfs-seg --help``."""
    lines = ['usage: mfs-seg VERB [OPTIONS]', '',
             'Semantic segmentation of camera and event streams by a spiking neural network.', '',
             'verbs (mfs-seg VERB --help lists the options of a verb):']
    return '\n'.join(lines + [f'  {verb:<12}{text}' for verb, (_, text, _) in VERBS.items()])


def main(arguments: list[str] | None = None) -> int:
    """
    Run a verb.

    :param arguments: verb and its options; None: those of the command line.
    :returns: exit code: 0, 1 after an error message, 2 for a wrong command line, 141 where nobody
        reads the output any more.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    verb, *options = arguments or ['']
    if verb in ('-h', '--help'):
        print(usage())
        return 0
    if verb not in VERBS:
        problem = f'unknown verb {verb!r}' if verb else 'a verb is missing'
        print(f'mfs-seg: {problem}: choose from {", ".join(VERBS)}', file=sys.stderr)
        return 2
    module, _, extras = VERBS[verb]
    try:
        code = import_module(module).main(options)
        sys.stdout.flush()
        return code
    except ModuleNotFoundError as error:
        print(f'mfs-seg: {verb} needs {missing(error.name, extras)}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # As with `| head`. Python would write the rest at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


if __name__ == '__main__':
    sys.exit(main())
