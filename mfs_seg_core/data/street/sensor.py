# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive as a real camera sees it in poor light: motion blur, shot noise and read noise."""

from __future__ import annotations

import math

import numpy as np

from mfs_seg_core.data.street.drive import Street, StreetFrame

# Electrons that a white pixel collects in one exposure: by day thousands, at dusk hundreds, between
# street lamps tens.
WHITE = (20.0, 400.0)
READ_NOISE = (1.5, 4.0)
EXPOSURE_S = (0.005, 0.035)
# Share of full brightness that is left after the camera's gain.
BRIGHTNESS = (0.35, 0.9)
GAMMA = 2.2
# Moments of an exposure that are rendered: at least three, and no further apart than this.
MOMENTS = 3
MOMENT_S = 0.0125
# Cameras by what is hard about them: arguments of DimCamera; by day it is Street itself.
CONDITIONS = {
    'day': None,
    'dim': {},
    'night': dict(white=(4.0, 40.0), exposure_s=(0.02, 0.035), brightness=(0.25, 0.6)),
    'blur': dict(white=(1000.0, 4000.0), exposure_s=(0.035, 0.05), brightness=(0.85, 1.0)),
}


class DimCamera:
    """
    A camera in dim light on a Street's drive; its frames differ from Street's in the image only.

    The noise is drawn anew for each frame, from the seed of the street and the time. Exposure,
    light and read noise are drawn once for a drive.

    :param white: electrons that a white pixel collects, from few to many; drawn between them.
    :param exposure_s: shortest and longest exposure in seconds, likewise.
    :param brightness: least and greatest brightness of what was white, likewise.
    :raises ValueError: ``white`` is no such range.
    """

    def __init__(self, street: Street, white: tuple[float, float] = WHITE,
                 exposure_s: tuple[float, float] = EXPOSURE_S,
                 brightness: tuple[float, float] = BRIGHTNESS):
        if not 0 < white[0] <= white[1] < float('inf'):
            raise ValueError(f'{white[0]:g} to {white[1]:g} electrons: give two numbers above 0, '
                             'the smaller one first')
        self.street = street
        random = np.random.default_rng((street.seed, 1))
        self.white = float(np.exp(random.uniform(*np.log(white))))
        self.read_noise = random.uniform(*READ_NOISE)
        self.exposure_s = random.uniform(*exposure_s)
        self.brightness = random.uniform(*brightness)
        # An odd number: the middle one is the frame's own.
        self.moments = max(MOMENTS, math.ceil(self.exposure_s / MOMENT_S) | 1)

    def frame(self, time_s: float) -> StreetFrame:
        """
        Give the frame whose exposure has its middle at ``time_s``; the label is of that moment.

        :raises ValueError: the time is below 0 or no number.
        """
        middle = self.street.frame(time_s)
        moments = time_s + self.exposure_s * np.linspace(-0.5, 0.5, self.moments)
        light = np.zeros(middle.image.shape, np.float32)
        for index, moment in enumerate(moments):
            image = (middle if index == self.moments // 2
                     else self.street.frame(max(0.0, float(moment)))).image
            light += (image / np.float32(255)) ** np.float32(GAMMA)
        electrons = light * np.float32(self.white / self.moments)
        random = np.random.default_rng((self.street.seed, 2, round(time_s * 1e6)))
        spread = np.sqrt(electrons + np.float32(self.read_noise ** 2))
        electrons += spread * random.standard_normal(electrons.shape, np.float32)
        seen = np.clip(electrons / np.float32(self.white), 0, 1) ** np.float32(1 / GAMMA)
        return StreetFrame((seen * np.float32(255 * self.brightness)).astype(np.uint8),
                           middle.label, time_s)
