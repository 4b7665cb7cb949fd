# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated event camera on a drive, with the same lens as the camera of Street."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mfs_seg_core.data.street.drive import Street
from mfs_seg_core.events.simulation.interpolation import interpolate
from mfs_seg_core.events.simulation.simulator import EventSettings, EventSimulator, linear_light
from mfs_seg_core.events.types import Events

# Electrons that a white pixel of a camera collects by day; the light scales with this number.
DAY = 4000.0
# Share of white that the lens scatters everywhere, so that no pixel is completely dark.
GLARE = 0.01
# Interval of rendered scenes, in seconds; between them, light changes linearly.
STEP_S = 0.0125


class EventCamera:
    """Simulated event camera on a drive of Street."""

    def __init__(self, street: Street, electrons: float | None = None,
                 settings: EventSettings | None = None, step_s: float = STEP_S,
                 interpolated: int = 0):
        """
        Set up the pixels and the light.

        :param street: the drive.
        :param electrons: amount of light, as the electrons that a white pixel of a camera collects
            in it (``DimCamera.white``); None: day.
        :param settings: properties of the pixels; None: defaults.
        :param step_s: greatest interval of rendered scenes, in seconds.
        :param interpolated: number of scenes between two rendered ones that are interpolated by
            optical flow. With 1 and twice the interval, events are nearly as accurate, in half the
            computing time.
        :raises ValueError: ``electrons`` or ``step_s`` is not above 0, or ``interpolated`` is
            below 0.
        """
        electrons = DAY if electrons is None else electrons
        for name, value in (('electrons', electrons), ('step_s', step_s)):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f'{name} is {value}: give a number above 0')
        if interpolated < 0:
            raise ValueError(f'interpolated is {interpolated}: give a number of 0 or more')
        self.street, self.settings = street, settings
        self.step_s, self.interpolated = step_s, interpolated
        self.light = electrons / DAY
        self._simulator, self._end_us, self._last = None, None, None

    def events(self, start_s: float, end_s: float) -> Events:
        """
        Return the events of an interval of scene time.

        A call that starts at the end of the last one continues its stream. Any other call resets
        the pixels at its start, always to the same state.

        :param start_s: start of the interval, in seconds.
        :param end_s: end of the interval, in seconds, exclusive.
        :returns: events with time stamps in microseconds of scene time.
        :raises ValueError: the interval is empty, starts before 0, or is not finite.
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
        times = np.linspace(start_s, end_s, steps * (self.interpolated + 1) + 1).tolist()[1:]
        parts = [self._simulator.step(self._lit(light), round(time * 1e6))
                 for light, time in zip(self._interpolated(times), times)]
        self._end_us = end_us
        return Events(*(np.concatenate(fields) for fields in zip(*parts)))

    def _interpolated(self, times: list[float]) -> Iterator[np.ndarray]:
        for time in times[self.interpolated::self.interpolated + 1]:
            light = self._rendered(time)
            yield from interpolate(self._last, light, self.interpolated)
            yield light
            self._last = light

    def _rendered(self, time_s: float) -> np.ndarray:
        # In float: in dark areas, one grey level of 8 bits is a contrast above the threshold.
        return self.street.light.blurred(linear_light(self.street.scene(time_s).image))

    def _lit(self, light: np.ndarray) -> np.ndarray:
        """Return the light on the sensor, float32 ``[H, W]``, as a share of white by day."""
        return (light + np.float32(GLARE)) * np.float32(self.light)
