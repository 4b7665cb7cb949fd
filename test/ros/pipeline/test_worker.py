# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The worker: batches, measurements, parameters, and faults that nobody foresaw."""

import threading
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest
from support.camera import coarse_image
from support.pipeline import SETTINGS, CameraPath, worker_of
from support.untrained import metadata_of, untrained

from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_ros.diagnostics.drops import STEPS_FAILED
from mfs_seg_ros.pipeline import worker as module
from mfs_seg_ros.pipeline.worker import ENERGY_PERIOD_S, RATE_PERIOD_S, Worker


@pytest.fixture
def path():
    """Return the path of one camera."""
    return CameraPath()


def siblings(count: int) -> list[CameraPath]:
    """Return the paths of cameras that share a network."""
    network = untrained('fast')
    segmenter = Segmenter(network, metadata_of(network))
    return [CameraPath(segmenter=segmenter.sibling()) for _ in range(count)]


def test_a_message_becomes_a_mask(path):
    worker = worker_of(path)
    path.put_image(coarse_image(1), 0)
    assert worker.process() is None
    mask, = path.outputs.masks
    assert mask.shape == (32, 48) and path.outputs.steps[0].stamp_ns % 10**9 == 0
    assert path.health.totals['masks'] == 1
    times, = path.outputs.times_ms
    assert 0 < times['model_time_ms'] < times['processing_time_ms']


def test_the_thread_runs_between_start_and_stop():
    changed = threading.Condition()
    path = CameraPath(changed=changed)
    worker = Worker([path.stream], changed, SETTINGS, path.log)
    # A constructor starts nothing.
    assert not any(thread.name == 'segment' for thread in threading.enumerate())
    worker.start()
    published = threading.Event()
    keep = path.outputs.publish
    path.outputs.publish = lambda *given: (keep(*given), published.set())
    path.put_image(coarse_image(1), 0)
    assert published.wait(10.0)
    worker.stop()
    assert len(path.outputs.masks) == 1
    assert not any(thread.name == 'segment' for thread in threading.enumerate())


def test_complete_steps_of_several_cameras_are_one_batch(monkeypatch):
    left, right = siblings(2)
    batches = []
    step_together = module.step_together
    monkeypatch.setattr(module, 'step_together', lambda steps, *given: (
        batches.append(len(steps)), step_together(steps, *given))[1])
    worker = worker_of(left, right)
    left.put_image(coarse_image(1), 0)
    worker.process()
    left.put_image(coarse_image(1), 50)
    right.put_image(coarse_image(1), 0)
    worker.process()
    assert batches == [1, 2]
    assert (len(left.outputs.masks), len(right.outputs.masks)) == (2, 1)
    np.testing.assert_array_equal(right.outputs.masks[0], left.outputs.masks[0])


def test_a_fault_costs_one_step_and_its_state(path, monkeypatch):
    worker = worker_of(path)
    for ms in (0, 50):
        path.put_image(coarse_image(5), ms)
        worker.process()
    first, second = path.outputs.masks
    assert not np.array_equal(first, second)

    def fail(*_):
        raise RuntimeError('the device has no memory left')

    with monkeypatch.context() as patched:
        patched.setattr(module, 'step_together', fail)
        path.put_image(coarse_image(5), 100)
        worker.process()
    assert path.health.totals[STEPS_FAILED] == 1
    assert 'the device has no memory left' in path.log.texts('error')[0]
    path.put_image(coarse_image(5), 150)
    worker.process()
    np.testing.assert_array_equal(path.outputs.masks[2], first)


def test_a_fault_of_one_camera_costs_the_others_nothing(monkeypatch):
    left, right = siblings(2)
    worker = worker_of(left, right)

    def fail(_):
        raise RuntimeError('unforeseen')

    monkeypatch.setattr(left.stream.receiver, 'receive', fail)
    right.put_image(coarse_image(1), 0)
    worker.process()
    assert len(right.outputs.masks) == 1
    assert left.health.totals[STEPS_FAILED] == 1


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


def test_every_energy_measurement_is_kept(path, monkeypatch):
    """Also where the firing rate is not due in the same step."""
    clock, kept, rates = Clock(), [], []
    monkeypatch.setattr(module, 'time', clock)
    worker = worker_of(path)
    monkeypatch.setattr(path.health, 'spent', lambda mj: kept.append((clock.now_s, mj)))
    monkeypatch.setattr(path.health, 'fired', lambda rate: rates.append(clock.now_s))
    times_s = [0.0]
    for minute in (1, 2):
        # A rate just before the energy is due: it is not due again in the same step.
        times_s += [minute * ENERGY_PERIOD_S - 0.3 * RATE_PERIOD_S,
                    minute * ENERGY_PERIOD_S + 0.1 * RATE_PERIOD_S]
    for index, at_s in enumerate(times_s):
        clock.now_s = 1000.0 + at_s
        path.put_image(coarse_image(1), 50 * index)
        worker.process()
    assert [at_s for at_s, _ in kept] == [1000.0 + times_s[index] for index in (0, 2, 4)]
    assert all(mj > 0 for _, mj in kept)
    assert rates == [1000.0 + times_s[index] for index in (0, 1, 3)]


def test_energy_is_that_of_one_camera():
    """A batch of two takes twice the energy, which is that of two steps."""
    energies_mj = []
    for cameras in (siblings(1), siblings(2)):
        for path in cameras:
            path.put_image(coarse_image(1), 0)
        worker_of(*cameras).process()
        energies_mj += [path.health.report(1.0).values['energy a frame (mJ)'] for path in cameras]
    assert energies_mj == pytest.approx([energies_mj[0]] * 3)


def test_a_batch_has_the_confidence_that_any_camera_needs(monkeypatch):
    left, right = siblings(2)
    asked = []
    step_together = module.step_together
    monkeypatch.setattr(right.outputs, 'needs_confidence', lambda settings: True)
    monkeypatch.setattr(module, 'step_together', lambda steps, confidence, *given: (
        asked.append(confidence), step_together(steps, confidence, *given))[1])
    for path in (left, right):
        path.put_image(coarse_image(1), 0)
    worker_of(left, right).process()
    assert asked == [True]


def test_parameters_are_a_snapshot(path):
    worker = worker_of(path)
    first = []
    for ms in (0, 50, 100):
        path.put_image(coarse_image(5), ms)
        worker.process()
        first.append(path.outputs.masks[-1])
    assert not np.array_equal(first[0], first[1])
    worker.apply(MappingProxyType({**SETTINGS, 'keep_state': False}))
    path.put_image(coarse_image(5), 150)
    worker.process()
    np.testing.assert_array_equal(path.outputs.masks[-1], first[0])


def test_one_snapshot_serves_a_batch(path, monkeypatch):
    """A parameter that changes while the network runs changes nothing in the same batch."""
    given = []
    worker = worker_of(path)
    step_together = module.step_together

    def change_meanwhile(*arguments):
        worker.apply({**SETTINGS, 'min_confidence': 0.5})
        return step_together(*arguments)

    monkeypatch.setattr(module, 'step_together', change_meanwhile)
    monkeypatch.setattr(path.outputs, 'publish',
                        lambda step, result, settings: given.append(settings['min_confidence']))
    for ms in (0, 50):
        path.put_image(coarse_image(1), ms)
        worker.process()
    assert given == [0.0, 0.5]


def test_time_to_wait_is_that_of_the_next_complete_step():
    path = CameraPath()
    other = SimpleNamespace(receiver=SimpleNamespace(
        filled=False, receive=lambda settings: None, next_step=lambda: None, wait_s=lambda: 0.25),
        responder=None)
    worker = Worker([path.stream, other], threading.Condition(), SETTINGS, path.log)
    assert worker.process() == 0.25
