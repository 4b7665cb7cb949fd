# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Simulation of an event camera from video.

The signal of a pixel is the logarithm of its light, linear in time between two frames. When the
signal differs from the pixel's reference by a threshold, the pixel emits an event and is inactive
for the refractory period. The signal at the end of that period is its new reference. A ramp of
slope r therefore causes an event every ``threshold / r + refractory period``.

Source: Lichtsteiner et al. 2008 for the pixel; Hu et al. 2021 for its leak and noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from mfs_seg_core.events.types import Events

# Assumed gamma of 8-bit images; weights of the luminance after Rec. 709.
GAMMA = 2.2
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Lower bound of a pixel's threshold, as a share of the mean.
MIN_THRESHOLD = 0.2


@dataclass(frozen=True)
class EventSettings:
    """
    Parameters of the pixels; the unit of light is white in daylight.

    :param threshold_on: mean contrast threshold of ON events, a difference of natural logarithms.
    :param threshold_off: mean contrast threshold of OFF events, likewise.
    :param threshold_spread: standard deviation of the thresholds over the pixels.
    :param refractory_us: refractory period of a pixel in microseconds.
    :param leak_hz: ON events per second and pixel in constant light.
    :param noise_hz: noise events per second and pixel in the dark, of random polarity.
    :param noise_light: light at which the noise rate is half of that; more light lowers it further.
    :param dark_light: light equivalent of the dark current, below which contrast vanishes.
    :raises ValueError: if a threshold or light is not above 0, or another number is below 0.
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
    Event camera that takes a video frame by frame.

    :param height: rows of the sensor, and of the frames.
    :param width: columns of the sensor, and of the frames.
    :param seed: seed for ``numpy.random.default_rng``; it and the frames determine the events.
    :param settings: parameters of the pixels; None: the default ones.
    """

    def __init__(self, height: int, width: int, seed: Any = 0,
                 settings: EventSettings | None = None):
        self.height, self.width = height, width
        self.settings = settings = settings or EventSettings()
        self._random = np.random.default_rng(seed)
        # All arrays over pixels are flat, float32 [H * W].
        self._on, self._off = (
            np.maximum(self._random.normal(mean, settings.threshold_spread, height * width),
                       MIN_THRESHOLD * mean).astype(np.float32)
            for mean in (settings.threshold_on, settings.threshold_off))
        # Signal minus reference. After a long time in constant light, pixels are at random phases
        # of their leak.
        self._change = np.zeros(height * width, np.float32)
        if settings.leak_hz:
            self._change = self._on * self._random.random(height * width, np.float32)
        # Remainder of the refractory period in microseconds.
        self._dead_us = np.zeros(height * width, np.float32)
        self._level, self._time_us = None, None

    def step(self, image: np.ndarray, time_us: int) -> Events:
        """
        Take the next frame, and return the events since the previous one.

        :param image: linear light, float ``[H, W]``, 1 is white in daylight; or an image, uint8
            ``[H, W]`` or ``[H, W, 3]`` RGB, 255 is white in daylight.
        :param time_us: time of the frame in microseconds, later than that of the previous one.
        :returns: events with ``previous time <= t < time_us``, in the order of time; none for the
            first frame.
        :raises ValueError: if the image has another size or invalid values, or the time is not
            later.
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
            raise ValueError('the image has light below 0 or not finite: give 0 for black to 1 for '
                             'white')
        return light

    def _crossings(self, level: np.ndarray, span: int) -> tuple:
        """Return pixel, time since the previous frame in us and polarity of the crossings."""
        on, off, refractory = self._on, self._off, np.float32(self.settings.refractory_us)
        # The leak lowers the reference by one threshold every 1 / leak_hz seconds, which is the
        # same as a rising signal.
        slope = (level - self._level) / np.float32(span)
        slope += on * np.float32(self.settings.leak_hz * 1e-6)
        # During the refractory period the change of a pixel is 0.
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
        """Return the same for noise, which has random times and leaves the references."""
        knee = np.float32(self.settings.noise_light)
        sums = np.cumsum(knee / (light + knee), dtype=np.float64)
        number = self._random.poisson(self.settings.noise_hz * 1e-6 * span * sums[-1])
        # The probability of a pixel is its share of the sum; sorted numbers are searched faster.
        pixel = np.searchsorted(sums, np.sort(self._random.random(number)) * sums[-1], 'right')
        since = self._random.random(number, np.float32) * np.float32(span)
        return pixel, since, self._random.random(number) < 0.5

    def _sorted(self, span: int, pixel: np.ndarray, since: np.ndarray, p: np.ndarray) -> Events:
        # Rounding may reach the time of the next frame, which belongs to the next step.
        since = np.minimum(since.astype(np.int64), span - 1)
        # 16-bit numbers sort several times faster than longer ones.
        order = np.argsort(since.astype(np.min_scalar_type(span)), kind='stable')
        y, x = np.divmod(pixel[order].astype(np.uint32), np.uint32(self.width))
        return Events((self._time_us or 0) + since[order], x.astype(np.uint16),
                      y.astype(np.uint16), p[order])


def linear_light(image: np.ndarray) -> np.ndarray:
    """
    Convert an image to linear light.

    :param image: linear light already, float ``[H, W]``; or an image, uint8 ``[H, W]`` or
        ``[H, W, 3]`` RGB.
    :returns: float32 ``[H, W]``, 1 is white.
    :raises ValueError: if the shape or the type is another one.
    """
    if image.ndim == 2 and image.dtype.kind == 'f':
        return image.astype(np.float32, copy=False)
    if image.dtype != np.uint8 or image.shape[2:] not in ((), (3,)):
        raise ValueError(f'an image of shape {image.shape} and type {image.dtype}: give light as '
                         'float [H, W], or an image as uint8 [H, W] or [H, W, 3]')
    table = (np.arange(256, dtype=np.float32) / 255) ** np.float32(GAMMA)
    light = table.take(image)
    return light if image.ndim == 2 else light @ LUMINANCE
