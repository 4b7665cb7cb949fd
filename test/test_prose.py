# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Docstrings and comments are plain technical English, as far as a program can tell."""

from __future__ import annotations

import ast
import io
import re
import tokenize

import pytest
from support.paths import REPOSITORY

# Words, and a plain one for each; matched without regard to case.
BANNED = {
    r'\banew\b': 'again', r'\bthereof\b': 'of it', r'\bwherein\b': 'in which',
    r'\bhears?\b': 'receives', r'\bheard\b': 'received', r'\bhearing\b': 'receiving',
    r'\bsees fit\b': 'can', r'\bwants?\b': 'requests', r'\bis told\b': 'receives',
    r'\bis to be told\b': 'receives', r'\bfares?\b': 'state', r'\bunlike those who\b': 'unlike',
    r'\bthose who\b': 'a noun', r'\bwho (?:is|gets|needs|does)\b': 'a noun',
    r'\bwhat (?:waits|came|comes|is left|goes)\b': 'a noun',
    r'\btakes? note\b': 'record', r'\bgives? back\b': 'return',
}
FOLDERS = ('mfs_seg_core', 'mfs_seg_ros', 'launch', 'test/cases', 'test/ros', 'test/support')
PROSE = [path for folder in FOLDERS
         for path in sorted((REPOSITORY / folder).rglob('*.py'))]
FIRST_WORD = re.compile(r'``|[A-Z]')


def documented(tree: ast.Module):
    """Yield the name and docstring of a module, its classes and functions."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if text := ast.get_docstring(node):
                yield getattr(node, 'name', 'module'), text


def faults(text: str) -> list[str]:
    """Return the faults in the docstrings and comments of a module."""
    wrong = []
    for name, docstring in documented(ast.parse(text)):
        if not FIRST_WORD.match(docstring):
            wrong.append(f'{name}: starts with a small letter')
        if re.match(r'Gives?\b', docstring):
            wrong.append(f'{name}: "Give" is "Return", or a verb that says more')
        wrong += [f'{name}: /{pattern}/ is "{plain}"' for pattern, plain in BANNED.items()
                  if re.search(pattern, docstring, re.IGNORECASE)]
    comments = [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline)
                if token.type == tokenize.COMMENT]
    return wrong + [f'{comment}: /{pattern}/ is "{plain}"' for comment in comments
                    for pattern, plain in BANNED.items() if re.search(pattern, comment,
                                                                      re.IGNORECASE)]


@pytest.mark.parametrize('path', PROSE, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_prose(path):
    assert faults(path.read_text(encoding='utf-8')) == []


@pytest.mark.parametrize('text', [
    '"""small letter."""', '"""Module."""\ndef f():\n    """Give a value."""',
    '"""Module."""\n# Begin anew.', '"""Module."""\nclass C:\n    """What comes in."""'])
def test_faults_are_found(text):
    assert len(faults(text)) == 1
