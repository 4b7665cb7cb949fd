# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a training run: a YAML file, read and checked."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from dataclasses import dataclass

from mfs_seg_core.data.folder.settings import anchored, folder_settings
from mfs_seg_core.model.lite_config import LITE_CONFIGS
from mfs_seg_core.util.settings_file import read_mapping, typed

EVENT_DATA = ('ddd17', 'dsec')
DATA = ('street', 'camvid', *EVENT_DATA)
MODELS = ('fast', 'paper', 'unet', *LITE_CONFIGS)
# Networks that take one modality.
WITHOUT_EVENTS = ('paper', 'unet')


@dataclass
class Settings:
    """
    All settings of a training run: the keys of its YAML file.

    :param name: name of the run and of its weights.
    :param data: data set: 'street', 'camvid', 'ddd17' or 'dsec'; or a mapping that describes a
        folder of images and labels (docs/own_data.md).
    :param root: folder of the data set; empty: for a mapping, the folder of this file.
    :param train_split: split to train on, or a list of recordings.
    :param val_split: split to select the best weights on, or a list of recordings.
    :param window_us: duration of an event window in microseconds (ddd17, dsec); 0: not set.
    :param window_events: number of events in a window (ddd17, dsec); 0: not set. Where both are 0,
        the data set's protocol applies.
    :param events: train on images and events (street).
    :param bins: time bins of an event tensor.
    :param sequences: number of sequences to render for training (street).
    :param length: number of clips in a sequence; the state is kept from clip to clip. Stills have
        1.
    :param model: network: 'fast', 'paper', 'unet', which the paper compares with, or 'lite', whose
        encoder can start from ImageNet; 'lite_twin' and 'lite_teacher' are artificial networks.
    :param start: name or path of the weights to start from, or path of an encoder (``mfs-seg
        imagenet``); empty: random. A 'lite' that starts from a 'lite_twin' is converted first.
    :param size: width and height of the network's input in pixels.
    :param crop: width and height of the window of a frame to train on, in pixels; empty: ``size``.
    :param frames: number of frames in a clip; the last has the label. From rest, a random number
        of the others is used.
    :param truncation: number of steps to back-propagate through.
    :param epochs: number of passes through the training set.
    :param batch_size: number of clips per step and process.
    :param learning_rate: peak learning rate of AdamW: linear warm-up over a tenth of the run, then
        a cosine.
    :param weight_decay: weight decay of AdamW.
    :param scale_weights: weight of the loss at 1/4, 1/2 and full scale.
    :param validate_every: number of epochs from one validation to the next.
    :param workers: number of processes that load data, per training process.
    :param devices: number of training processes on a machine, one per GPU; 0: all GPUs, or one
        process on the CPU.
    :param nodes: number of machines; start each with torchrun.
    :param precision: precision by Lightning's name; empty: bf16-mixed on a GPU, 32-true on a CPU.
    :param seed: seed of the initial weights, the order of clips and the augmentation.
    :param notes: facts to store in the weights: licence, data.
    """

    name: str
    data: str | dict
    root: str = ''
    train_split: str | tuple[str, ...] = 'train'
    val_split: str | tuple[str, ...] = 'val'
    window_us: int = 0
    window_events: int = 0
    events: bool = False
    bins: int = 5
    sequences: int = 900
    length: int = 8
    model: str = 'fast'
    start: str = ''
    size: tuple[int, int] = (240, 180)
    crop: tuple[int, int] | None = None
    frames: int = 1
    truncation: int = 1
    epochs: int = 40
    batch_size: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    scale_weights: tuple[float, float, float] = (0.3, 0.3, 1.0)
    validate_every: int = 4
    workers: int = 1
    devices: int = 0
    nodes: int = 1
    precision: str = ''
    seed: int = 0
    notes: dict = dataclasses.field(default_factory=dict)


def documented(settings: Settings) -> str:
    """Return the settings as YAML for ``--config``, each after a comment that describes it."""
    import yaml

    lines = []
    for name, value in dataclasses.asdict(settings).items():
        match = re.search(rf':param {name}: (.*?)(?=\n *:param |\Z)', Settings.__doc__, re.DOTALL)
        text = ' '.join(match[1].split())
        lines += [f'# {line}' for line in textwrap.wrap(text, 98)]
        value = list(value) if isinstance(value, tuple) else value
        # YAML marks the end of a document that is a single value.
        dumped = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix('...\n')
        lines.append(f'{name}: {dumped.strip()}')
    return '\n'.join(lines)


def read_settings(path: str, changes: list[str]) -> Settings:
    """
    Read a YAML file of settings.

    :param path: path of the file.
    :param changes: ``key=value`` pairs that override the file, values in YAML; nothing after the
        sign is the empty text.
    :returns: the settings, of which :func:`check` has not been called.
    :raises ValueError: the file is no YAML, a key is unknown or missing, or a value has another
        type.
    """
    values = read_mapping(path)
    # Not at the top: the package of training is imported to say what it lacks.
    import yaml

    for change in changes:
        key, equals, value = change.partition('=')
        if not equals:
            raise ValueError(f'{change!r} is not a setting: write key=value')
        values[key] = yaml.safe_load(value) if value else ''
    if isinstance(values.get('data'), dict):
        values = anchored(values, path)
    return typed(path, Settings, values)


def check(settings: Settings) -> None:
    """
    Check settings before a run.

    :param settings: settings of the run.
    :raises ValueError: a value is unknown or too small, or the values of two do not fit together.
    """
    if isinstance(settings.data, dict):
        folder_settings(settings.data)
        for name in ('train_split', 'val_split'):
            if not isinstance(getattr(settings, name), str):
                raise ValueError(f'{name} must be the name of a split for a folder of images: list '
                                 'its frames in the setting split of data')
    elif settings.data not in DATA:
        raise ValueError(f'data must be one of {", ".join(DATA)}, or a mapping, not '
                         f'{settings.data!r}')
    if settings.data != 'street' and not settings.root:
        raise ValueError(f'{settings.data} needs its folder: add --root DIR')
    if settings.model not in MODELS:
        raise ValueError(f'model must be one of {", ".join(MODELS)}, not {settings.model!r}')
    if settings.events and (settings.data != 'street' or settings.model in WITHOUT_EVENTS):
        raise ValueError("events: true needs data 'street' and model 'fast' or 'lite', not "
                         f'{settings.data!r} and {settings.model!r}: remove events')
    for name in ('sequences', 'length', 'frames', 'truncation', 'epochs', 'batch_size',
                 'validate_every'):
        if getattr(settings, name) < 1:
            raise ValueError(f'{name} must be at least 1, not {getattr(settings, name)}')
