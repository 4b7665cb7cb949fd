# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CamVid folders as people have them, read by ``mfs-seg evaluate``."""

from __future__ import annotations

import json

import cv2
import pytest
from support.camvid_tree import write_camvid
from support.untrained import metadata_of, untrained

from mfs_seg_core.evaluate.__main__ import main
from mfs_seg_core.weights.file import save_weights

LISTS = {
    'as_published': lambda line, root: line,
    'byte_order_mark': lambda line, root: '\ufeff' + line,
    'windows_line_ends': lambda line, root: line + '\r',
    'absolute_paths': lambda line, root: ' '.join(str(root / name) for name in line.split()),
    'paths_of_another_computer': lambda line, root: ' '.join(
        f'/SegNet/CamVid/{name}' for name in line.split()),
    'names_alone': lambda line, root: line.split()[0],
    'commas': lambda line, root: line.replace(' ', ','),
}


@pytest.fixture(scope='module')
def evaluate(tmp_path_factory):
    """Return a function that evaluates untrained weights on a folder."""
    network = untrained('fast')
    weights = tmp_path_factory.mktemp('weights') / 'w.safetensors'
    save_weights(weights, network, metadata_of(network))

    def run(root) -> dict:
        output = root / 'result.json'
        assert main(['--weights', str(weights), '--data', 'camvid', '--root', str(root), '--split',
                     'val', '--mode', 'reset', '--json', str(output)]) == 0
        return json.loads(output.read_text())

    return run


@pytest.mark.parametrize('name', LISTS)
def test_list(name, tmp_path, evaluate):
    root = write_camvid(tmp_path / 'Cam Vid', 'val', 2)
    expected = evaluate(root)
    lines = (root / 'val.txt').read_text().splitlines()
    (root / 'val.txt').write_text('\n'.join(LISTS[name](line, root) for line in lines) + '\n')
    found = evaluate(root)
    assert found['frames'] == 2 and found['reset@1'] == expected['reset@1']


def test_void_of_255(tmp_path, evaluate):
    root = write_camvid(tmp_path / 'camvid', 'val', 2)
    expected = evaluate(root)
    for path in (root / 'valannot').iterdir():
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        label[label == 11] = 255
        cv2.imwrite(str(path), label)
    assert evaluate(root)['reset@1'] == expected['reset@1']
