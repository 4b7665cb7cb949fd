# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of claims agrees with the results, and names the missing ones."""

import json
import subprocess

import pytest

from mfs_seg_core.analysis import isometry, profile
from mfs_seg_core.paper import ablation
from mfs_seg_core.paper.report import (
    CLAIMS,
    main,
    not_compared,
    show_comparison,
    show_profile,
)


@pytest.fixture(scope='module')
def docs(tmp_path_factory):
    """A folder with three of the results, from small runs."""
    docs = tmp_path_factory.mktemp('docs')
    results = docs / 'results'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isometry, 'SIZE', (64, 48))
        patch.setattr(isometry, 'STACK_SIZE', (6, 8))
        patch.setattr(ablation, 'SIZE', (64, 48))
        patch.setattr(ablation, 'BATCH', 2)
        assert not profile.main(['--config', 'fast', '--against', 'unet', '--data', 'street',
                                 '--frames', '1', '--size', '64', '48',
                                 '--json', str(results / 'profile.json')])
        assert not isometry.main(['--config', 'fast', '--frames', '1', '--samples', '1',
                                  '--depth', '2', '--json', str(results / 'isometry.json')])
        assert not ablation.main(['depth', '--steps', '1', '--frames', '8', '--depths', '1', '2',
                                  '--json', str(results / 'depth.json')])
    return docs


def test_page(docs):
    assert main(['--docs', str(docs)]) == 0
    page = (docs / 'reproduction.md').read_text()
    result = json.loads((docs / 'results' / 'profile.json').read_text())
    assert f'{result["ratio_parameters"]:.1f} times the parameters' in page
    assert '| encoder.2.5 |' in page and '| EFS-Res, mIoU |' in page
    assert page.count('Not measured here yet') == len(CLAIMS) - 3
    assert page.count(f'commit {result["commit"]}, data ') == 3
    assert '`mfs-seg profile --config fast --against unet' in page


def test_damaged_result(docs, capsys):
    path = docs / 'results' / 'blocks.json'
    path.write_text('{"results": {}')
    assert main(['--docs', str(docs)]) == 1
    assert 'measure it again' in capsys.readouterr().err
    path.unlink()


def figures(miou, **more):
    return {'miou': miou, 'per_image_score': 0.5, 'pixel_accuracy': 0.75, 'parameters': 1000,
            'macs': 2e6, 'acs': 3e6, 'energy_mj': 4.0, 'latency_ms': 500.0, 'epochs': 6,
            'steps': 552, 'frames': 400, 'ratio_parameters': 31.4, 'ratio_energy': 40.0, **more}


def test_quality_compared_with_unet():
    """The claim holds at U-Net's mIoU, not a tenth of a point below."""
    shown = show_comparison({
        'input_size': [240, 180], 'batch_size': 4, 'cost_frames': 5, 'models': {
            'unet': figures(0.5), 'paper': figures(0.5),
            'fast': figures(0.499, ratio_energy=811.0)}})
    assert ('`paper` is at or above U-Net (+0.0 points of mIoU) with 31 times fewer parameters and '
            '40 times less energy; `fast` is below U-Net (-0.1 points of mIoU)') in shown
    assert 'After 6 epochs (552 steps of 4 stills)' in shown
    assert 'So few epochs do not show' in shown
    assert '| `fast` | 0.499 | 0.500 | 0.750 | 1,000 | 2.0 | 3 | 4.00 | 500 |' in shown


def test_missing_comparisons_depend_on_the_results(tmp_path):
    (tmp_path / 'beside_camvid.json').touch()
    assert 'have not been measured yet on both' in not_compared(tmp_path)
    (tmp_path / 'beside_street.json').touch()
    assert 'have not been measured' not in not_compared(tmp_path)
    assert 'only the few epochs above' in not_compared(tmp_path)


def test_run_measures_nothing_on_third_party_data(tmp_path, monkeypatch):
    made = []

    def run(command, **_):
        made.append(command[-1])
        return subprocess.CompletedProcess(command, 0)
    monkeypatch.setattr('mfs_seg_core.paper.report.subprocess.run', run)
    assert main(['--run', '--docs', str(tmp_path)]) == 0
    assert str(tmp_path / 'results' / 'beside_street.json') in made
    assert len(made) == len(CLAIMS) - 1 and not any('camvid' in each for each in made)


def test_without_results_there_is_no_page(tmp_path, capsys):
    assert main(['--docs', str(tmp_path)]) == 1
    assert 'there are no results in' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_older_results_are_read():
    """They call fusion 'both'."""
    mode = {'macs': 1e6, 'acs': 2e6, 'firing_rate': 0.5, 'energy_mj': 2.0}
    shown = show_profile({
        'name': 'street', 'unet': {'parameters': 10, 'macs': 1e9, 'energy_mj': 4.0},
        'parameters': 5, 'ratio_parameters': 2.0, 'input_size': [4, 3], 'mac_pj': 4.6,
        'ac_pj': 0.9, 'stream@1, both': mode, 'stream@1, fusion': mode})
    assert shown.count('| `street`, stream@1, fusion | 5 | 1.0 | 2 | 0.500 | 2.000 | 2 |') == 2
