# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Curves of a campaign: mIoU of each stage by epoch."""

from __future__ import annotations

import json
from pathlib import Path

from mfs_seg_core.train.campaign.loop import paths
from mfs_seg_core.train.campaign.stage import Campaign
from mfs_seg_core.util.charts import pyplot, save


def draw_curves(campaign: Campaign, folder: Path, path: Path) -> None:
    """
    Plot the validation mIoU of the finished stages, one panel for each set that they validate on.

    :param campaign: the campaign.
    :param folder: folder of its results.
    :param path: file of the plot.
    :raises ValueError: matplotlib is not installed, or no stage is finished.
    """
    panels: dict[str, list[tuple[str, list[dict]]]] = {}
    for stage in campaign.stages:
        figures = paths(folder, stage.name)[1]
        if figures.is_file():
            title = 'street' if campaign.street else ' '.join((stage.val_split, *stage.val_drives))
            history = json.loads(figures.read_text())['history']
            panels.setdefault(title, []).append((stage.name, history))
    if not panels:
        raise ValueError(f'no stage in {folder} is finished: run the campaign first')
    figure, axes = pyplot().subplots(1, len(panels), figsize=(5 * len(panels), 3.5), squeeze=False,
                                     layout='constrained')
    for ax, (title, curves) in zip(axes[0], panels.items()):
        for name, history in curves:
            ax.plot([point['epoch'] for point in history], [point['miou'] for point in history],
                    marker='.', label=name)
        ax.set_title(f'validated on {title}', fontsize=9)
        ax.set_xlabel('epoch of the stage', fontsize=8)
        ax.set_ylabel('mIoU, each frame from rest', fontsize=8)
        ax.tick_params(labelsize=7)
        ax.legend(fontsize=7)
    save(figure, path)
