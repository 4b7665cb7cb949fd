# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
An event camera, simulated from video.

Each pixel watches the logarithm of its light. Between two frames it changes linearly; whenever it
has moved by a threshold away from where it was at the pixel's last event, the pixel emits one, is
dead for the refractory period, and starts again from the light at the period's end. So a steady
ramp of slope r gives an event every ``threshold / r + refractory period``.

Source: Lichtsteiner et al. 2008 for the pixel; Hu et al. 2021 for its leak and noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from mfs_seg_core.events.types import Events

# Pictures are taken to be encoded so; their luminance has the weights of Rec. 709.
GAMMA = 2.2
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# No pixel's threshold is drawn below this share of the mean.
LEAST = 0.2


@dataclass(frozen=True)
class EventSettings:
    """
    What the pixels are like; light is in shares of white by day.

    :param threshold_on, threshold_off: mean contrast, in natural logarithms of light.
    :param threshold_spread: standard deviation of the thresholds from pixel to pixel.
    :param refractory_us: microseconds that a pixel is dead after an event.
    :param leak_hz: ON events a second that each pixel emits in still light.
    :param noise_hz: events a second, of either polarity, that each pixel emits in the dark.
    :param noise_light: light at which the noise is half of that; it falls on with the light.
    :param dark_light: light that a pixel's dark current looks like: contrast fades below it.
    :raises ValueError: a threshold or light is not above 0, or another number is below 0.
    """

    threshold_on: float = 0.25
    threshold_off: float = 0.25
    threshold_spread: float = 0.03
    refractory_us: float = 300.0
    leak_hz: float = 0.1
    noise_hz: float = 5.0
    noise_light: float = 0.001
    dark_light: float = 0.0001

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            zero = field.name in ('threshold_spread', 'refractory_us', 'leak_hz', 'noise_hz')
            if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
                raise ValueError(f'{field.name} is {value}: give a number '
                                 f'{"of 0 or more" if zero else "above 0"}')


class EventSimulator:
    """
    An event camera that is shown a video, frame by frame.

    :param seed: what ``numpy.random.default_rng`` takes. The same seed and frames give the same
        events.
    """

    def __init__(self, height: int, width: int, seed=0, settings: EventSettings | None = None):
        self.height, self.width = height, width
        self.settings = settings = settings or EventSettings()
        self._random = np.random.default_rng(seed)
        # All arrays of pixels are flat, [H * W] float32.
        self._on, self._off = (
            np.maximum(self._random.normal(mean, settings.threshold_spread, height * width),
                       LEAST * mean).astype(np.float32)
            for mean in (settings.threshold_on, settings.threshold_off))
        # Signal minus reference. Pixels that have long seen still light are anywhere in their leak.
        self._change = np.zeros(height * width, np.float32)
        if settings.leak_hz:
            self._change = self._on * self._random.random(height * width, np.float32)
        self._dead_us = np.zeros(height * width, np.float32)
        self._level, self._time_us = None, None

    def step(self, image: np.ndarray, time_us: int) -> Events:
        """
        Show the next frame.

        :param image: float ``[H, W]``, linear light in shares of white by day; or a picture,
            uint8 ``[H, W]`` or ``[H, W, 3]`` RGB, whose 255 is white by day.
        :param time_us: its moment, after that of the frame before.
        :returns: the events since the frame before: ``time before <= t < time_us``, in the order
            of time. The first frame gives none.
        :raises ValueError: the image is of another size or no light, or the time is not later.
        """
        light = self._checked(image)
        level = np.log(light + np.float32(self.settings.dark_light))
        if self._time_us is None:
            self._level, self._time_us = level, time_us
            return self._sorted(0, np.empty(0, int), np.empty(0, np.float32), np.empty(0, bool))
        span = time_us - self._time_us
        if span <= 0:
            raise ValueError(f'a frame of {time_us} us after one of {self._time_us} us: give '
                             'frames in the order of time')
        crossings, noise = self._crossings(level, span), self._noise(light, span)
        events = self._sorted(span, *(np.concatenate(pair) for pair in zip(crossings, noise)))
        self._level, self._time_us = level, time_us
        return events

    def _checked(self, image: np.ndarray) -> np.ndarray:
        if image.shape[:2] != (self.height, self.width):
            raise ValueError(f'an image of shape {image.shape} for an event camera of '
                             f'{self.height} rows and {self.width} columns: scale it first')
        light = linear_light(image).ravel()
        if not (light.min() >= 0 and light.max() < np.inf):
            raise ValueError('the image has light below 0 or not finite: give shares of white')
        return light

    def _crossings(self, level: np.ndarray, span: int) -> tuple:
        """Return pixel, microseconds since the step's start and polarity of each crossing."""
        on, off, refractory = self._on, self._off, np.float32(self.settings.refractory_us)
        # To leak is to rise: the reference sinks by a threshold in every 1 / leak_hz.
        slope = (level - self._level) / np.float32(span)
        slope += on * np.float32(self.settings.leak_hz * 1e-6)
        # A dead pixel's change is 0 until it comes to life.
        begin = np.minimum(self._dead_us, np.float32(span))
        reach = self._change + slope * (span - begin)
        pixel = np.flatnonzero((reach > on) | (reach < -off))
        start, rate = self._change[pixel], slope[pixel]
        rises = rate > 0
        goal = np.where(rises, on[pixel], -off[pixel])
        first = begin[pixel] + (goal - start) / rate
        period = goal / rate + refractory
        number = np.maximum(np.ceil((span - first) / period), 1).astype(int)
        alive = first + (number - 1) * period + refractory
        self._change = reach
        self._change[pixel] = np.clip(rate * np.maximum(span - alive, 0), -off[pixel], on[pixel])
        self._dead_us -= begin
        self._dead_us[pixel] = np.maximum(alive - span, 0)
        turn = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        since = np.repeat(first, number) + turn * np.repeat(period, number)
        return np.repeat(pixel, number), since, np.repeat(rises, number)

    def _noise(self, light: np.ndarray, span: int) -> tuple:
        """Return the same of noise: it comes at any time, and moves no reference."""
        knee = np.float32(self.settings.noise_light)
        sums = np.cumsum(knee / (light + knee), dtype=np.float64)
        number = self._random.poisson(self.settings.noise_hz * 1e-6 * span * sums[-1])
        # A pixel's share of the sum is its chance; in order, they are found much faster.
        pixel = np.searchsorted(sums, np.sort(self._random.random(number)) * sums[-1], 'right')
        since = self._random.random(number, np.float32) * np.float32(span)
        return pixel, since, self._random.random(number) < 0.5

    def _sorted(self, span: int, pixel: np.ndarray, since: np.ndarray, p: np.ndarray) -> Events:
        # Rounding may reach the end of the step, which is the start of the next.
        since = np.minimum(since.astype(np.int64), span - 1)
        # Numbers of 16 bits sort several times as fast as longer ones.
        order = np.argsort(since.astype(np.min_scalar_type(span)), kind='stable')
        y, x = np.divmod(pixel[order].astype(np.uint32), np.uint32(self.width))
        return Events((self._time_us or 0) + since[order], x.astype(np.uint16),
                      y.astype(np.uint16), p[order])


def linear_light(image: np.ndarray) -> np.ndarray:
    """
    Light of an image, in shares of white.

    :param image: float ``[H, W]``, which is light already; or a picture, uint8 ``[H, W]`` or
        ``[H, W, 3]`` RGB.
    :returns: float32 ``[H, W]``.
    :raises ValueError: it is neither.
    """
    if image.ndim == 2 and image.dtype.kind == 'f':
        return image.astype(np.float32, copy=False)
    if image.dtype != np.uint8 or image.shape[2:] not in ((), (3,)):
        raise ValueError(f'an image of shape {image.shape} and type {image.dtype}: give light as '
                         'float [H, W], or a picture as uint8 [H, W] or [H, W, 3]')
    table = (np.arange(256, dtype=np.float32) / 255) ** np.float32(GAMMA)
    light = table.take(image)
    return light if image.ndim == 2 else light @ LUMINANCE
