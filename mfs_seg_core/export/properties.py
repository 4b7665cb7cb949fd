# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Properties of an exported model: what a program needs to know besides names and shapes."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version

from mfs_seg_core.export.step import StepNetwork

# Version of the names, shapes and meaning of inputs, outputs and properties.
FORMAT = 'mfs_seg_step 1'


def properties(step: StepNetwork, weights_sha256: str | None) -> dict[str, str]:
    """
    Return the properties of a model.

    :param step: the step that it computes.
    :param weights_sha256: hash that the weights file has recorded; None: it has none.
    :returns: texts by name; lists are JSON.
    """
    metadata, config = step.metadata, step.network.config
    texts = {
        'format': FORMAT,
        'package_version': _version(),
        'weights': metadata.name,
        'weights_sha256': weights_sha256 or '',
        'licence': metadata.notes.get('licence', ''),
        'data': metadata.notes.get('data', ''),
        'class_set': metadata.classes.name,
        'modality': step.modality,
    }
    values = {
        'classes': list(metadata.classes.names),
        'palette': metadata.classes.palette.tolist(),
        'input_size': list(step.size),
        'nominal_step_s': metadata.nominal_step,
        'levels': config.levels,
        'leak': config.leak,
        'leak_is_learned': config.learn_leak,
        'event_bins': metadata.event_bins,
        'mean': list(metadata.mean),
        'std': list(metadata.std),
        'state': list(step.state),
    }
    return {**texts, **{name: json.dumps(value) for name, value in values.items()}}


def _version() -> str:
    """Return the version of this package; empty where it runs without having been installed."""
    try:
        return version('mfs_seg_ros')
    except PackageNotFoundError:
        return ''
