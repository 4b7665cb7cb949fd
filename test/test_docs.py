# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The documentation builds, its links resolve, and its commands, topics and tables are real."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from importlib import import_module
from importlib.metadata import metadata
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.doc_commands import (
    PAGES,
    SPAN,
    DocRule,
    all_commands,
    commands_of,
    read_rules,
    rule_of,
    without_fences,
)
from support.paths import REPOSITORY

from mfs_seg_core.__main__ import main as run_verb
from mfs_seg_ros.diagnostics.drops import ADVICE
from mfs_seg_ros.diagnostics.health import Health, Limits
from mfs_seg_ros.diagnostics.status import process_facts
from mfs_seg_ros.node import parameter_table
from mfs_seg_ros.node.parameters import SEGMENTER

DOCS = REPOSITORY / 'docs'
LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')
HEADING = re.compile(r'^#+ (.*)$', re.MULTILINE)
SCRIPTS = {'scripts/demo.sh': 'mfs_seg_ros.demo', 'scripts/soak.sh': 'mfs_seg_ros.soak'}
RULES = read_rules()
COMMANDS = [command.text for command in all_commands()]
# As check_docs.sh runs them: with samples in place of placeholders.
RUN = [text if (rule := rule_of(text, RULES)).skip else rule.apply(text) for text in COMMANDS]


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r'^(?: {4}.*)$', '', without_fences(text), flags=re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub forms them."""
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
            for heading in HEADING.findall(prose(text))}


@pytest.mark.parametrize('path', PAGES, ids=name)
def test_links_resolve(path):
    text = path.read_text(encoding='utf-8')
    broken = []
    for link in LINK.findall(prose(text)):
        if re.match(r'\w+:', link):
            continue
        file, _, anchor = link.partition('#')
        target = path.parent / file if file else path
        if not target.exists() or anchor and anchor not in anchors(
                target.read_text(encoding='utf-8')):
            broken.append(link)
    assert not broken


class Parsed(Exception):
    """The command line of a command is valid."""


@pytest.fixture
def parsing(monkeypatch):
    """Let commands end where their command line was parsed."""
    parse = argparse.ArgumentParser.parse_args

    def parse_only(self, args=None, namespace=None):
        parse(self, args, namespace)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_only)


def test_the_pages_name_commands():
    assert len(COMMANDS) > 100
    assert any(command.startswith('python -m mfs_seg_ros.') for command in COMMANDS)
    assert all((REPOSITORY / page).exists() for page in (
        'docs/tutorials/camera.md', 'examples/README.md'))


@pytest.mark.parametrize('command', [line for line in RUN if line.startswith('mfs-seg ')])
def test_verbs_and_their_options_exist(command, parsing, capsys):
    words = shlex.split(command)[1:]
    if words[0] in ('VERB', '--help'):
        return
    with pytest.raises(Parsed):
        run_verb(words)


@pytest.mark.parametrize('command', [
    line for line in RUN if line.startswith(('python -m', *SCRIPTS))])
def test_modules_and_their_options_exist(command, parsing, capsys):
    first, *words = shlex.split(command)
    module = SCRIPTS[first] if first in SCRIPTS else words.pop(1)
    words = [word for word in words if word != '-m']
    if not module.startswith('mfs_seg_') or module == 'mfs_seg_core.NAME':
        return
    assert (spec := find_spec(module)), module
    name = f'{module}.__main__' if spec.submodule_search_locations else module
    with pytest.raises(Parsed):
        import_module(name).main(words)


def test_paths_in_commands_exist():
    missing = {word for command in COMMANDS for word in shlex.split(command)
               if re.match(r'(config|test|scripts|docs|examples)/', word) and 'NAME' not in word
               and not (REPOSITORY / word).exists()}
    assert not missing


def test_extras_in_commands_exist():
    named = {extra for command in COMMANDS for extras in re.findall(r'"\.\[(.*?)\]"', command)
             for extra in extras.split(',')}
    assert {'data', 'train'} <= named <= set(metadata('mfs_seg_ros').get_all('Provides-Extra'))


def test_each_rule_applies_to_a_command():
    used = {rule_of(text, RULES) for text in COMMANDS}
    assert [rule.match for rule in RULES if rule not in used] == []


def test_commands_are_found_wherever_they_stand(tmp_path, monkeypatch):
    monkeypatch.setattr('support.doc_commands.REPOSITORY', tmp_path)
    page = tmp_path / 'page.md'
    page.write_text('The command `mfs-seg\nevents FILE` of `mfs-seg events`:\n\n'
                    '    mfs-seg events a.raw \\\n        --json b   # to a file\n\n'
                    '```sh\nscripts/demo.sh\n```\n\n```text\nno command\n```\n')
    assert [command.text for command in commands_of(page)] == [
        'mfs-seg events FILE', 'mfs-seg events a.raw --json b', 'scripts/demo.sh']
    page.write_text('Output:\n\n    frobnicate --all\n')
    with pytest.raises(ValueError, match="'frobnicate --all' is no command"):
        commands_of(page)


def test_a_placeholder_needs_a_rule():
    with pytest.raises(ValueError, match="placeholder 'FILE': add a rule"):
        rule_of('mfs-seg events FILE', [])
    rule = DocRule('events', replace={'FILE': 'a.raw'}, add='--json b')
    assert rule_of('mfs-seg events FILE', [rule]).apply('mfs-seg events FILE') == (
        'mfs-seg events a.raw --json b')


def test_names_in_python_examples_exist():
    for path in PAGES:
        for block in re.findall(r'^```python\n(.*?)^```$', path.read_text(encoding='utf-8'),
                                re.MULTILINE | re.DOTALL):
            compile(block, str(path), 'exec')
            for module, names in re.findall(r'^from (\S+) import (.*)$', block, re.MULTILINE):
                for each in names.split(', '):
                    assert hasattr(import_module(module), each), (path, each)


def test_the_parameter_table_is_that_of_the_declarations(tmp_path, capsys):
    text = (DOCS / 'node.md').read_text(encoding='utf-8')
    table = parameter_table.table_of(SEGMENTER)
    assert parameter_table.replaced(text, table) == text, (
        'run python -m mfs_seg_ros.node.parameter_table --write')
    assert parameter_table.main([]) == 0
    assert capsys.readouterr().out == table + '\n'
    copy = tmp_path / 'node.md'
    copy.write_text(text.replace(table, 'old'), encoding='utf-8')
    assert parameter_table.main(['--write', str(copy)]) == 0
    assert copy.read_text(encoding='utf-8') == text


def test_a_document_without_a_place_for_the_table_is_refused(tmp_path, capsys):
    copy = tmp_path / 'node.md'
    copy.write_text('# Node\n', encoding='utf-8')
    assert parameter_table.main(['--write', str(copy)]) == 1
    assert 'is not marked' in capsys.readouterr().err


def topics(text: str, first: str, last: str) -> set[str]:
    """Return the topics in the first cells of the tables between two headings."""
    section = text[text.index(first):text.index(last)]
    return {topic for row in re.findall(r'^\| (`[~/].*?) \|', section, re.MULTILINE)
            for topic in SPAN.findall(row)}


def test_the_topics_and_services_are_those_of_the_node():
    """They are those of the security policy, which test_interface.py compares with a node."""
    policy = ElementTree.parse(REPOSITORY / 'config/security_policy.xml')
    subscribed, published, services = (
        {topic.text for topic in policy.iterfind(f'.//{path}')}
        for path in ('topics[@subscribe]/topic', 'topics[@publish]/topic', 'services/service'))
    published -= {'~/transition_event', '/rosout', '/parameter_events'}
    text = (DOCS / 'node.md').read_text(encoding='utf-8')
    assert topics(text, '### Subscribed topics', '### Published topics') == subscribed - {'/clock'}
    assert topics(text, '### Published topics', '### Legend') == published
    assert topics(text, '## Services', '## Steps') <= services
    quick = (REPOSITORY / 'README.md').read_text(encoding='utf-8')
    assert topics(quick, '## The node', '## Python') <= subscribed | published


def test_every_diagnostic_key_is_described():
    text = (DOCS / 'operation.md').read_text(encoding='utf-8')
    described = set(SPAN.findall(text[text.index('## Diagnostics'):]))
    keys = Health(('image', 'events'), 4, Limits(), 0.0).report(1.0).values.keys()
    described |= {f'{name}: {cause}' for name in ('lost', 'lost since the last report')
                  for cause in ADVICE if cause in described}
    described |= {f'resets: {cause}' for cause in described}
    assert {*keys, *process_facts(0.0)} <= described


def test_every_folder_is_described():
    text = (DOCS / 'architecture.md').read_text(encoding='utf-8')
    for package in ('mfs_seg_core', 'mfs_seg_ros'):
        for file in (REPOSITORY / package).glob('*/__init__.py'):
            assert f'| `{file.parent.name}` |' in text, file.parent


def test_the_pages_build_without_warnings(tmp_path):
    for name in ('sphinx', 'furo', 'myst_parser'):
        pytest.importorskip(name, reason=f'{name} is not installed: the pages were not built')
    done = subprocess.run(
        [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-b', 'html', '-d',
         str(tmp_path / 'doctrees'), str(DOCS), str(tmp_path / 'html')],
        cwd=REPOSITORY, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    pages = {str(path.relative_to(tmp_path / 'html')) for path in tmp_path.rglob('*.html')}
    assert {f'{path.stem}.html' for path in DOCS.glob('*.md')} <= pages
    api = (tmp_path / 'html/api/streaming.html').read_text(encoding='utf-8')
    assert 'mfs_seg_core.streaming.segmenter.Segmenter.step' in api
