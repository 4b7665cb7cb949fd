# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Charts, drawn with matplotlib where that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mfs_seg_core.util.extras import missing
from mfs_seg_core.util.files import written_aside


def pyplot():
    """
    Import matplotlib with the backend that draws into files.

    :returns: the module ``matplotlib.pyplot``.
    :raises ValueError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise ValueError(f"plots need {missing('matplotlib')}") from None
    matplotlib.use('Agg')
    from matplotlib import pyplot
    return pyplot


def save(figure, path: Path) -> None:
    """Write a figure and close it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as part:
        figure.savefig(part, dpi=110)
    pyplot().close(figure)


def bars(names: Sequence[str], columns: Sequence[tuple[str, Sequence[float], str]]):
    """
    Draw columns of horizontal bars side by side, with a row for each name.

    :param names: names of the rows, top to bottom.
    :param columns: title, values and colour of each column.
    :returns: the figure and its axes.
    """
    figure, axes = pyplot().subplots(
        1, len(columns), figsize=(1 + 5 * len(columns), 0.17 * len(names) + 1.2), sharey=True,
        layout='constrained', squeeze=False)
    for ax, (title, values, colour) in zip(axes[0], columns):
        ax.barh(names, values, color=colour)
        ax.set_xlabel(title, fontsize=8)
        ax.margins(y=0.01)
        ax.tick_params(labelsize=6)
    axes[0, 0].invert_yaxis()
    return figure, axes[0]
