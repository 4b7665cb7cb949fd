# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packages without which some tests are skipped, as where only those of package.xml are there."""

from importlib.util import find_spec

import pytest

from mfs_seg_core.util.extras import EXTRAS

# Packages of the extras of setup.py, and tools of the tests and of the documentation.
OPTIONAL = {*(name for extra in EXTRAS.values() for name in extra), 'sphinx', 'furo', 'myst_parser',
            'lz4', 'backports'}


def reason(error: BaseException | None) -> str:
    """Return why a test is to be skipped after an exception; empty: it is a fault."""
    name = getattr(error, 'name', None) or ''
    root = name.partition('.')[0]
    if not isinstance(error, ModuleNotFoundError) or {name, root}.isdisjoint(OPTIONAL):
        return ''
    try:
        installed = find_spec(name) is not None
    except ModuleNotFoundError:
        installed = False
    return '' if installed else f'{name} is not installed: pip install ".[train,data,events]"'


class OptionalModule(pytest.Module):
    """Test file that is skipped if a package that it imports is not installed."""

    def collect(self):
        """Import the file and return its tests."""
        try:
            _ = self.obj
        except self.CollectError as error:
            if why := reason(error.__cause__):
                pytest.skip(f'{why}; {self.path.name} was not run', allow_module_level=True)
            raise
        return super().collect()
