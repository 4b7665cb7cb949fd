# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Declared parameters, and their packaged files."""

import pytest
import yaml
from support.paths import CONFIG

from mfs_seg_ros.node.parameters import SEGMENTER, chosen_sensors, chosen_trigger

DEFAULTS = {setting.name: setting.default for setting in SEGMENTER}


def parameters_of(name: str) -> dict:
    """Return the parameters in a packaged file."""
    return yaml.safe_load((CONFIG / name).read_text())['/**']['ros__parameters']


def test_parameter_file_holds_every_parameter_at_its_default():
    given = parameters_of('segment.yaml')
    assert given == DEFAULTS
    assert {name: type(value) for name, value in given.items()} == {
        name: type(value) for name, value in DEFAULTS.items()}


@pytest.mark.parametrize('sensors, trigger', [('events', 'events'), ('fusion', 'both')])
def test_parameter_files_of_events_differ_in_sensors_and_trigger(sensors, trigger):
    given = parameters_of(f'segment_{sensors}.yaml')
    assert {name: value for name, value in given.items() if DEFAULTS[name] != value} == {
        'sensors': sensors, 'trigger': trigger}


CAMERA, EVENTS = 'camera', 'events'


@pytest.mark.parametrize('sensors, available, chosen', [
    ('camera', (CAMERA,), (CAMERA,)), ('camera', (CAMERA, EVENTS), (CAMERA,)),
    ('events', (CAMERA, EVENTS), (EVENTS,)),
    ('fusion', (CAMERA, EVENTS), (CAMERA, EVENTS)), ('events', (EVENTS,), (EVENTS,))])
def test_sensors_are_a_selection_of_those_of_the_weights(sensors, available, chosen):
    assert chosen_sensors(sensors, available) == chosen


@pytest.mark.parametrize('sensors, available, sentence', [
    ('radar', (CAMERA,), "'sensors' must be one of camera, events, fusion, not 'radar'"),
    ('', (CAMERA, EVENTS), "'sensors' must be one of camera, events, fusion, not ''"),
    ('fusion', (CAMERA,), "'fusion' needs weights that take camera and events: these take camera"),
    ('camera', (EVENTS,), "'camera' needs weights that take camera: these take events only; set "
                          "the parameter 'sensors' to 'events', or choose other weights")])
def test_invalid_sensors_raise_one_sentence(sensors, available, sentence):
    with pytest.raises(ValueError, match=sentence):
        chosen_sensors(sensors, available)


@pytest.mark.parametrize('trigger, sensors, chosen', [
    ('', (CAMERA,), 'image'), ('', (EVENTS,), 'events'), ('', (CAMERA, EVENTS), 'both'),
    ('image', (CAMERA, EVENTS), 'image'), ('events', (CAMERA, EVENTS), 'events'),
    ('both', (CAMERA, EVENTS), 'both'), ('image', (CAMERA,), 'image')])
def test_default_trigger_follows_from_the_sensors(trigger, sensors, chosen):
    assert chosen_trigger(trigger, sensors) == chosen


@pytest.mark.parametrize('trigger, sensors, sentence', [
    ('sometimes', (CAMERA, EVENTS), 'must be one of image, events, both, or empty, not'),
    ('events', (CAMERA,), "needs events: the parameter 'sensors' selects camera only"),
    ('image', (EVENTS,), "needs camera: the parameter 'sensors' selects events only"),
    ('both', (CAMERA,), "needs camera and events: the parameter 'sensors' selects camera only")])
def test_invalid_triggers_raise_one_sentence(trigger, sensors, sentence):
    with pytest.raises(ValueError, match=sentence):
        chosen_trigger(trigger, sensors)
