# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated event camera against closed forms: ramps, a moving edge, leak and noise."""

import numpy as np
import pytest

from mfs_seg_core.events.simulation.simulator import EventSettings, EventSimulator, linear_light

# Identical pixels without noise, leak or refractory period.
IDEAL = EventSettings(0.25, 0.2, threshold_spread=0, refractory_us=0, leak_hz=0, noise_hz=0)


def ideal(**changes) -> EventSettings:
    return EventSettings(**{**vars(IDEAL), **changes})


def light(level: np.ndarray) -> np.ndarray:
    """Return the light whose logarithm in a pixel is ``level``."""
    return np.exp(np.asarray(level, float)) - IDEAL.dark_light


def play(simulator: EventSimulator, levels, every_us: int) -> list:
    """Simulate a video of levels; return the events of every step after the first frame."""
    return [simulator.step(light(level), index * every_us)
            for index, level in enumerate(levels)][1:]


def test_moving_edge():
    """The edge is a ramp in each pixel: event k is at the time of a rise by k thresholds."""
    contrast, ramp_px, pixel_us, width = 1.1, 4, 2000, 24
    columns = np.arange(width)
    times = np.arange(width + ramp_px + 1)
    rise = np.clip((times[:, None] - columns) / ramp_px, 0, 1) * contrast
    for sign, threshold in ((1, IDEAL.threshold_on), (-1, IDEAL.threshold_off)):
        levels = -2 + sign * np.repeat(rise[:, None], 3, 1)
        events = play(EventSimulator(3, width, settings=IDEAL), levels, pixel_us)
        number = int(contrast / threshold)
        for x in columns:
            expected = x * pixel_us + threshold * np.arange(1, number + 1) * (
                ramp_px * pixel_us / contrast)
            for y in range(3):
                t = np.concatenate([e.t[(e.x == x) & (e.y == y)] for e in events])
                np.testing.assert_allclose(t, expected, atol=1.5)
        for index, step in enumerate(events):
            assert (step.p == (sign > 0)).all()
            assert (np.diff(step.t) >= 0).all()
            assert ((step.t >= index * pixel_us) & (step.t < (index + 1) * pixel_us)).all()


def test_changes_below_the_threshold_accumulate():
    up = play(EventSimulator(1, 1, settings=IDEAL), [[[v]] for v in (-1, -0.8, -0.6)], 1000)
    assert [e.count for e in up] == [0, 1]
    # The rise by 0.4 leaves 0.15; the OFF event comes 0.2 below the level of the ON event.
    down = play(EventSimulator(1, 1, settings=IDEAL), [[[v]] for v in (-1, -0.6, -0.9, -1.1)], 1000)
    assert [e.p.tolist() for e in down] == [[True], [], [False]]


@pytest.mark.parametrize('steps', [1, 7, 100])
def test_refractory_period(steps):
    """A ramp of 10 per second and a threshold of 0.25: an event each 25 ms plus 5 ms."""
    simulator = EventSimulator(1, 1, settings=ideal(refractory_us=5000))
    levels = np.linspace(-4, 0, steps + 1).reshape(-1, 1, 1)
    times = np.rint(np.linspace(0, 400_000, steps + 1)).astype(int)
    t = np.concatenate([simulator.step(light(level), int(time)).t
                        for level, time in zip(levels, times)])
    expected = 25_000 + 30_000 * np.arange(13)
    np.testing.assert_allclose(t, expected, atol=8)


def test_threshold_spread():
    settings = ideal(threshold_spread=0.03)
    events = play(EventSimulator(100, 100, 5, settings), np.stack([np.full((100, 100), v)
                                                                  for v in (-3, -2.6)]), 400_000)[0]
    # A ramp of 1 per second: the time of the first event is the threshold.
    first = np.full((100, 100), np.nan)
    first[events.y[::-1], events.x[::-1]] = events.t[::-1] * 1e-6
    assert np.isfinite(first).mean() > 0.999
    assert np.nanmean(first) == pytest.approx(0.25, abs=0.002)
    assert np.nanstd(first) == pytest.approx(0.03, abs=0.002)


def test_leak_events_in_constant_light():
    simulator = EventSimulator(60, 80, 1, ideal(leak_hz=0.5))
    parts = play(simulator, [np.full((60, 80), -1.0)] * 81, 50_000)
    assert all(e.p.all() for e in parts)
    counts = np.array([e.count for e in parts])
    assert counts.sum() == pytest.approx(60 * 80 * 4 * 0.5, rel=0.01)
    assert counts.min() > 0.6 * counts.mean()


@pytest.mark.parametrize(('level', 'share'), [(0.0, 1), (0.001, 0.5), (0.003, 0.25)])
def test_noise_rate_falls_with_light(level, share):
    simulator = EventSimulator(60, 80, 2, ideal(noise_hz=4.0, noise_light=0.001))
    dark = np.full((60, 80), level, np.float32)
    simulator.step(dark, 0)
    events = simulator.step(dark, 500_000)
    expected = 60 * 80 * 0.5 * 4 * share
    assert events.count == pytest.approx(expected, abs=4 * expected ** 0.5)
    assert events.p.mean() == pytest.approx(0.5, abs=0.03)
    assert events.t.mean() == pytest.approx(250_000, rel=0.05)
    per_pixel = np.bincount(events.y.astype(int) * 80 + events.x, minlength=4800)
    assert per_pixel.var() == pytest.approx(per_pixel.mean(), rel=0.15)


def test_noise_comes_from_dark_pixels():
    simulator = EventSimulator(10, 20, 3, ideal(noise_hz=50.0))
    half = np.zeros((10, 20), np.float32)
    half[:, 10:] = 1
    simulator.step(half, 0)
    events = simulator.step(half, 1_000_000)
    assert events.count > 4000 and (events.x < 10).mean() > 0.99


def test_seed():
    def run(seed):
        random = np.random.default_rng(0)
        simulator = EventSimulator(30, 40, seed)
        return [simulator.step(random.random((30, 40), np.float32), 1000 * i) for i in range(4)]
    one, same, other = run(1), run(1), run(2)
    for a, b in zip(one, same):
        assert all(np.array_equal(m, n) for m, n in zip(a, b))
    assert any(a.count != b.count for a, b in zip(one, other))


def test_types_and_the_first_frame():
    simulator = EventSimulator(3, 4, settings=IDEAL)
    first = simulator.step(np.zeros((3, 4, 3), np.uint8), 2 ** 40)
    static = simulator.step(np.zeros((3, 4, 3), np.uint8), 2 ** 40 + 10)
    flash = simulator.step(np.full((3, 4, 3), 255, np.uint8), 2 ** 40 + 20)
    assert first.count == static.count == 0 and flash.count > 12
    for events in (first, static, flash):
        assert [f.dtype for f in events] == [np.int64, np.uint16, np.uint16, bool]
    assert flash.t.min() >= 2 ** 40 + 10 and flash.t.max() < 2 ** 40 + 20
    assert (flash.x.max(), flash.y.max()) == (3, 2)


def test_linear_light():
    assert linear_light(np.array([[0, 255]], np.uint8)).tolist() == [[0, 1]]
    grey = np.full((1, 1, 3), 128, np.uint8)
    assert linear_light(grey)[0, 0] == pytest.approx((128 / 255) ** 2.2, rel=1e-5)
    red = np.array([[[255, 0, 0]]], np.uint8)
    assert linear_light(red)[0, 0] == pytest.approx(0.2126)


@pytest.mark.parametrize(('image', 'words'), [
    (np.zeros((3, 5)), 'scale it first'), (np.zeros((3, 4), int), 'give light as float'),
    (np.zeros((3, 4, 2), np.uint8), 'give light as float'), (np.full((3, 4), -0.1), 'below 0'),
    (np.full((3, 4), np.nan), 'not finite'), (np.full((3, 4), np.inf), 'not finite'),
])
def test_invalid_images(image, words):
    with pytest.raises(ValueError, match=words):
        EventSimulator(3, 4).step(image, 0)


def test_time_must_increase():
    simulator = EventSimulator(3, 4)
    simulator.step(np.zeros((3, 4)), 10)
    for time_us in (10, 9):
        with pytest.raises(ValueError, match='in the order of time'):
            simulator.step(np.zeros((3, 4)), time_us)


@pytest.mark.parametrize('setting', [{'threshold_on': 0}, {'threshold_off': -1},
                                     {'threshold_spread': -0.1}, {'noise_hz': float('nan')},
                                     {'dark_light': 0}])
def test_invalid_settings(setting):
    with pytest.raises(ValueError, match=f'^{next(iter(setting))} is .*: give a number'):
        EventSettings(**setting)
