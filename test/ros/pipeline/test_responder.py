# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a step to its mask: resets, refused steps, the leak, and what is counted."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from support.camera import coarse_image
from support.pipeline import SETTINGS, START_NS, CameraPath

from mfs_seg_core.streaming.segmenter import step_together
from mfs_seg_core.streaming.step import Step
from mfs_seg_ros.diagnostics.drops import IMAGES_UNUSABLE


@pytest.fixture
def path():
    """Return the path of one camera."""
    return CameraPath()


def step(ms: float, image: np.ndarray, **changes) -> Step:
    return Step('image', None, START_NS + round(ms * 1e6), image=image, encoding='rgb8', **changes)


def answer(path: CameraPath, made: Step, **changes) -> np.ndarray | None:
    """Run a step; return its mask, None when it is refused."""
    settings = {**SETTINGS, **changes}
    prepared = path.responder.prepare(made, settings)
    if prepared is None:
        return None
    result, = step_together([(path.responder.segmenter, prepared.inputs)])
    path.responder.publish(prepared, result, settings)
    return result.mask


def test_a_refused_step_does_not_advance_the_leak(path):
    """The time to the next step counts from the last one that ran, not from the refused one."""
    nominal_s = path.responder.segmenter.metadata.nominal_step
    answer(path, step(0, coarse_image(1)))
    answer(path, step(1e3 * nominal_s, coarse_image(1)))
    assert answer(path, step(2e3 * nominal_s, coarse_image(1).astype(np.float32))) is None
    assert path.health.totals[IMAGES_UNUSABLE] == 1
    prepared = path.responder.prepare(step(3e3 * nominal_s, coarse_image(1)), SETTINGS)
    assert prepared.inputs.elapsed == pytest.approx(2.0)


def test_a_refused_step_keeps_the_state_and_the_request(path):
    answer(path, step(0, coarse_image(1)))
    state = path.responder.segmenter.state
    path.responder.request_reset('requested', 'somebody asked')
    assert answer(path, step(50, coarse_image(1).astype(np.float32))) is None
    for name, potential in path.responder.segmenter.state.items():
        np.testing.assert_array_equal(potential, state[name])
    answer(path, step(100, coarse_image(1)))
    assert path.log.texts('info') == ['the state returns to rest: somebody asked']


@pytest.mark.parametrize('second, cause', [
    (lambda: step(-1000, coarse_image(5)), 'time went back'),
    (lambda: step(1500, coarse_image(5)), 'gap'),
])
def test_a_stream_that_breaks_starts_from_rest(path, second, cause):
    first = answer(path, step(0, coarse_image(5)))
    assert not np.array_equal(answer(path, step(50, coarse_image(5))), first)
    np.testing.assert_array_equal(answer(path, second()), first)
    values = path.health.report(1.0).values
    assert values[f'resets: {cause}'] == 1
    assert path.log.texts('info') == [f'the state returns to rest: {values["last reset"]}']


def test_another_size_starts_from_rest(path):
    answer(path, step(0, coarse_image(5)))
    mask = answer(path, step(50, coarse_image(5, 96, 64)))
    fresh = CameraPath(segmenter=path.responder.segmenter.sibling())
    np.testing.assert_array_equal(mask, answer(fresh, step(0, coarse_image(5, 96, 64))))


def test_without_keep_state_each_step_starts_from_rest(path):
    masks = [answer(path, step(50 * index, coarse_image(5)), keep_state=False)
             for index in range(2)]
    np.testing.assert_array_equal(*masks)
    # That is no reset of a stream: none is counted.
    assert path.log.texts('info') == []


def test_latency_is_unknown_where_stamps_are_of_another_clock(path):
    answer(path, step(-20, coarse_image(1)))
    answer(path, step(-120_000, coarse_image(1)))
    known, unknown = path.outputs.times_ms
    assert known['pipeline_latency_ms'] == pytest.approx(20)
    assert unknown['pipeline_latency_ms'] is None


def test_decoding_time_is_published_in_milliseconds(path):
    answer(path, step(0, coarse_image(1), decode_s=0.004))
    assert path.outputs.times_ms[0]['decode_time_ms'] == pytest.approx(4)


def test_points_have_the_masks_of_images(path):
    """Between images, events give masks for which there is no depth."""
    given = []
    path.responder._points = SimpleNamespace(add_mask=lambda header, mask: given.append(mask))
    mask = answer(path, step(0, coarse_image(1)))
    answer(path, replace(step(50, coarse_image(2)), cause='events'))
    assert len(given) == 1 and np.array_equal(given[0], mask)
