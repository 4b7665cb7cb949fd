# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train a network: ``mfs-seg train --config config/train/street_fast.yaml``.

The result is a weights file. All files of a run (checkpoints, TensorBoard, weights) are in
``runs/<name>``. The same command continues a stopped run.

``mfs-seg train --campaign config/train/campaigns/camvid_lite.yaml --root DIR_OF_CAMVID``

``mfs-seg train --campaign config/train/campaigns/street_lite.yaml``

A campaign is a list of stages on CamVid or Street, each of which may start from the weights of one
before, or learn from it. Its data are decoded or drawn once and stay on the device. The results,
with a table and curves of all stages, are in ``runs/<campaign>``. The same command continues it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from contextlib import suppress
from pathlib import Path

from mfs_seg_core.train import train
from mfs_seg_core.train.settings import documented, read_settings
from mfs_seg_core.util.extras import missing

# Beginning of the message of an error in a process that loads data.
FROM_WORKER = re.compile(r'Caught \w+ in DataLoader worker process')


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg train``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg train', description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--config', help='YAML file of settings')
    which.add_argument('--campaign', help='YAML file of several stages')
    parser.add_argument('--root', help='folder of the data set')
    parser.add_argument('--model',
                        help="network: 'fast', 'lite', 'paper' or 'unet' (default: the file's)")
    parser.add_argument('--output', default='runs', help='folder of runs (default: %(default)s)')
    parser.add_argument('--fresh', action='store_true',
                        help='start again instead of continuing a stopped run')
    parser.add_argument('--set', nargs='*', default=[], metavar='KEY=VALUE',
                        help='override settings of the file')
    parser.add_argument('--print-config', action='store_true',
                        help='print all settings with their descriptions, without training')
    parser.add_argument('--lane', help='run the stages of this lane of a campaign only')
    parser.add_argument('--device', default='',
                        help='torch device of a campaign (default: cuda if there is one, else cpu)')
    options = parser.parse_args(arguments)
    try:
        _refuse_unused(options)
        if options.campaign:
            return _campaign(options, arguments)
        # In quotes: a folder may be called 2024.
        changes = options.set + [f'{key}={json.dumps(value)}' for key in ('root', 'model')
                                 if (value := getattr(options, key))]
        settings = read_settings(options.config, changes)
        if options.print_config:
            print(documented(settings))
            return 0
        if result := train(settings, Path(options.output), options.fresh):
            print(result)
    except ModuleNotFoundError as error:
        print(f'train: training needs {missing(error.name, ["train"])}', file=sys.stderr)
        return 1
    except ValueError as error:
        print(f'train: {sentence(error)}', file=sys.stderr)
        return 1
    return 0


def sentence(error: ValueError) -> str:
    """Return the message of an error, without the traceback that a loading process puts before."""
    text = str(error).strip()
    return text.splitlines()[-1].partition(': ')[2] if FROM_WORKER.match(text) else text


def _refuse_unused(options: argparse.Namespace) -> None:
    """Raise ValueError if an option has no effect beside --campaign, or beside --config."""
    kind, unused = (('--campaign', ('model', 'set', 'fresh', 'print_config')) if options.campaign
                    else ('--config', ('lane', 'device')))
    for name in unused:
        if getattr(options, name):
            raise ValueError(f'--{name.replace("_", "-")} has no effect with {kind}: remove it')


def _campaign(options: argparse.Namespace, arguments: list[str] | None) -> int:
    """Run a campaign, or one lane of it; return the exit code."""
    import torch

    from mfs_seg_core.train.campaign import drawing, schedule
    from mfs_seg_core.train.campaign.curves import draw_curves
    from mfs_seg_core.train.campaign.data import check_camvid
    from mfs_seg_core.train.campaign.stage import read_campaign
    campaign = read_campaign(options.campaign)
    if campaign.street is None and not options.root:
        raise ValueError('a campaign on CamVid needs its folder: add --root DIR')
    if campaign.street is not None and options.root:
        raise ValueError('--root has no effect with a campaign on Street: remove it')
    device = options.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    folder = Path(options.output) / campaign.name
    stages = [stage for stage in campaign.stages if options.lane in (None, stage.lane)]
    if options.lane is None:
        schedule.exit_on_termination()
        schedule.clear_failures(campaign, folder)
        if campaign.street is not None:
            drawing.draw(campaign.street, folder, campaign.stages[0].size)
        else:
            check_camvid(campaign, options.root)
    if options.lane is None and device != 'cpu':
        command = schedule.lane_command(options.campaign, options.root, options.output, device)
        schedule.run_lanes(campaign, folder, command)
    else:
        schedule.run_stages(campaign, stages, options.root, folder, device, arguments)
    if options.lane is None:
        print(schedule.write_table(campaign, folder))
        # Without matplotlib, or without a finished stage, there are no curves.
        with suppress(ValueError):
            draw_curves(campaign, folder, folder / 'curves.png')
    return 1 if schedule.failures(campaign, folder) else 0


if __name__ == '__main__':
    sys.exit(main())
