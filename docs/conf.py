# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sphinx: ``sphinx-build -W --keep-going -b html docs OUT`` builds the pages without network."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

project = 'mfs_seg_ros'
author = 'The mfs_seg_ros authors'
copyright = f'2026, {author}'
release = re.search(r'<version>(.*)</version>', (REPOSITORY / 'package.xml').read_text())[1]

extensions = ['myst_parser', 'sphinx.ext.autodoc']
html_theme = 'furo'
html_title = f'{project} {release}'
exclude_patterns = ['results']

# Headings are link targets, as on GitHub.
myst_heading_anchors = 4
# Links to files outside docs/ are for GitHub: test/test_docs.py checks them. Field lists
# link the names of parameters; attributes of the same name in several modules are ambiguous.
suppress_warnings = ['myst.xref_missing', 'ref.python']

autodoc_default_options = {'members': True, 'show-inheritance': True}
# Docstrings of base classes are those of other projects, in their own markup.
autodoc_inherit_docstrings = False
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
# The pages are complete where ROS and Rerun are not installed.
autodoc_mock_imports = [name for name in (
    'rclpy', 'std_msgs', 'sensor_msgs', 'std_srvs', 'builtin_interfaces', 'diagnostic_msgs',
    'lifecycle_msgs', 'rcl_interfaces', 'vision_msgs', 'event_camera_msgs', 'rerun')
    if not find_spec(name)]

MODULES = re.compile(r'^@modules (\S+)$', re.MULTILINE)


def automodules(folder: str) -> str:
    """Return directives for a module, or for all public modules of a package's folder."""
    path = REPOSITORY.joinpath(*folder.split('.'))
    files = [path.with_suffix('.py')] if path.with_suffix('.py').is_file() else [
        file for file in sorted(path.rglob('*.py'))
        if file.name == '__init__.py' or not file.name.startswith('_')]
    names = ['.'.join(file.relative_to(REPOSITORY).with_suffix('').parts) for file in files]
    sections = []
    for name in names:
        name = name.removesuffix('.__init__')
        title = name.replace('_', r'\_')
        sections.append(f'{title}\n{"~" * len(title)}\n\n.. automodule:: {name}\n')
    return '\n'.join(sections)


def list_modules(app: object, document: str, source: list[str]) -> None:
    """Replace each line ``@modules NAME`` of a page by the modules of that folder."""
    source[0] = MODULES.sub(lambda match: automodules(match[1]), source[0])


def setup(app: object) -> None:
    """Register the hook that lists modules."""
    app.connect('source-read', list_modules)
