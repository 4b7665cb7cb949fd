# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The examples of the Python interface run; test/ros has those of nodes."""

from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import cv2
import numpy as np
import pytest
from support.paths import REPOSITORY

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.labels import CAMVID

EXAMPLES = REPOSITORY / 'examples'
SECONDS = 0.2
MAX_LINES = 60


def example(name: str) -> ModuleType:
    spec = spec_from_file_location(name, EXAMPLES / f'{name}.py')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp('street')
    module = example('street_recording')
    module.main(folder, SECONDS)
    # Once more, as after another tutorial.
    module.main(folder, SECONDS)
    return folder


def test_a_video_is_segmented(recordings, tmp_path):
    example('segment_video').main(str(recordings / 'drive.mp4'), tmp_path)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        f'{index:04}.png' for index in range(4)]
    assert cv2.imread(str(tmp_path / '0003.png')).shape == (240, 320, 3)


@pytest.mark.parametrize('name', ['drive.raw', 'drive'])
def test_events_are_segmented(recordings, tmp_path, name):
    example('segment_events').main(str(recordings / name), tmp_path)
    masks = sorted(tmp_path.iterdir())
    # The events are those of the intervals between four frames.
    assert len(masks) == 2
    assert int(masks[1].stem) - int(masks[0].stem) == 50_000
    assert len({tuple(pixel) for row in cv2.imread(str(masks[1])) for pixel in row}) > 3


def test_several_cameras_share_a_network(capsys):
    module = example('several_cameras')
    module.FRAMES = 2
    module.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.count('%') for line in lines] == [3, 3]


def test_a_saved_state_continues_the_stream(tmp_path, capsys):
    module = example('save_state')
    module.FRAMES = 2
    module.main(str(tmp_path / 'state.npz'))
    assert 'same mask in 100% of pixels' in capsys.readouterr().out


def test_labelled_points_have_the_colours_of_the_groups(tmp_path):
    path = tmp_path / 'points.png'
    example('labelled_points').main(path)
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert image.shape == (240, 960, 3)
    colours = {tuple(colour) for colour in load_groups('drivable', CAMVID).classes.palette.tolist()}
    drawn = {tuple(colour) for colour in np.unique(image[:, 640:].reshape(-1, 3), axis=0).tolist()}
    # The sky has no points, and the rest is the background.
    assert drawn - {(24, 24, 24)} <= colours - {(70, 130, 180)} and len(drawn) >= 5


def test_examples_are_short_and_listed():
    page = (EXAMPLES / 'README.md').read_text(encoding='utf-8')
    for path in EXAMPLES.glob('*.py'):
        assert f'examples/{path.name}' in page
        lines = [line.strip() for line in path.read_text(encoding='utf-8').splitlines()]
        code = [line for line in lines if line and not line.startswith('#')]
        assert len(code) <= MAX_LINES, path
