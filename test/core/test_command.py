# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command mfs-seg, its verbs, and their former names."""

import runpy
import subprocess
import sys

import pytest
from support.paths import REPOSITORY

from mfs_seg_core.__main__ import VERBS, main

# Verbs by the name NAME of `python -m mfs_seg_core.NAME`.
FORMER_NAMES = {'ablation': 'ablation', 'beside': 'compare', 'benchmark': 'benchmark',
                'evaluate': 'evaluate', 'events': 'events', 'isometry': 'isometry',
                'legend': 'legend', 'profile': 'profile', 'reproduce': 'report', 'train': 'train',
                'visualize': 'visualize'}


def help_of(run, capsys):
    """Return the help that a call prints before it exits."""
    with pytest.raises(SystemExit) as exited:
        run()
    assert exited.value.code == 0
    return capsys.readouterr().out


def test_help_lists_every_verb_with_a_line(capsys):
    for option in ('-h', '--help'):
        assert main([option]) == 0
        lines = capsys.readouterr().out.splitlines()
        described = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines
                     if line.startswith('  ')}
        assert list(described) == list(VERBS)
        assert all(text.endswith('.') for text in described.values())
        assert max(map(len, lines)) < 100


@pytest.mark.parametrize('verb', VERBS)
def test_every_verb_has_help(verb, capsys):
    text = help_of(lambda: main([verb, '--help']), capsys)
    assert text.startswith(f'usage: mfs-seg {verb} ')


@pytest.mark.parametrize('arguments, message', [
    (['dance'], "unknown verb 'dance': choose from train, "), ([], 'a verb is missing: choose')])
def test_unknown_verbs(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_output_that_nobody_reads():
    """As with `| head`: no traceback, and the exit code that the signal SIGPIPE gives."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'mfs_seg_core', 'events', '--formats'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b''
    assert process.wait() == 141


@pytest.mark.parametrize('name, verb', FORMER_NAMES.items())
def test_former_names(name, verb, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', [name, '--help'])
    # By path: runpy warns of modules that are imported already.
    path = REPOSITORY / 'mfs_seg_core' / name
    path = path / '__main__.py' if path.is_dir() else path.with_suffix('.py')
    text = help_of(lambda: runpy.run_path(str(path), run_name='__main__'), capsys)
    assert text.startswith(f'usage: mfs-seg {verb} ')


def test_processes():
    """The command and a former name, as a user starts them."""
    for module, verb in (('mfs_seg_core', ['profile']), ('mfs_seg_core.profile', [])):
        done = subprocess.run([sys.executable, '-m', module, *verb, '--config', 'slow', '--data',
                               'street'], capture_output=True, text=True, timeout=60,
                              cwd=REPOSITORY)
        assert done.returncode == 1 and 'no configuration' in done.stderr
