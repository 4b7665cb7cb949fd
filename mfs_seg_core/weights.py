# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Weights files: a safetensors file of parameters, whose metadata says all that inference needs.

safetensors holds plain numbers only: opening a file never runs code from it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mfs_seg_core.files import written_aside
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.network import Config, MFSSeg
from mfs_seg_core.unet import UNet, UNetConfig

FORMAT = 'mfs_seg_core'
VERSION = '1'
SHIPPED = Path(__file__).parent / 'weights'
# Kinds of network, as the files call them.
SHAPES = {'mfs_seg': Config, 'unet': UNetConfig}


class WeightsError(ValueError):
    """A weights file is missing, damaged or not ours; the message says what to do."""


@dataclass(frozen=True)
class Description:
    """
    What a weights file says of itself.

    :param name: short name.
    :param config: shape of the network.
    :param classes: the classes of its masks.
    :param input_size: width and height in pixels that it was trained at.
    :param mean: of the training pixels, RGB, in 0..1.
    :param std: of the same.
    :param nominal_step: seconds between two steps that the leak belongs to.
    :param modalities: sensors it serves: 'camera', 'events' or both.
    :param event_bins: time bins of its event tensor; 0: it sees no events.
    :param notes: further facts for people: data, licence, figures.
    """

    name: str
    config: Config | UNetConfig
    classes: ClassSet
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    nominal_step: float
    modalities: tuple[str, ...] = ('camera',)
    event_bins: int = 0
    notes: dict[str, str] = field(default_factory=dict)


def build(config: Config | UNetConfig) -> MFSSeg | UNet:
    """Give an untrained network of this shape."""
    return UNet(config) if isinstance(config, UNetConfig) else MFSSeg(config)


def save_weights(path: str | Path, network: MFSSeg | UNet, description: Description) -> None:
    """Write the network's parameters and their description, aside first, then renamed."""
    path = Path(path)
    data = save({name: tensor.detach().cpu().contiguous()
                 for name, tensor in network.state_dict().items()},
                {'format': FORMAT, 'version': VERSION, 'description': _encode(description)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as part:
        part.write_bytes(data)


def find_weights(path_or_name: str | Path) -> Path:
    """
    Give the file for a path or for the name of shipped weights.

    :raises WeightsError: neither exists.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path
    shipped = SHIPPED / f'{path_or_name}.safetensors'
    if path.name == str(path_or_name) and shipped.is_file():
        return shipped
    names = ', '.join(sorted(p.stem for p in SHIPPED.glob('*.safetensors'))) or 'none'
    raise WeightsError(f'no weights {str(path_or_name)!r}: give the path of a .safetensors file or '
                       f'the name of shipped weights ({names})')


def load_weights(path_or_name: str | Path) -> tuple[MFSSeg | UNet, Description]:
    """
    Read a weights file into a new network in evaluation mode, on the CPU.

    :raises WeightsError: the file is missing, damaged, of another kind or version, or does not fit
        the network that it describes.
    """
    path = find_weights(path_or_name)
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            description = _describe(path, metadata)
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f'{path} cannot be read as safetensors ({error}): '
                           'fetch or train it again') from None
    network = build(description.config)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f'the tensors in {path} do not fit the network it describes '
                           f'({str(error).splitlines()[-1].strip()}): fetch or train it again'
                           ) from None
    return network.eval(), description


def file_hash(path: str | Path) -> str:
    """Give the SHA-256 of a file, as hex."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _encode(description: Description) -> str:
    fields = dataclasses.asdict(description)
    fields['classes']['palette'] = description.classes.palette.tolist()
    kinds = {shape: kind for kind, shape in SHAPES.items()}
    fields['config']['kind'] = kinds[type(description.config)]
    return json.dumps(fields)


def _describe(path: Path, metadata: dict[str, str]) -> Description:
    if metadata.get('format') != FORMAT:
        raise WeightsError(f'{path} is not a weights file of mfs_seg_core: '
                           'train one with python -m mfs_seg_core.train')
    if metadata.get('version') != VERSION:
        raise WeightsError(f'{path} has version {metadata.get("version")}, this mfs_seg_core reads '
                           f'{VERSION}: update mfs_seg_ros, or train the weights again')
    try:
        fields = json.loads(metadata['description'])
        config = {name: _tuples(value) for name, value in fields['config'].items()}
        shape = SHAPES[config.pop('kind', 'mfs_seg')]
        classes = fields['classes']
        fields |= {
            'config': shape(**config),
            'classes': ClassSet(classes['name'], tuple(classes['names']),
                                np.array(classes['palette'], np.uint8)),
        }
        for name in ('input_size', 'mean', 'std', 'modalities'):
            fields[name] = tuple(fields[name])
        description = Description(**fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f'the description in {path} is incomplete or damaged ({error!r}): '
                           'fetch or train it again') from None
    return description


def _tuples(value):
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
