# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The documentation builds, its links resolve, and its commands, topics and tables are real."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.paths import REPOSITORY

from mfs_seg_core.__main__ import VERBS
from mfs_seg_ros.diagnostics.drops import ADVICE
from mfs_seg_ros.diagnostics.health import Health, Limits
from mfs_seg_ros.diagnostics.status import process_facts
from mfs_seg_ros.node import parameter_table
from mfs_seg_ros.node.parameters import SEGMENTER

DOCS = REPOSITORY / 'docs'
CARDS = sorted((REPOSITORY / 'mfs_seg_core/weights/pretrained').glob('*.md'))
# Written by a command, which has tests of its own.
GENERATED = DOCS / 'reproduction.md'
PAGES = [REPOSITORY / 'README.md', REPOSITORY / 'CONTRIBUTING.md', *sorted(DOCS.glob('*.md')),
         *CARDS]
LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')
HEADING = re.compile(r'^#+ (.*)$', re.MULTILINE)
FENCE = re.compile(r'^```.*?^```$', re.MULTILINE | re.DOTALL)
CODE = re.compile(r'`([^`\n]+)`')
COMMAND = re.compile(r'(?:mfs-seg|python -m|scripts/\w+\.sh)(?= |$)')
SCRIPTS = {'scripts/demo.sh': 'mfs_seg_ros.demo', 'scripts/soak.sh': 'mfs_seg_ros.soak'}


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r'^(?: {4}.*)$', '', FENCE.sub('', text), flags=re.MULTILINE)


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


def commands() -> list[str]:
    """Return the commands of this package that the pages name, without duplicates."""
    found = set()
    for path in PAGES:
        if path == GENERATED:
            continue
        text = path.read_text(encoding='utf-8')
        lines = re.findall(r'^ {4}(.*)$', text.replace('\\\n', ' '), re.MULTILINE)
        lines += [line for block in FENCE.findall(text) for line in block.splitlines()]
        lines += CODE.findall(FENCE.sub('', text))
        found |= {line.split('  #')[0].strip() for line in lines if COMMAND.match(line)}
    return sorted(found)


COMMANDS = commands()


def help_of(module: str, arguments: list[str], capsys) -> str:
    """Return the help of the command of a module."""
    with pytest.raises(SystemExit) as end:
        import_module(module).main([*arguments, '--help'])
    assert end.value.code == 0
    return capsys.readouterr().out


def options_of(words: list[str]) -> list[str]:
    return [word.partition('=')[0] for word in words if re.match(r'--?[a-z]', word)]


def test_the_pages_name_commands():
    assert len(COMMANDS) > 30
    assert any(command.startswith('python -m mfs_seg_ros.') for command in COMMANDS)


@pytest.mark.parametrize('command', [line for line in COMMANDS if line.startswith('mfs-seg')])
def test_verbs_and_their_options_exist(command, capsys):
    _, verb, *words = shlex.split(command) if ' ' in command else [command, '--help']
    if verb in ('VERB', '--help'):
        return
    # Only `benchmark` has verbs of its own.
    inner = words[:1] if verb == 'benchmark' else []
    text = help_of(VERBS[verb][0], inner, capsys)
    assert [option for option in options_of(words) if not re.search(rf'{option}\b', text)] == []


@pytest.mark.parametrize('command', [
    line for line in COMMANDS if line.startswith(('python -m', *SCRIPTS))])
def test_modules_and_their_options_exist(command, capsys):
    first, *words = shlex.split(command)
    module = SCRIPTS[first] if first in SCRIPTS else words.pop(1)
    if module == 'pytest':
        assert all((REPOSITORY / word).exists() for word in words[1:] if '/' in word)
        return
    assert find_spec(module), module
    if options := options_of([word for word in words if word != '-m']):
        text = help_of(module, [], capsys)
        assert [option for option in options if not re.search(rf'{option}\b', text)] == []


def test_paths_in_commands_exist():
    missing = {word for command in COMMANDS for word in shlex.split(command)
               if re.match(r'(config|test|scripts|docs)/', word) and 'NAME' not in word
               and not (REPOSITORY / word).exists()}
    assert not missing


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
            for topic in CODE.findall(row)}


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
    described = set(CODE.findall(text[text.index('## Diagnostics'):]))
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
