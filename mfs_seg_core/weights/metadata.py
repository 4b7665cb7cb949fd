# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Metadata of a weights file, as a line of JSON.

A file may come from anywhere: numbers are checked against limits before a network is created from
them, and texts are checked before they are printed.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field

import numpy as np

from mfs_seg_core.labels import UNLABELLED, ClassSet
from mfs_seg_core.model.config import Config
from mfs_seg_core.model.lite_config import LiteConfig
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.util.text import printable

# Kinds of network by their names in the files.
SHAPES = {'mfs_seg': Config, 'lite': LiteConfig, 'unet': UNetConfig}
MAX_TEXT, MAX_NOTE = 100, 10_000
# Most items of a row of variable length: classes, or blocks of one scale.
MAX_LENGTH = UNLABELLED


@dataclass(frozen=True)
class Limit:
    """
    Valid range of a number, or of the numbers in nested rows.

    :param least: smallest valid value.
    :param most: largest valid value.
    :param length: lengths of the nested rows, outermost first; None: variable. Empty: one number.
    :param fraction: floating-point numbers are valid too.
    """

    least: float
    most: float
    length: tuple[int | None, ...] = ()
    fraction: bool = False


# Far beyond useful values, but small enough to create a network.
LIMITS = {
    'classes': Limit(1, UNLABELLED),
    'steps': Limit(1, 64),
    'levels': Limit(1, 255),
    'leak': Limit(0, 1, fraction=True),
    'expansion': Limit(1, 16),
    'stem_stride': Limit(1, 2),
    'widths': Limit(1, 1024, (3,)),
    'kernels': Limit(1, 31, (3, None)),
    'decoder_blocks': Limit(0, 64, (3,)),
    'encoder': Limit(1, 1024, (None, 5)),
    'decoder_widths': Limit(1, 1024, (None,)),
    'decoder_kernels': Limit(1, 31, (None, None)),
    'detail': Limit(0, 1024),
    'inputs': Limit(1, 128),
    'events': Limit(0, 128),
    'width': Limit(1, 1024),
    'palette': Limit(0, 255, (None, 3)),
    'input_size': Limit(32, 4096, (2,)),
    'mean': Limit(-10, 10, (3,), fraction=True),
    'std': Limit(1e-3, 10, (3,), fraction=True),
    'nominal_step': Limit(1e-6, 3600, fraction=True),
    'event_bins': Limit(0, 64),
}
FLAGS = ('mimo', 'learn_leak', 'recall', 'encoder_recall', 'full_spike', 'signed', 'analogue')


@dataclass(frozen=True)
class Metadata:
    """
    Metadata of a weights file: everything that inference needs besides the parameters.

    :param name: short name.
    :param config: configuration of the network.
    :param classes: classes of its masks.
    :param input_size: width and height in pixels of the training images.
    :param mean: mean of the training pixels, RGB, in 0..1.
    :param std: standard deviation of the training pixels, RGB.
    :param nominal_step: nominal time step of the leak, in seconds.
    :param modality: 'camera', 'events', or 'fusion' of both; a key of
        :data:`mfs_seg_core.util.modalities.SENSORS`.
    :param event_bins: time bins of the event tensor; 0: the network takes no events.
    :param notes: further facts for people: data, licence, figures.
    """

    name: str
    config: Config | LiteConfig | UNetConfig
    classes: ClassSet
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    nominal_step: float
    modality: str = 'camera'
    event_bins: int = 0
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def sensors(self) -> tuple[str, ...]:
        """Sensors of the modality: 'camera', 'events' or both."""
        return SENSORS[self.modality]


def encode(metadata: Metadata) -> str:
    """Return metadata as JSON."""
    fields = dataclasses.asdict(metadata)
    fields['classes']['palette'] = metadata.classes.palette.tolist()
    kinds = {shape: kind for kind, shape in SHAPES.items()}
    fields['config']['kind'] = kinds[type(metadata.config)]
    return json.dumps(fields)


def decode(text: str) -> Metadata:
    """
    Decode metadata from JSON.

    :param text: JSON, from a file of any version.
    :returns: valid metadata.
    :raises ValueError: a value is missing or invalid; one sentence without a full stop.
    """
    try:
        fields = json.loads(text)
        config = {name: _tuples(value) for name, value in fields['config'].items()}
        shape = SHAPES[config.pop('kind', 'mfs_seg')]
        classes = {name: _tuples(value) for name, value in fields.pop('classes').items()}
        fields = {name: _tuples(value) for name, value in fields.items()}
        if 'modalities' in fields:
            # Version 1 lists the sensors.
            fields['modality'] = _modality(fields.pop('modalities'))
        for name, value in [*config.items(), *classes.items(), *fields.items()]:
            if name in LIMITS:
                _check_numbers(name, value, LIMITS[name].length)
            elif name in FLAGS and not isinstance(value, bool):
                raise ValueError(f'{name} must be true or false')
        fields['config'] = shape(**config)
        fields['classes'] = ClassSet(classes['name'], classes['names'],
                                     np.array(classes['palette'], np.uint8).reshape(-1, 3))
        metadata = Metadata(**fields)
        _check_texts(metadata)
        _check_together(metadata)
    # RecursionError: deeply nested lists.
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        what = str(error) if type(error) is ValueError else repr(error)
        raise ValueError(printable(what)) from None
    return metadata


def _check_numbers(name: str, value, length: tuple[int | None, ...]) -> None:
    """Raise ValueError unless a number, or nested tuples of this length, lie in the limits."""
    limit = LIMITS[name]
    if length:
        count = len(value) if isinstance(value, tuple) else -1
        if count != length[0] if length[0] else not 0 <= count <= MAX_LENGTH:
            raise ValueError(f'{name} has another number of values than expected')
        for item in value:
            _check_numbers(name, item, length[1:])
    # True is an int. NaN fails every comparison.
    elif (isinstance(value, bool) or not isinstance(value, (int, float) if limit.fraction else int)
          or not limit.least <= value <= limit.most):
        raise ValueError(f'{name} must lie in {limit.least:g}..{limit.most:g}')


def _check_texts(metadata: Metadata) -> None:
    """Raise ValueError for a text that is too long or not printable."""
    classes, notes = metadata.classes, metadata.notes
    for texts, most in (((metadata.name, classes.name, *classes.names, *notes), MAX_TEXT),
                        (notes.values(), MAX_NOTE)):
        for text in texts:
            if not isinstance(text, str) or len(text) > most or not text.isprintable():
                raise ValueError('a name or a note is too long, or cannot be printed')


def _check_together(metadata: Metadata) -> None:
    """Raise ValueError when parts of the metadata contradict each other."""
    config, classes, modality = metadata.config, metadata.classes, metadata.modality
    if not config.classes == len(classes) == len(classes.palette):
        raise ValueError(f'of {config.classes} classes it has {len(classes)} names and '
                         f'{len(classes.palette)} colours')
    if modality not in SENSORS:
        raise ValueError(f'modality must be one of {", ".join(SENSORS)}')
    channels = 2 * metadata.event_bins
    # Tensors of a data set's own kind have no bins.
    needed = {'camera': (3, 0), 'events': (channels or config.inputs, 0),
              'fusion': (3, channels)}[modality]
    if needed != (config.inputs, config.events):
        raise ValueError(f'the network has {config.inputs} and {config.events} input channels, '
                         f'modality {modality} needs {needed[0]} and {needed[1]}')
    if isinstance(config, Config):
        if any(kernel % 2 == 0 for kernels in config.kernels for kernel in kernels):
            raise ValueError('a kernel has an even size')
        if config.stem_stride == 2 and not config.detail:
            raise ValueError('a stem of stride 2 needs detail')


def _modality(sensors: tuple[str, ...]) -> str:
    """Return the modality of these sensors; raises ValueError if there is none."""
    for modality, its_sensors in SENSORS.items():
        if sensors == its_sensors:
            return modality
    raise ValueError('modalities must be camera, events, or both')


def _tuples(value):
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
