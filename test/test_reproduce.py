# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of claims says what the results say, and what is missing."""

import json

import numpy as np
import pytest

from mfs_seg_core import ablation, isometry, profile
from mfs_seg_core.provenance import DataHash, provenance
from mfs_seg_core.reproduce import CLAIMS, main


@pytest.fixture(scope='module')
def docs(tmp_path_factory):
    """A folder with three of the results, of tiny runs."""
    docs = tmp_path_factory.mktemp('docs')
    results = docs / 'results'
    assert not profile.main(['--config', 'fast', '--against', 'unet', '--data', 'street',
                             '--frames', '1', '--json', str(results / 'profile.json')])
    assert not isometry.main(['--config', 'fast', '--frames', '1', '--samples', '1', '--depth', '2',
                              '--json', str(results / 'isometry.json')])
    assert not ablation.main(['depth', '--steps', '1', '--frames', '32', '--depths', '1', '2',
                              '--json', str(results / 'depth.json')])
    return docs


def test_page(docs):
    assert main(['--docs', str(docs)]) == 0
    page = (docs / 'reproduction.md').read_text()
    result = json.loads((docs / 'results' / 'profile.json').read_text())
    assert f'{result["ratio_parameters"]:.1f} times fewer parameters' in page
    assert '| encoder.2.5 |' in page and '| EFS-Res, mIoU |' in page
    assert page.count('Not measured here yet') == len(CLAIMS) - 3
    assert page.count(f'commit {result["commit"]}, data ') == 3
    assert '`python -m mfs_seg_core.profile --config fast --against unet' in page


def test_damaged_result(docs, capsys):
    path = docs / 'results' / 'blocks.json'
    path.write_text('{"results": {}')
    assert main(['--docs', str(docs)]) == 1
    assert 'measure it again' in capsys.readouterr().err
    path.unlink()


def test_same_data_same_hash():
    hashes = []
    for value in (1, 1, 2):
        data = DataHash()
        data.add(np.full((2, 3), value)[:, ::2])
        hashes.append(provenance('m', ['--a', 'b c'], data))
    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[0]['command'] == "python -m m --a 'b c'"
