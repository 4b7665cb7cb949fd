# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings in YAML files: mappings, converted to dataclasses with checked types."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

# Type and name of a value by the annotation of its setting.
KINDS = {'str': (str, 'text'), 'int': (int, 'an integer'), 'float': (float, 'a number'),
         'bool': (bool, 'true or false'), 'tuple': (tuple, 'a list'), 'dict': (dict, 'a mapping'),
         'None': (type(None), 'empty')}
Values = TypeVar('Values')


def read_mapping(path: str | Path) -> dict:
    """
    Read a YAML file that holds a mapping.

    :param path: path of the file.
    :returns: its values by key.
    :raises ValueError: the file is missing, no YAML, or no mapping; one sentence.
    """
    # Not at the top: packages that read settings are imported to say which package is missing.
    import yaml

    try:
        values = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = ' '.join(str(getattr(error, 'strerror', None) or error).split())
        raise ValueError(f'{path} cannot be read as YAML: {reason}') from None
    if not isinstance(values, dict):
        raise ValueError(f'{path} holds no settings: write one "key: value" per line')
    return values


def typed(path: str | Path, kind: type[Values], values: dict) -> Values:
    """
    Create settings from the values of a YAML file.

    :param path: path of the file, and the place in it, for messages.
    :param kind: dataclass of the settings.
    :param values: values by key.
    :returns: the settings.
    :raises ValueError: a key is unknown or missing, or a value has another type.
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}
    unknown = sorted(map(str, values.keys() - fields.keys()))
    if unknown:
        raise ValueError(f'{path}: unknown setting {unknown[0]!r}: choose from {", ".join(fields)}')
    values = {key: _typed(path, fields[key], value) for key, value in values.items()}
    missing = [name for name, each in fields.items() if name not in values
               and each.default is dataclasses.MISSING
               and each.default_factory is dataclasses.MISSING]
    if missing:
        raise ValueError(f'{path}: setting {missing[0]!r} is missing: add a line '
                         f'"{missing[0]}: value"')
    return kind(**values)


def _typed(path: str | Path, field: dataclasses.Field, value):
    """Return a value of YAML with the type of its setting; raises ValueError for another type."""
    kinds = [KINDS[part.split('[')[0]] for part in field.type.split(' | ')]
    if isinstance(value, list):
        value = tuple(value)
    if field.type == 'float' and not isinstance(value, bool):
        # YAML reads 1e-3 as text.
        with suppress(TypeError, ValueError):
            value = float(value)
    if type(value) not in [kind for kind, _ in kinds]:
        raise ValueError(f"{path}: setting {field.name!r} must be "
                         f"{' or '.join(name for _, name in kinds)}, not {value!r}")
    return value
