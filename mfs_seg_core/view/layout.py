# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of the data in a view, and the layout of their panes."""

from __future__ import annotations

import rerun as rr
import rerun.blueprint as rrb

CAMERA, EVENTS, MASK, CONFIDENCE, LEGEND = 'camera', 'events', 'mask', 'confidence', 'legend'
RATES, TIMES, STATUS = 'firing_rates', 'times', 'status'
# Timelines: header stamp, and number of the mask.
STAMP, FRAME = 'stamp', 'frame'
# Length of the curves.
HISTORY_S, HISTORY_FRAMES = 20, 400
# Opacity of the mask over the image.
OPACITY = 0.5


def layout(sensors: tuple[str, ...], timeline: str) -> rrb.Blueprint:
    """
    Return the panes: images above, firing rates, times and classes below.

    :param sensors: 'camera', 'events' or both.
    :param timeline: :data:`STAMP` or :data:`FRAME`, which the panes follow.
    :returns: layout of the view.
    """
    names = {'camera': CAMERA, 'events': EVENTS}
    images = [_image(names[sensor], names[sensor]) for sensor in sensors]
    background = names[sensors[0]]
    masks = [rrb.Spatial2DView(
        name='mask', origin='/', contents=[f'/{background}', f'/{MASK}'],
        overrides={f'/{MASK}': rr.SegmentationImage.from_fields(opacity=OPACITY)}),
        _image(CONFIDENCE, 'confidence')]
    return rrb.Blueprint(
        rrb.Vertical(
            rrb.Horizontal(*images, *masks),
            rrb.Horizontal(
                _curves(RATES, 'firing rates of the layers: spikes of a neuron in a step', False,
                        timeline),
                _curves(TIMES, 'times (ms)', True, timeline),
                rrb.Vertical(_image(LEGEND, 'classes'),
                             rrb.TextDocumentView(name='status', origin=f'/{STATUS}'),
                             row_shares=[3, 1]),
                column_shares=[2, 2, 1]),
            # Four images in a row are low.
            row_shares=[3, 2] if len(sensors) == 1 else [1, 1]),
        rrb.TopPanel(state='hidden'), rrb.TimePanel(state='collapsed', timeline=timeline),
        rrb.BlueprintPanel(state='collapsed'), rrb.SelectionPanel(state='collapsed'))


def _image(entity: str, name: str) -> rrb.Spatial2DView:
    return rrb.Spatial2DView(name=name, origin=f'/{entity}')


def _curves(entity: str, name: str, legend: bool, timeline: str) -> rrb.TimeSeriesView:
    """Return a pane with the end of the curves; many layers leave no room for names."""
    length = {'seconds': -HISTORY_S} if timeline == STAMP else {'seq': -HISTORY_FRAMES}
    last = rr.VisibleTimeRange(timeline, start=rr.TimeRangeBoundary.cursor_relative(**length),
                               end=rr.TimeRangeBoundary.cursor_relative())
    return rrb.TimeSeriesView(
        name=name, origin=f'/{entity}', time_ranges=[last],
        plot_legend=rrb.PlotLegend(visible=legend))
