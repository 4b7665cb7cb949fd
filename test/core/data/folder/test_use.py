# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Own data from a YAML file alone: trained, evaluated, and used as sequences."""

import json
import re

import numpy as np
import pytest
from support.own_data import write_folder
from torch.utils.data import DataLoader

from mfs_seg_core.data.clips.factory import open_clips
from mfs_seg_core.data.clips.folder import FolderClips
from mfs_seg_core.data.clips.stills import StillClips
from mfs_seg_core.data.folder.dataset import LabelledFolder
from mfs_seg_core.data.folder.settings import read_data_file
from mfs_seg_core.data.sequences import folder_sequences
from mfs_seg_core.evaluate.__main__ import main as evaluate
from mfs_seg_core.evaluate.modes import evaluate as measure
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.train.__main__ import main as train
from mfs_seg_core.train.__main__ import sentence
from mfs_seg_core.train.settings import check, read_settings
from mfs_seg_core.weights.file import load_weights

# Lightning warns of small runs.
pytestmark = pytest.mark.filterwarnings('ignore:::lightning')
ORDER = "sequences: {names: '{recording}_{frame}', rate_hz: 10.0}"
FRAMES = [f'{drive}_{number}' for drive in 'abcd' for number in range(4)]
SPLIT = "split: {train: ['[abc]_*'], val: ['d_*']}"
MORE = ('start: street\nworkers: 0\nepochs: 3\nvalidate_every: 3\nbatch_size: 2\nlength: 2\n'
        'learning_rate: 3e-3\nnotes: {licence: none, data: made}\n')


def sequences(path, split):
    described = read_data_file(path)
    return folder_sequences(LabelledFolder(described.root, described.settings, split))


@pytest.fixture(scope='module')
def own(tmp_path_factory):
    """Write recordings, train on them, and return the folder."""
    folder = tmp_path_factory.mktemp('own')
    path = write_folder(folder, FRAMES, 'palette', more=f'{ORDER}, {SPLIT}')
    path.write_text(path.read_text() + MORE)
    assert train(['--config', str(path), '--output', str(folder / 'runs')]) == 0
    return folder


def test_own_classes_are_learned_from_shipped_weights(own, capsys):
    weights, figures = own / 'runs/own/own.safetensors', own / 'figures.json'
    _, metadata = load_weights(weights)
    assert metadata.classes.names == ('floor', 'shelf')
    assert metadata.classes.palette.tolist() == [[120, 60, 200], [10, 200, 30]]
    assert evaluate(['--weights', str(weights), '--data', str(own / 'own.yaml'),
                     '--json', str(figures)]) == 0
    result = json.loads(figures.read_text())
    assert (result['split'], result['frames']) == ('val', 4)
    assert min(result['stream@1']['iou'].values()) > 0.7
    assert 'shelf' in capsys.readouterr().out


def test_all_frames_and_another_split(own, tmp_path):
    weights = str(own / 'runs/own/own.safetensors')
    for split, frames in (('train', 12), ('all', 16)):
        assert evaluate(['--weights', weights, '--data', str(own / 'own.yaml'), '--split', split,
                         '--mode', 'reset', '--json', str(tmp_path / 'f.json')]) == 0
        assert json.loads((tmp_path / 'f.json').read_text())['frames'] == frames


@pytest.mark.parametrize('arguments, message', [
    (('--weights', 'street', '--data', 'OWN'), 'the weights have the classes Sky, .*, the data '
                                               'floor, shelf: name weights'),
    (('--weights', 'street', '--data', 'kitti'), "--data is 'kitti': name camvid, street, or"),
    (('--weights', 'street', '--data', 'OWN', '--split', 'test'), "no split 'test': choose from"),
    (('--weights', 'street', '--data', 'no.yaml'), 'no.yaml cannot be read')])
def test_wrong_command_lines(own, capsys, arguments, message):
    own_file = str(own / 'own.yaml')
    assert evaluate([own_file if each == 'OWN' else each for each in arguments]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert re.search(message, error), error


def test_sequences_have_times_and_unlabelled_frames(tmp_path):
    path = write_folder(tmp_path, ['a_0', 'a_1', 'a_3', 'b_0', 'b_1'], more=ORDER,
                        unlabelled=('a_0', 'a_3', 'b_0', 'b_1'))
    # Frames after the last label of a recording, and recordings without one, are left out.
    drive, = sequences(path, 'all')
    frames = list(drive)
    assert [step_s for _, _, step_s in frames] == [None, 0.1]
    assert frames[0][1] is None and frames[1][1].shape == (48, 64)


def test_stills_are_sequences_of_their_own(tmp_path):
    path = write_folder(tmp_path, ['a', 'b', 'c'], unlabelled=('b',))
    drives = [list(drive) for drive in sequences(path, 'all')]
    assert [len(drive) for drive in drives] == [1, 1]


def test_unlabelled_frames_advance_the_state_and_are_not_scored(own):
    segmenter = Segmenter.from_weights(own / 'runs/own/own.safetensors')
    described = read_data_file(own / 'own.yaml')
    folder = LabelledFolder(described.root, described.settings, 'val')
    whole = [list(drive) for drive in folder_sequences(folder)]
    hidden = [[(image, None if i < 3 else label, step_s)
               for i, (image, label, step_s) in enumerate(drive)] for drive in whole]
    alone = [drive[3:] for drive in whole]
    results = measure(segmenter, hidden, ['reset', 'stream'])
    assert [each['frames'] for each in results.values()] == [1, 1]
    streamed = segmenter.sibling()
    for image, _, step_s in whole[0]:
        mask = streamed.step(image, step_s).mask
    truth = whole[0][3][1]
    right = (mask == truth)[truth != 255].mean()
    assert results['stream@1']['pixel_accuracy'] == pytest.approx(right)
    assert results['reset@1'] == measure(segmenter, alone, ['reset'])['reset@1']


def test_clips_of_stills_and_of_recordings(tmp_path):
    path = write_folder(tmp_path, FRAMES, more=f'{ORDER}, {SPLIT}')
    training, validation = open_clips(read_settings(str(path), ['length=2', 'frames=2']), 0.05)
    assert isinstance(training, FolderClips) and (training.length, len(training)) == (2, 6)
    assert len(validation) == 4 and validation[0].images.shape == (4, 48, 64, 3)
    path.write_text(path.read_text().replace(ORDER, f'{ORDER}, stills: true'))
    training, validation = open_clips(read_settings(str(path), ['frames=2']), 0.05)
    assert isinstance(training, StillClips) and (len(training), len(validation)) == (12, 4)
    assert np.array_equal(*training[0].images)


def test_errors_of_loading_processes_are_one_sentence(tmp_path):
    path = write_folder(tmp_path, ['a'])
    described = read_data_file(path)
    clips = StillClips(LabelledFolder(described.root, described.settings, 'all'), 1, 0.05)
    (tmp_path / 'labels/a.png').write_bytes(b'')
    with pytest.raises(ValueError, match='Traceback') as raised:
        next(iter(DataLoader(clips, num_workers=1)))
    assert sentence(raised.value) == (
        f'{tmp_path}/labels/a.png is damaged, or no image: fetch or save it again')
    assert sentence(ValueError('train: a sentence')) == 'train: a sentence'


def test_settings_of_own_data_are_checked_before_training(tmp_path):
    path = write_folder(tmp_path, ['a'], more='splits: 0.2')
    with pytest.raises(ValueError, match="data: unknown setting 'splits': choose from type"):
        check(read_settings(str(path), []))
    path = write_folder(tmp_path, ['a'])
    with pytest.raises(ValueError, match='train_split must be the name of a split'):
        check(read_settings(str(path), ['train_split=[a]']))
