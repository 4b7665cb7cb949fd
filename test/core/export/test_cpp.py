# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The C++ programs of docs/export.md compile, and give the masks of the same model in Python."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
from support.paths import REPOSITORY
from support.untrained import SMALL, metadata_of, untrained

from mfs_seg_core.export.check import rest
from mfs_seg_core.export.onnx_model import onnx_model
from mfs_seg_core.export.openvino_model import openvino_model, save_openvino
from mfs_seg_core.export.runners import (
    OnnxRunner,
    StatefulRunner,
    onnx_session,
    openvino_compiled,
)
from mfs_seg_core.export.samples import street_inputs
from mfs_seg_core.export.step import StepNetwork

# Where the headers of ONNX Runtime may lie: its Python package has none.
HEADERS = [Path(os.environ.get('ONNXRUNTIME_INCLUDE', '/nowhere')),
           Path('/usr/include/onnxruntime'),
           Path('/usr/local/include/onnxruntime'),
           Path('/usr/include/onnxruntime/core/session')]
FRAMES = 5


def compiled(folder: Path, header: str, include: Path, library: Path) -> Path:
    """Compile the program of the page that includes a header; return its path."""
    if not shutil.which('g++'):
        pytest.skip('there is no C++ compiler: apt install g++')
    blocks = re.findall(r'^```cpp\n(.*?)^```$', (REPOSITORY / 'docs/export.md').read_text(),
                        re.MULTILINE | re.DOTALL)
    (text,) = [block for block in blocks if f'<{header}>' in block]
    source, program = folder / 'watch.cpp', folder / 'watch'
    source.write_text(text)
    done = subprocess.run(
        ['g++', '-std=c++17', '-Wall', '-Wextra', '-O0', '-isystem', include, source, library,
         f'-Wl,-rpath,{library.parent}', '-o', program], text=True, capture_output=True)
    assert done.returncode == 0 and 'warning' not in done.stderr, done.stderr
    return program


@pytest.fixture(scope='module')
def camera() -> StepNetwork:
    """Return the step of a network for a camera."""
    network = untrained('fast', **SMALL)
    metadata = metadata_of(network)
    return StepNetwork(network, metadata, metadata.input_size, 'camera')


def same_masks(program: Path, model: Path, step: StepNetwork, runner) -> None:
    """Run the program and the model in Python on frames, and compare all masks."""
    frames, masks = b'', []
    for inputs in street_inputs(step, 1, FRAMES):
        # The time that the programs pass.
        inputs['elapsed_s'][:] = 0.05
        frames += inputs['image'].tobytes()
        masks.append(runner.step(inputs)['mask'][0])
    done = subprocess.run([program, model], input=frames, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    width, height = step.size
    found = np.frombuffer(done.stdout, np.uint8).reshape(FRAMES, height, width)
    assert len({mask.tobytes() for mask in masks}) > 1
    assert np.mean(found == masks) > 0.99


def test_openvino_keeps_the_state_in_cpp(camera, tmp_path):
    package = Path(openvino.__file__).parent
    library = next((package / 'libs').glob('libopenvino.so*'), None)
    if library is None or not (package / 'include/openvino/openvino.hpp').is_file():
        pytest.skip('the package openvino has no headers here')
    program = compiled(tmp_path, 'openvino/openvino.hpp', package / 'include', library)
    model = tmp_path / 'step.xml'
    save_openvino(openvino_model(onnx_model(camera, 1, {}), True, [*camera.state]), model)
    same_masks(program, model, camera, StatefulRunner(openvino_compiled(model), rest(camera, 1)))


def test_onnx_runtime_carries_the_state_in_cpp(camera, tmp_path):
    include = next((each for each in HEADERS if (each / 'onnxruntime_cxx_api.h').is_file()), None)
    library = next(Path(onnxruntime.__file__).parent.glob('capi/libonnxruntime.so.*'), None)
    if include is None or library is None:
        pytest.skip('the headers of ONNX Runtime are not installed: apt install '
                    'libonnxruntime-dev, or set ONNXRUNTIME_INCLUDE')
    # The name by which a program finds it is missing from the package.
    link = tmp_path / 'libonnxruntime.so.1'
    link.symlink_to(library)
    program = compiled(tmp_path, 'onnxruntime_cxx_api.h', include, link)
    model = tmp_path / 'step.onnx'
    onnx.save(onnx_model(camera, 1, {}), model)
    same_masks(program, model, camera, OnnxRunner(onnx_session(model), rest(camera, 1)))
