# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Order of the stages of a campaign: one after another in a lane, each lane in a process."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from mfs_seg_core.train.campaign.loop import OVERALL, StageRun, paths
from mfs_seg_core.train.campaign.stage import Campaign, Stage
from mfs_seg_core.util.files import write_whole
from mfs_seg_core.util.table import cell, markdown_table

POLL_S = 0.2


def run_stages(campaign: Campaign, stages: list[Stage], root: str | None, folder: Path,
               device: str, arguments: list[str] | None) -> None:
    """
    Run those of some stages that have no figures yet, in order, in this process.

    A stage that fails leaves a file that says why, and those that need it fail as well.

    :param campaign: the campaign.
    :param stages: stages of it. A stage that needs one of another lane waits for that.
    :param root: folder of CamVid; None for a campaign on Street.
    :param folder: folder of the campaign's results.
    :param device: torch device.
    :param arguments: options of the command, for the figures.
    """
    for stage in stages:
        if _finished(folder, stage.name):
            continue
        try:
            for name in campaign.needs(stage):
                while not _finished(folder, name):
                    if _failure(folder, name).is_file():
                        raise ValueError(f'stage {stage.name} needs {name}, which failed')
                    time.sleep(POLL_S)
            StageRun(campaign, stage, root, folder, device, arguments).run()
        except Exception as error:
            _fail(folder, stage.name, str(error))
            if not isinstance(error, ValueError):
                traceback.print_exc()
        # A CUDA graph holds its memory as long as its stage.
        gc.collect()


def run_lanes(campaign: Campaign, folder: Path, command: list[str]) -> None:
    """
    Run each lane of a campaign in a process of its own.

    :param campaign: the campaign.
    :param folder: folder of its results.
    :param command: command that runs one lane, to which its name is added.
    """
    lanes = list(dict.fromkeys(stage.lane for stage in campaign.stages))
    running = {lane: subprocess.Popen([*command, lane]) for lane in lanes}
    try:
        while running:
            for lane, process in list(running.items()):
                if process.poll() is None:
                    continue
                del running[lane]
                for stage in campaign.stages:
                    if stage.lane == lane and not _finished(folder, stage.name):
                        _fail(folder, stage.name, 'its process ended')
            time.sleep(POLL_S)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()


def exit_on_termination() -> None:
    """Exit on SIGTERM as on an error: a campaign that is ended from outside ends its processes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def clear_failures(campaign: Campaign, folder: Path) -> None:
    """Delete the reasons of failed stages of an earlier run, so that they run again."""
    for stage in campaign.stages:
        _failure(folder, stage.name).unlink(missing_ok=True)


def failures(campaign: Campaign, folder: Path) -> dict[str, str]:
    """Return the reasons of failed stages by their names."""
    return {stage.name: path.read_text() for stage in campaign.stages
            if (path := _failure(folder, stage.name)).is_file()}


def write_table(campaign: Campaign, folder: Path) -> str:
    """
    Write the figures of the finished stages to ``table.md``, on Street also by condition.

    :param campaign: the campaign.
    :param folder: folder of its results.
    :returns: the table, in Markdown.
    """
    rows, by_condition = [], {}
    for stage in campaign.stages:
        if not _finished(folder, stage.name):
            continue
        result = json.loads(paths(folder, stage.name)[1].read_text())
        figures = result['figures']
        rows.append([
            stage.name, stage.model, stage.start or 'random', f'{stage.size[0]}x{stage.size[1]}',
            f'{result["images"]}', f'{result["epochs"]:g}', f'{result["images_per_s"]:.0f}',
            f'{result["train_s"]:.0f}', result['device'],
            *(cell(figures[mode]['miou'] if mode in figures else None, '.4f')
              for mode in OVERALL)])
        for name, measured in figures.items():
            if name not in OVERALL:
                *line, condition = (stage.name, *name.split())
                by_condition.setdefault(tuple(line), {})[condition] = measured['miou']
    table = markdown_table(['stage', 'model', 'start', 'size', 'images', 'epochs', 'images/s', 's',
                            'device', 'reset@1', 'stream@1'], rows)
    if by_condition:
        conditions = list(dict.fromkeys(name for line in by_condition.values() for name in line))
        table += '\n\n' + markdown_table(
            ['stage', 'mode', 'modality', *conditions],
            [[*line, *(cell(found.get(name), '.4f') for name in conditions)]
             for line, found in by_condition.items()])
    write_whole(folder / 'table.md', (table + '\n').encode())
    return table


def lane_command(campaign_file: str, root: str | None, output: str, device: str) -> list[str]:
    """Return the command that runs one lane, without its name."""
    return [sys.executable, '-m', 'mfs_seg_core.train', '--campaign', campaign_file,
            *(['--root', root] if root else []), '--output', output, '--device', device, '--lane']


def _finished(folder: Path, name: str) -> bool:
    return paths(folder, name)[1].is_file()


def _failure(folder: Path, name: str) -> Path:
    return folder / name / 'failed.txt'


def _fail(folder: Path, name: str, reason: str) -> None:
    path = _failure(folder, name)
    if not path.is_file():
        print(f'train: stage {name} failed: {reason}', file=sys.stderr, flush=True)
        write_whole(path, (reason + '\n').encode())
