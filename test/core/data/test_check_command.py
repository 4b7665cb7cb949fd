# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command mfs-seg data: figures, faults and remarks, the sheet, and the example."""

import json
import re

import cv2
import numpy as np
import pytest
from support.own_data import FLOOR, SHELF, VOID, values_of, write_folder, write_label

from mfs_seg_core.data.__main__ import main
from mfs_seg_core.data.folder.dataset import LabelledFolder
from mfs_seg_core.data.folder.example import write_example
from mfs_seg_core.data.folder.settings import read_data_file

NAMES = [f'a{i}' for i in range(10)]
SPLIT = "split: {train: ['a[0-7]'], val: ['a[89]']}"


def run(capsys, *arguments):
    """Run the verb; return exit code, table, faults, remarks, and the error output."""
    code = main([str(each) for each in arguments])
    out, err = capsys.readouterr()
    lines = out.splitlines()
    faults, remarks = ([line.removeprefix(kind) for line in lines if line.startswith(kind)]
                       for kind in ('fault: ', 'remark: '))
    return code, out, faults, remarks, err


def test_good_data(tmp_path, capsys):
    path = write_folder(tmp_path, NAMES, more=SPLIT)
    code, out, faults, remarks, _ = run(capsys, path, '--json', tmp_path / 'out/figures.json',
                                        '--sheet', tmp_path / 'out/sheet.png')
    assert (code, faults, remarks) == (0, [], [])
    figures = json.loads((tmp_path / 'out/figures.json').read_text())
    pixels = np.array([[np.count_nonzero(values_of(i) == value) for value in (FLOOR, SHELF, VOID)]
                       for i in range(8)]).sum(0)
    train = figures['splits']['train']
    assert [train['pixels']['floor'], train['pixels']['shelf'], train['ignored']] == pixels.tolist()
    assert (train['images'], train['unreadable'], train['images_with']['shelf']) == (8, 0, 8)
    assert figures['splits']['val']['images'] == 2
    assert re.search(rf'0 floor +{pixels[0] / pixels.sum():.2%} +8 ', out)
    # Image, label and overlay of six frames, two in a row.
    sheet = cv2.imread(str(tmp_path / 'out/sheet.png'))
    assert sheet.shape[1] == 2 * (3 * 320 + 4 * 6)
    assert (sheet == (200, 60, 120)).all(-1).any() and (sheet == (30, 200, 10)).all(-1).any()


def test_all_faults_are_listed_at_once(tmp_path, capsys):
    path = write_folder(tmp_path, NAMES, more=SPLIT)
    for index in (2, 4):
        values = values_of(index)
        values[20, 30] = 77
        write_label(tmp_path / f'labels/a{index}.png', values)
    (tmp_path / 'images/a6.png').write_bytes(b'no image')
    write_label(tmp_path / 'labels/a9.png', values_of(9), 'colours')
    code, _, faults, _, _ = run(capsys, path, '--sheet', tmp_path / 'sheet.png')
    assert code == 1 and len(faults) == 3
    assert 'a6.png' in faults[0] and 'is damaged' in faults[0]
    assert re.match(r'train: .*labels/a2.png: pixel \(30, 20\) has the value 77, .*'
                    r'in .*classes.yaml, .* \(2 labels have it\)$', faults[1])
    assert re.match(r'val: .*a9.png holds colours', faults[2])
    # The others are drawn.
    assert (tmp_path / 'sheet.png').is_file()


def test_many_faults_are_counted(tmp_path, capsys):
    path = write_folder(tmp_path, NAMES, more=SPLIT)
    for index in range(8):
        (tmp_path / f'labels/a{index}.png').write_bytes(b'')
    code, _, faults, _, err = run(capsys, path)
    assert code == 1 and len(faults) == 6 and faults[-1] == 'train: 3 more files are wrong'
    values = np.arange(10, 22, dtype=np.uint8).repeat(256).reshape(48, 64)
    write_label(tmp_path / 'labels/a8.png', values)
    assert 'val: 7 more values are wrong' in run(capsys, path)[2]


def test_unintended_properties_are_remarked_on(tmp_path, capsys):
    path = write_folder(tmp_path, NAMES, more=SPLIT, unlabelled=('a7',))
    (tmp_path / 'images/a8.png').write_bytes((tmp_path / 'images/a1.png').read_bytes())
    write_label(tmp_path / 'labels/z.png', values_of(0))
    for index in range(7):
        values = values_of(index)
        values[:] = VOID
        values[0, :2] = SHELF
        write_label(tmp_path / f'labels/a{index}.png', values)
    wide = np.zeros((48, 128, 3), np.uint8)
    cv2.imwrite(str(tmp_path / 'images/a9.png'), wide)
    write_label(tmp_path / 'labels/a9.png', values_of(9, (128, 48)))
    path.write_text(path.read_text().replace('[64, 48]', '[96, 48]'))
    code, _, faults, remarks, _ = run(capsys, path)
    assert code == 0 and not faults
    for text in (r'train: 1 of 8 images have no label, such as .*a7.png: they are not used',
                 r'train: 1 labels have no image, such as .*z.png',
                 r'train: 100% of the pixels are ignored',
                 r'val: images differ in size: 64x48 \(1\), 128x48 \(1\)',
                 r"no pixel of split 'train' has the class floor: it cannot be learned",
                 r'1 images are in both splits, such as .*a1.png and .*a8.png',
                 r'size is 96x48, .*set size, for example to \[64, 48\]'):
        assert any(re.match(text, remark) for remark in remarks), (text, remarks)


def test_rare_and_unseen_classes(tmp_path, capsys):
    path = write_folder(tmp_path, NAMES, more=SPLIT)
    for index in range(10):
        values = np.full((48, 64), FLOOR, np.uint8)
        values[0, 0] = SHELF if index < 8 else FLOOR
        write_label(tmp_path / f'labels/a{index}.png', values)
    remarks = run(capsys, path)[3]
    assert remarks == [
        'fewer than 0.1% of the pixels have the class shelf: expect a low IoU',
        "no pixel of split 'val' has the class shelf: its IoU is not measured"]


def test_recordings(tmp_path, capsys):
    order = "sequences: {names: '{recording}_{frame}', rate_hz: 10.0}"
    path = write_folder(tmp_path, ['a_1', 'a_2', 'a_4', 'b_1'], more=f'{order}, split: 0.5')
    code, out, *_ = run(capsys, path)
    assert code == 0
    assert re.search(r'recordings +1 +2\n', out)
    assert re.search(r'seconds from image to image +0.1 +-\n', out), out


def test_data_without_a_split(tmp_path, capsys):
    path = write_folder(tmp_path, NAMES)
    code, out, faults, _, _ = run(capsys, path)
    assert code == 1 and 'all: pixels' in out
    assert faults == ['there is no split to train on: add for example "split: 0.2", to validate on '
                      'a fifth of the frames']


@pytest.mark.parametrize('arguments, message', [
    (('nowhere.yaml',), 'nowhere.yaml cannot be read as YAML: No such file'),
    (('FILE', '--root', 'nowhere'), 'nowhere is no folder'),
    (('FILE', '--sheet', 'sheet.doc'), "'sheet.doc' is not a kind of image"),
    (('--example', 'FOLDER'), 'has files already: name a new folder')])
def test_wrong_command_lines(tmp_path, capsys, arguments, message):
    path = write_folder(tmp_path, NAMES, more=SPLIT)
    names = {'FILE': path, 'FOLDER': tmp_path}
    code, *_, err = run(capsys, *(names.get(each, each) for each in arguments))
    assert code == 1 and message in err and len(err.splitlines()) == 1


def test_example(tmp_path, capsys):
    path = write_example(tmp_path / 'example', (2, 1))
    assert path == tmp_path / 'example/train.yaml'
    described = read_data_file(tmp_path / 'example/train.yaml')
    folder = LabelledFolder(described.root, described.settings, 'train')
    assert len(folder.recordings) == 2 and len(folder) == 8
    assert folder.classes.names[0] == 'drivable'
    # Road at the bottom, no class for the sky.
    label = folder[0][1]
    assert (label[-1] == 0).mean() > 0.3 and (label == 255).any()
    assert run(capsys, path)[0] == 0
