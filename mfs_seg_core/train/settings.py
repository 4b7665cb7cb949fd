# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a training run: a YAML file, read and checked."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import yaml

EVENT_DATA = ('ddd17', 'dsec')
DATA = ('street', 'camvid', *EVENT_DATA)
MODELS = ('fast', 'paper', 'unet')


@dataclass
class Settings:
    """
    All settings of a training run: the keys of its YAML file.

    :param name: of the run and of its weights.
    :param data: 'street', 'camvid', 'ddd17' or 'dsec'.
    :param root: folder of the data set.
    :param train_split: split to train on, or a list of recordings.
    :param val_split: split to choose the best weights on, or a list of recordings.
    :param window_us: events of the last microseconds make a frame (ddd17, dsec); 0: see next.
    :param window_events: so many events make a frame; both 0: as the data set's protocol has it.
    :param events: see events beside the camera (street).
    :param bins: time bins of an event tensor.
    :param sequences: number of sequences to render for training (street).
    :param length: clips of a sequence, whose state is carried from one to the next; stills have 1.
    :param model: 'fast', 'paper', or 'unet', the artificial network that the paper compares with.
    :param start: weights to start from, name or path; empty: random.
    :param size: width and height of the network's input.
    :param crop: width and height of what training sees of a frame; empty: ``size``.
    :param frames: frames of a clip, of which the last is labelled; where no state is carried, how
        many of them precede it varies from 0.
    :param truncation: steps through which errors are propagated back.
    :param epochs: passes through the training set.
    :param batch_size: clips a step of each process.
    :param learning_rate: of AdamW; peak of a cosine with linear warm-up over a tenth of the run.
    :param weight_decay: of AdamW.
    :param scale_weights: weight of the loss at 1/4, 1/2 and full scale.
    :param validate_every: epochs between validations.
    :param workers: processes that load data, of each process that trains.
    :param devices: processes on this machine, one a GPU; 0: all GPUs there are, or one CPU.
    :param nodes: machines; start each with torchrun.
    :param precision: as Lightning calls it; empty: bf16-mixed on a GPU, 32-true on a CPU.
    :param seed: of weights, order, augmentation.
    :param notes: facts to be kept in the weights: licence, data.
    """

    name: str
    data: str
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
    notes: dict = field(default_factory=dict)


def documented(settings: Settings) -> str:
    """Give the settings as YAML, each under its description: a file that --config takes."""
    lines = []
    for name, value in dataclasses.asdict(settings).items():
        about = re.search(rf':param {name}: (.*?)(?=\n *:param |\Z)', Settings.__doc__, re.DOTALL)
        text = ' '.join(about[1].split())
        lines += [f'# {line}' for line in textwrap.wrap(text, 98)]
        value = list(value) if isinstance(value, tuple) else value
        # Of a value alone, YAML marks the end.
        dumped = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix('...\n')
        lines.append(f'{name}: {dumped.strip()}')
    return '\n'.join(lines)


def read_settings(path: str, changes: list[str]) -> Settings:
    """
    Read a YAML file of settings.

    :param changes: ``key=value`` pairs that override the file, values in YAML.
    :raises ValueError: a key or value is wrong.
    """
    try:
        values = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f'{path} cannot be read as YAML: {error}') from None
    if not isinstance(values, dict):
        raise ValueError(f'{path} holds no settings: write a line "key: value" for each')
    for change in changes:
        key, equals, value = change.partition('=')
        if not equals:
            raise ValueError(f'{change!r} is no setting: write key=value')
        values[key] = yaml.safe_load(value)
    fields = {f.name: f for f in dataclasses.fields(Settings)}
    unknown = sorted(values.keys() - fields.keys())
    if unknown:
        raise ValueError(f'{path}: unknown setting {unknown[0]!r}; there are {", ".join(fields)}')
    for key, value in values.items():
        default = fields[key].default
        if isinstance(value, list):
            values[key] = tuple(value)
        elif isinstance(default, float):
            values[key] = float(value)
    missing = [name for name in ('name', 'data') if name not in values]
    if missing:
        raise ValueError(f'{path}: setting {missing[0]!r} is missing')
    return Settings(**values)


def check(settings: Settings) -> None:
    """
    Refuse settings that no run can use.

    :raises ValueError: says which.
    """
    if settings.data not in DATA:
        raise ValueError(f'data must be one of {", ".join(DATA)}, not {settings.data!r}')
    if settings.data != 'street' and not settings.root:
        raise ValueError(f'{settings.data} needs its folder: add --root DIR')
    if settings.model not in MODELS:
        raise ValueError(f'model must be one of {", ".join(MODELS)}, not {settings.model!r}')
    if settings.events and (settings.data != 'street' or settings.model != 'fast'):
        raise ValueError("events beside a camera are there for data 'street' and model 'fast' "
                         f'only, not for {settings.data!r} and {settings.model!r}: leave events '
                         'out')
    for name in ('sequences', 'length', 'frames', 'truncation', 'epochs', 'batch_size',
                 'validate_every'):
        if getattr(settings, name) < 1:
            raise ValueError(f'{name} must be at least 1, not {getattr(settings, name)}')
