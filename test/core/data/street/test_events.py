# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Street's event camera records the same drive as its camera, by day and at night."""

import cv2
import numpy as np
import pytest

from mfs_seg_core.data.street import EventCamera, Street
from mfs_seg_core.events.simulation.simulator import EventSettings

QUIET = EventSettings(leak_hz=0, noise_hz=0)


def same(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other))


def test_events_are_within_the_interval_and_the_sensor():
    camera = EventCamera(Street(3, 96, 72))
    for start in (0.0, 0.05, 0.1):
        events = camera.events(start, start + 0.05)
        assert events.count > 100
        assert events.t.min() >= round(start * 1e6) and events.t.max() < round(start * 1e6) + 50_000
        assert (np.diff(events.t) >= 0).all()
        assert events.x.max() < 96 and events.y.max() < 72
        assert 0.1 < events.p.mean() < 0.9


def test_calls_continue_one_stream_and_a_jump_resets_it():
    street = Street(4, 64, 48)
    camera = EventCamera(street, electrons=50)
    first, second = camera.events(1, 1.05), camera.events(1.05, 1.1)
    again = camera.events(1, 1.05)
    assert same(first, again) and same(second, camera.events(1.05, 1.1))
    other = EventCamera(street, electrons=50)
    assert same(first, other.events(1, 1.05)) and same(second, other.events(1.05, 1.1))
    whole = EventCamera(street, electrons=50).events(1, 1.1)
    assert whole.count == first.count + second.count
    # Pixels that were reset at 1.05 have another state than those of the continued stream.
    assert not same(second, EventCamera(street, electrons=50).events(1.05, 1.1))


def test_events_are_where_the_scene_changes():
    street = Street(6, 160, 120)
    events = EventCamera(street, settings=QUIET).events(2, 2.05)
    before, after = (street.scene(time).image.astype(int) for time in (2, 2.05))
    changed = (np.abs(after - before).max(2) > 8).astype(np.uint8)
    near = cv2.dilate(changed, np.ones((5, 5), np.uint8)) > 0
    assert changed.mean() < 0.5
    assert near[events.y, events.x].mean() > 0.97 > near.mean() + 0.1


def test_the_night_adds_noise_and_leaves_the_contrast():
    def count(electrons, **settings):
        camera = EventCamera(Street(8, 96, 72), electrons, EventSettings(leak_hz=0, **settings))
        return camera.events(1, 1.1).count
    day, night = count(None, noise_hz=0), count(20, noise_hz=0)
    assert 0.7 * day < night <= day
    noise = [count(electrons) - count(electrons, noise_hz=0) for electrons in (None, 200, 20)]
    assert noise[0] < noise[1] < noise[2]
    assert noise[2] > 96 * 72 * 0.1 * 1.0


@pytest.mark.parametrize('arguments', [{'electrons': 0}, {'electrons': -1.0}, {'step_s': 0},
                                       {'electrons': float('nan')}])
def test_bad_arguments_are_rejected(arguments):
    with pytest.raises(ValueError, match=f'^{next(iter(arguments))} is .*: give a number above 0'):
        EventCamera(Street(0, 16, 16), **arguments)


@pytest.mark.parametrize(('start_s', 'end_s'), [(1, 1), (1, 0.5), (-0.1, 0.1)])
def test_bad_times_are_rejected(start_s, end_s):
    with pytest.raises(ValueError, match='give a (start before the end|number of 0 or more)'):
        EventCamera(Street(0, 16, 16)).events(start_s, end_s)
