# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera in poor light: motion blur, shot noise and read noise."""

from __future__ import annotations

import math

import numpy as np

from mfs_seg_core.data.street.drive import Street, StreetFrame

# Electrons that a white pixel collects in one exposure: thousands by day, hundreds at dusk, tens
# between street lamps.
WHITE = (20.0, 400.0)
READ_NOISE = (1.5, 4.0)
EXPOSURE_S = (0.005, 0.035)
# Brightness of white in the image after the camera's gain, as a share of 255.
BRIGHTNESS = (0.35, 0.9)
GAMMA = 2.2
# Rendered instants of an exposure: their least number, and their greatest interval in seconds.
INSTANTS = 3
INSTANT_S = 0.0125
# Arguments of DimCamera for each condition; None: by day, the camera of Street itself.
CONDITIONS = {
    'day': None,
    'dim': {},
    'night': dict(white=(4.0, 40.0), exposure_s=(0.02, 0.035), brightness=(0.25, 0.6)),
    'blur': dict(white=(1000.0, 4000.0), exposure_s=(0.035, 0.05), brightness=(0.85, 1.0)),
}


class DimCamera:
    """
    Camera in dim light on a drive of Street; its frames have the same labels as those of Street.

    The noise of a frame depends on the seed of the street and the time. Exposure, light and read
    noise are drawn once per drive.
    """

    def __init__(self, street: Street, white: tuple[float, float] = WHITE,
                 exposure_s: tuple[float, float] = EXPOSURE_S,
                 brightness: tuple[float, float] = BRIGHTNESS):
        """
        Draw exposure, light and read noise from the seed of the street.

        :param street: the drive.
        :param white: range of the electrons that a white pixel collects in one exposure.
        :param exposure_s: range of the exposure time, in seconds.
        :param brightness: range of the brightness of white in the image, as a share of 255.
        :raises ValueError: ``white`` is not an ascending range above 0.
        """
        if not 0 < white[0] <= white[1] < float('inf'):
            raise ValueError(f'{white[0]:g} to {white[1]:g} electrons: give two numbers above 0, '
                             'the smaller one first')
        self.street = street
        random = np.random.default_rng((street.seed, 1))
        self.white = float(np.exp(random.uniform(*np.log(white))))
        self.read_noise = random.uniform(*READ_NOISE)
        self.exposure_s = random.uniform(*exposure_s)
        self.brightness = random.uniform(*brightness)
        # An odd number: the middle one is the time of the frame.
        self.instants = max(INSTANTS, math.ceil(self.exposure_s / INSTANT_S) | 1)

    def frame(self, time_s: float) -> StreetFrame:
        """
        Render the frame whose exposure is centred on a scene time.

        :param time_s: scene time in seconds, 0 or more.
        :returns: image, and the label of the middle of the exposure.
        :raises ValueError: the time is below 0 or not finite.
        """
        middle = self.street.frame(time_s)
        instants = time_s + self.exposure_s * np.linspace(-0.5, 0.5, self.instants)
        light = np.zeros(middle.image.shape, np.float32)
        for index, instant in enumerate(instants):
            image = (middle if index == self.instants // 2
                     else self.street.frame(max(0.0, float(instant)))).image
            light += (image / np.float32(255)) ** np.float32(GAMMA)
        electrons = light * np.float32(self.white / self.instants)
        random = np.random.default_rng((self.street.seed, 2, round(time_s * 1e6)))
        spread = np.sqrt(electrons + np.float32(self.read_noise ** 2))
        electrons += spread * random.standard_normal(electrons.shape, np.float32)
        image = np.clip(electrons / np.float32(self.white), 0, 1) ** np.float32(1 / GAMMA)
        return StreetFrame((image * np.float32(255 * self.brightness)).astype(np.uint8),
                           middle.label, time_s)
