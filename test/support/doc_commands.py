# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands that the pages of the documentation contain, and the rules of running them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from support.paths import REPOSITORY

CARDS = sorted((REPOSITORY / 'mfs_seg_core/weights/pretrained').glob('*.md'))
PAGES = [*(REPOSITORY / name for name in ('README.md', 'CONTRIBUTING.md')),
         *sorted((REPOSITORY / 'docs').glob('*.md')),
         *sorted((REPOSITORY / 'docs/tutorials').glob('*.md')),
         *sorted((REPOSITORY / 'examples').glob('*.md')), *CARDS]
RULES = REPOSITORY / 'scripts/check_docs.yaml'

FENCE = re.compile(r'^```(\w*).*?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SPAN = re.compile(r'`([^`\n]+)`')
# First words of a command.
PROGRAM = re.compile(
    r'(?:[A-Z_]+=\S+ )*(?:mfs-seg[\w-]*|python3?|pip|ros2|rviz2|rqt|rosdep|colcon|scripts/\w+\.sh'
    r'|sphinx-build|ruff|pydoclint|cffconvert|actionlint|hadolint|tensorboard'
    r'|g\+\+|\./\w+|rerun|ssh|cd|export|\.)(?= |$)')
# A span that names a program or its verb.
NAME = re.compile(r'[\w/.-]+|(?:mfs-seg|ros2) \w[\w-]*')
COMMENT = re.compile(r'(?:^|\s{2,})#.*$')
# What a reader replaces: a word in capitals, <words>, an optional part in brackets.
PLACEHOLDER = re.compile(r'(?:^|[\s/=.])(?:[A-Z][A-Z_]+|[A-Z])(?=[\s/.]|$)|<[a-z ]+>|\[-|\.\.\.')


@dataclass(frozen=True)
class DocCommand:
    """
    Command on a page.

    :param page: path below the repository.
    :param text: command, without comment, on one line.
    """

    page: str
    text: str


@dataclass(frozen=True)
class DocRule:
    """
    Rule of the commands that a pattern matches.

    :param match: regular expression, searched for.
    :param skip: reason not to run the command; empty: it runs.
    :param replace: words to replace, such as placeholders.
    :param add: options to add, which make the run shorter.
    :param instead: command to run instead; empty: this one.
    :param seconds: time limit.
    """

    match: str
    skip: str = ''
    replace: dict[str, str] = field(default_factory=dict, hash=False)
    add: str = ''
    instead: str = ''
    seconds: float = 300.0

    def apply(self, text: str) -> str:
        """Return the command to run."""
        text = self.instead or text
        for old, new in self.replace.items():
            text = re.sub(rf'(?<!\w){re.escape(old)}(?!\w)', new, text)
        return f'{text} {self.add}'.strip()


def read_rules(path: Path = RULES) -> list[DocRule]:
    """Return the rules of a file, first match first."""
    return [DocRule(**rule) for rule in yaml.safe_load(path.read_text(encoding='utf-8'))]


def rule_of(text: str, rules: list[DocRule]) -> DocRule:
    """
    Return the first rule that matches a command; without one, the command runs as it is.

    :raises ValueError: no rule matches, and the command has a placeholder.
    """
    for rule in rules:
        if re.search(rule.match, text):
            return rule
    if found := PLACEHOLDER.search(text):
        raise ValueError(f'the command {text!r} has the placeholder {found[0].strip()!r}: add a '
                         f'rule to {RULES.relative_to(REPOSITORY)}')
    return DocRule('')


def without_fences(text: str) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub('', text)


def commands_of(path: Path) -> list[DocCommand]:
    """
    Return the commands of a page, in their order: indented lines, fences of sh, spans of code.

    :raises ValueError: an indented line is no command.
    """
    text = FENCE.sub(_fence, path.read_text(encoding='utf-8')).replace('\\\n', ' ')
    found, page, prose = [], str(path.relative_to(REPOSITORY)), []
    for line in [*text.splitlines(), '']:
        if line.strip() and not line.startswith('    '):
            prose.append(line)
            continue
        # Spans may continue on the next line.
        found += [span for span in SPAN.findall(' '.join(prose))
                  if PROGRAM.match(span) and not NAME.fullmatch(span)]
        prose = []
        if command := COMMENT.sub('', line).strip():
            if not PROGRAM.match(command):
                raise ValueError(f'{page}: {command!r} is no command of a known program: put '
                                 'output into a fence of text, or add the program to PROGRAM')
            found.append(command)
    return [DocCommand(page, re.sub(r'\s{2,}', ' ', command)) for command in found]


def all_commands(pattern: str = '') -> list[DocCommand]:
    """
    Return the commands of all pages; each once, where it is first.

    :param pattern: regular expression, searched for in page and command; empty: all.
    :returns: the commands in the order of the pages.
    """
    unique = {}
    for path in PAGES:
        for command in commands_of(path):
            if re.search(pattern, f'{command.page} {command.text}'):
                unique.setdefault(command.text, command)
    return list(unique.values())


def _fence(match: re.Match) -> str:
    """Return a fence of sh as indented lines, and nothing of others."""
    if match[1] not in ('sh', 'bash', 'console'):
        return ''
    return '\n' + re.sub(r'^', '    ', match[2].strip('\n'), flags=re.MULTILINE) + '\n'
