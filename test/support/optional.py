# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packages without which some tests are skipped, as where only those of package.xml are there."""

import re
from importlib.util import find_spec

import pytest

from mfs_seg_core.util.extras import EXTRAS

# Packages of the extras of setup.py, their dependencies, and tools of the documentation.
OPTIONAL = sorted({*(name for extra in EXTRAS.values() for name in extra), 'sphinx', 'furo',
                   'myst_parser', 'lz4', 'backports'})
MISSING = [name for name in OPTIONAL if find_spec(name) is None]
# Sentences of the package about a missing one: its name, and the remedy.
SENTENCE = re.compile(rf'\b({"|".join(MISSING)})\b.*: pip install') if MISSING else None


def reason(error: BaseException | None) -> str:
    """Return why a test is to be skipped after an exception; empty: it is a fault."""
    if not SENTENCE or error is None:
        return ''
    if isinstance(error, ModuleNotFoundError):
        name = (error.name or '').partition('.')[0]
        return f'{name} is not installed' if name in MISSING else ''
    found = SENTENCE.search(str(error))
    return f'{found[1]} is not installed' if found else ''


class OptionalModule(pytest.Module):
    """Test file that is skipped if a package that it imports is not installed."""

    def collect(self):
        """Import the file and return its tests."""
        try:
            _ = self.obj
        except Exception as error:
            # pytest replaces an ImportError by an error of its own.
            if why := reason(error) or reason(error.__cause__):
                pytest.skip(f'{why}: {self.path.name} was not run', allow_module_level=True)
            raise
        return super().collect()
