# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive as an event camera sees it, through the same lens as the camera that Street is."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mfs_seg_core.data.street.drive import Street
from mfs_seg_core.events.simulation.interpolation import interpolate
from mfs_seg_core.events.simulation.simulator import EventSettings, EventSimulator, linear_light
from mfs_seg_core.events.types import Events

# Electrons that a white pixel of a camera collects by day; at night there is so much less light.
DAY = 4000.0
# Share of white that the lens scatters everywhere: no pixel is quite dark.
GLARE = 0.01
# The scene is rendered so often; between, light changes linearly.
STEP_S = 0.0125


class EventCamera:
    """
    An event camera on a Street's drive.

    :param electrons: the light, as electrons that a white pixel of a camera beside it collects
        (``DimCamera.white``); None: day.
    :param settings: what its pixels are like.
    :param step_s: longest time between two moments that are rendered.
    :param between: number of moments between those that are made of them by optical flow. With
        1 and twice the step, events are nearly as true as without, for half the time.
    :raises ValueError: ``electrons`` or ``step_s`` is not above 0, or ``between`` is below 0.
    """

    def __init__(self, street: Street, electrons: float | None = None,
                 settings: EventSettings | None = None, step_s: float = STEP_S, between: int = 0):
        electrons = DAY if electrons is None else electrons
        for name, value in (('electrons', electrons), ('step_s', step_s)):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f'{name} is {value}: give a number above 0')
        if between < 0:
            raise ValueError(f'between is {between}: give a number of 0 or more')
        self.street, self.settings = street, settings
        self.step_s, self.between = step_s, between
        self.light = electrons / DAY
        self._simulator, self._end_us, self._last = None, None, None

    def events(self, start_s: float, end_s: float) -> Events:
        """
        Give the events of a time of the scene: ``start_s <= t < end_s``, t in microseconds.

        A call that starts where the last one ended goes on with its stream. Any other one
        switches the camera on at its start, always in the same state.

        :raises ValueError: the time is empty, or below 0 or no number.
        """
        start_us, end_us = (round(time * 1e6) for time in (start_s, end_s))
        if start_us >= end_us:
            raise ValueError(f'events from {start_s} to {end_s} s: give a start before the end')
        if start_us != self._end_us:
            self._simulator = EventSimulator(self.street.height, self.street.width,
                                             (self.street.seed, 3), self.settings)
            self._last = self._rendered(start_s)
            self._simulator.step(self._lit(self._last), start_us)
        steps = math.ceil((end_us - start_us) / (self.step_s * 1e6) - 1e-6)
        moments = np.linspace(start_s, end_s, steps * (self.between + 1) + 1).tolist()[1:]
        parts = [self._simulator.step(self._lit(light), round(moment * 1e6))
                 for light, moment in zip(self._seen(moments), moments)]
        self._end_us = end_us
        return Events(*(np.concatenate(fields) for fields in zip(*parts)))

    def _seen(self, moments: list[float]) -> Iterator[np.ndarray]:
        for moment in moments[self.between::self.between + 1]:
            light = self._rendered(moment)
            yield from interpolate(self._last, light, self.between)
            yield light
            self._last = light

    def _rendered(self, time_s: float) -> np.ndarray:
        # In float: a grey level is a contrast of its own in what is dark.
        return self.street.light.blurred(linear_light(self.street.scene(time_s).image))

    def _lit(self, light: np.ndarray) -> np.ndarray:
        """Light on the sensor, float32 ``[H, W]`` in shares of white by day."""
        return (light + np.float32(GLARE)) * np.float32(self.light)
