# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times of the frames of a video, from those that its container gives."""

from __future__ import annotations

from itertools import pairwise

# Cameras with slow motion reach this rate. Containers that lack the rate state a higher one.
MAX_RATE_HZ = 500.0
# A camera that pauses for longer would look as if it had stopped.
MAX_STEP_S = 10.0
# Times that go back further belong to a clock that was set back.
MAX_BACK_S = 1.0


class VideoClock:
    """
    Times of frames, which advance.

    They are the times of the container. A frame without a time, or whose time does not advance,
    follows the frame before it by the usual step. Where the container's clock jumps, forward by
    more than ``MAX_STEP_S`` or back by more than ``MAX_BACK_S``, all later times are shifted, so
    that the frame follows by the usual step. Where the first frames come faster than
    ``MAX_RATE_HZ``, the times of the container are ignored, and all frames have the stated or the
    default rate.

    :param first_s: times of the first frames in the container in seconds, in the order of decoding;
        the usual step is their mean step.
    :param stated_hz: frames per second in the header of the container, used where these times do
        not advance; 0: none.
    :param default_hz: frames per second where neither yields a usable rate.
    """

    def __init__(self, first_s: list[float], stated_hz: float, default_hz: float):
        rate_hz = _rate_hz(first_s)
        self._too_fast_hz = rate_hz if rate_hz > MAX_RATE_HZ else 0.0
        if self._too_fast_hz or not rate_hz:
            rate_hz = stated_hz if 1 / MAX_STEP_S <= stated_hz <= MAX_RATE_HZ else default_hz
        self._usual_s = 1 / rate_hz
        self._shift_s = 0.0
        self._last: tuple[float, float] | None = None
        self._steps = self._replaced = self._unknown = 0

    def time_s(self, container_s: float, missing: int = 0) -> float:
        """
        Return the time of the next frame.

        :param container_s: its time in the container, in seconds.
        :param missing: number of frames before it that could not be decoded.
        :returns: seconds on the clock of the container, as it was at the first frame.
        """
        time_s = container_s
        if self._last is not None:
            last_s, last_container_s = self._last
            next_s = last_s + (1 + missing) * self._usual_s
            self._steps += 1
            if not container_s:
                # Decoders give no time to frames that were delayed to the end of an AVI.
                self._unknown += 1
                self._last = next_s, last_container_s
                return next_s
            step_s = container_s - last_container_s
            if not -MAX_BACK_S <= step_s <= MAX_STEP_S:
                self._shift_s = next_s - container_s
                self._replaced += 1
            time_s = container_s + self._shift_s
            if self._too_fast_hz or time_s <= last_s:
                time_s = next_s
                self._replaced += 1
        self._last = time_s, container_s
        return time_s

    def note(self) -> str:
        """Return a clause on the times that were replaced; empty if there were none."""
        remedy = f'are played at {1 / self._usual_s:g} per second: give the rate to change that'
        if self._steps and self._too_fast_hz:
            return (f'its frames come at {self._too_fast_hz:,.0f} per second, which no camera '
                    f'reaches, and {remedy}')
        if self._steps and self._replaced + self._unknown >= self._steps:
            return f'the container gives no usable times of its frames, which {remedy}'
        if not self._replaced:
            return ''
        return (f'{self._replaced} of its frames have times that go back, stand still or jump by '
                f'more than {MAX_STEP_S:g} s, and follow the frame before by {self._usual_s:.3g} s')


def _rate_hz(times_s: list[float]) -> float:
    """Return the mean rate of frames of these times, without jumps; 0: there is none."""
    # Packets are in the order of decoding: some steps are negative.
    steps = [later - time_s for time_s, later in pairwise(times_s)
             if -MAX_BACK_S <= later - time_s <= MAX_STEP_S]
    return len(steps) / sum(steps) if sum(steps) > 0 else 0.0
