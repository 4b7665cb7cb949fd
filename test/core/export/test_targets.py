# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exported files have the names, properties and numbers of the network; wrong ones are refused."""

import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from support.event_trees import random_events
from support.untrained import SMALL, metadata_of, untrained

from mfs_seg_core.engine.programs import find_program
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.export import targets
from mfs_seg_core.export.check import ExportError, check_masks, rest
from mfs_seg_core.export.onnx_model import onnx_model
from mfs_seg_core.export.openvino_model import openvino_model, save_openvino
from mfs_seg_core.export.runners import (
    OnnxRunner,
    OpenVinoRunner,
    StatefulRunner,
    onnx_session,
    openvino_compiled,
)
from mfs_seg_core.export.samples import plain_inputs, street_inputs
from mfs_seg_core.export.targets import ExportSettings, export
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.openvino_runtime import openvino_core
from mfs_seg_core.weights.file import load_weights, save_weights

# Size of the step of the fixture.
SIZE = (64, 44)
# Operators of the networks, all of which TensorRT 8.5 and later import.
OPERATORS = {'Add', 'ArgMax', 'Cast', 'Clip', 'Concat', 'Conv', 'ConvTranspose', 'Div', 'Gather',
             'Min', 'Mul', 'Pow', 'Resize', 'Round', 'Shape', 'Slice', 'Sub', 'Transpose',
             'Unsqueeze'}


def test_a_model_has_names_shapes_and_properties(fusion, tmp_path):
    weights, metadata, step = fusion
    file = tmp_path / 'new/step.onnx'
    exported = export(weights, 'onnx', file, ExportSettings(SIZE, None))
    assert exported.files == (file,) and [*file.parent.iterdir()] == [file]
    assert exported.numbers.different == 0
    model = onnx.load(file)
    assert [(each.domain, each.version) for each in model.opset_import] == [('', 17)]
    assert {node.op_type for node in model.graph.node} <= OPERATORS
    shapes = {info.name: [each.dim_param or each.dim_value
                          for each in info.type.tensor_type.shape.dim]
              for info in [*model.graph.input, *model.graph.output]}
    width, height = SIZE
    state = [*step.state]
    assert [info.name for info in model.graph.input] == [
        'image', 'events', 'present', 'elapsed_s', *state]
    assert [info.name for info in model.graph.output] == [
        'scores', 'mask', *(f'next.{name}' for name in state)]
    assert shapes['image'] == ['batch', height, width, 3]
    assert shapes['scores'] == ['batch', 11, height, width]
    assert shapes['mask'] == ['batch', height, width]
    for name, zeros in step.state.items():
        assert shapes[name] == shapes[f'next.{name}'] == ['batch', *zeros.shape[1:]]
    texts = {each.key: each.value for each in model.metadata_props}
    assert json.loads(texts['classes']) == list(metadata.classes.names)
    assert json.loads(texts['palette']) == metadata.classes.palette.tolist()
    assert json.loads(texts['input_size']) == [*SIZE]
    assert json.loads(texts['state']) == state
    assert json.loads(texts['nominal_step_s']) == metadata.nominal_step
    assert texts['licence'] == 'none' and texts['modality'] == 'fusion'


@pytest.mark.parametrize('config, changes, target, settings', [
    # Fixed leaks.
    ('fast', {**SMALL, 'events': 4, 'recall': False, 'learn_leak': False}, 'onnx',
     ExportSettings(sensors='events')),
    # Signed spikes.
    ('lite', {'encoder': ((1, 3, 1, 1, 8), (1, 3, 2, 2, 12), (1, 3, 2, 2, 16)),
              'decoder_widths': (8, 12), 'decoder_kernels': ((3,), (3,), (3,))}, 'onnx',
     ExportSettings(SIZE, 2)),
    # Binary spikes, several steps for an image, transposed convolutions of 4x4.
    ('paper', {'steps': 2, 'widths': (4, 8, 12), 'expansion': 1}, 'openvino',
     ExportSettings((32, 32)))],
    ids=['events', 'lite', 'paper'])
def test_every_kind_of_network_is_exported(config, changes, target, settings, tmp_path):
    network = untrained(config, **changes)
    weights = tmp_path / 'weights.safetensors'
    save_weights(weights, network, metadata_of(network))
    output = tmp_path / f'step{targets.SUFFIXES[target]}'
    exported = export(weights, target, output, settings)
    assert exported.numbers.different < 0.01
    assert all(file.is_file() for file in exported.files)


def test_a_model_gives_the_masks_and_state_of_a_segmenter(fusion, tmp_path):
    """In steps of both sensors, of the camera alone, and of events alone."""
    weights, metadata, step = fusion
    file = tmp_path / 'step.onnx'
    onnx.save(onnx_model(step, 1, {}), file)
    runner = OnnxRunner(onnx_session(file), rest(step, 1))
    segmenter = Segmenter(load_weights(weights)[0], metadata, input_size=SIZE, backend='torch')
    for index, inputs in enumerate(plain_inputs(step, 1, 6)):
        camera, events = inputs['present'][0] = [(1, 1), (1, 0), (0, 1)][index % 3]
        window = EventWindow(random_events(300, 50_000, SIZE, index), 0, 50_000, SIZE)
        inputs['events'][0] = event_tensor(window, metadata.event_bins, *SIZE)
        mask = runner.step(inputs)['mask'][0]
        expected = segmenter.step(
            inputs['image'][0] if camera else None, float(inputs['elapsed_s'][0]),
            events=window if events else None).mask
        assert np.mean(mask == expected) > 0.999
    for name, array in segmenter.state.items():
        assert np.mean(np.abs(array - runner.state[name]) < 1e-4) > 0.99, name


def test_openvino_keeps_the_state_inside(fusion, tmp_path):
    weights, _, step = fusion
    inside, outside = (tmp_path / f'{name}.xml' for name in ('inside', 'outside'))
    exported = export(weights, 'openvino', inside, ExportSettings(SIZE, stateful=True))
    assert sorted(tmp_path.iterdir()) == sorted(exported.files) == [
        inside.with_suffix('.bin'), inside]
    save_openvino(openvino_model(onnx_model(step, 1, {}), False, []), outside)
    model = openvino_core().read_model(inside)
    assert [port.any_name for port in model.inputs] == ['image', 'events', 'present', 'elapsed_s']
    assert [port.any_name for port in model.outputs] == ['scores', 'mask']
    assert model.get_rt_info(['mfs_seg', 'licence']).value == 'none'
    stateful = StatefulRunner(openvino_compiled(inside), rest(step, 1))
    assert stateful.state.keys() == step.state.keys()
    stateless = OpenVinoRunner(openvino_compiled(outside), rest(step, 1))
    for inputs in street_inputs(step, 1, 4):
        found, expected = stateful.step(inputs), stateless.step(inputs)
        assert np.array_equal(found['mask'], expected['mask'])
    assert stateful.state.keys() == stateless.state.keys()
    assert all(np.array_equal(array, stateless.state[name])
               for name, array in stateful.state.items())


def test_the_program_is_that_of_the_engine(fusion, tmp_path):
    weights = fusion[0]
    copy = tmp_path / 'fusion.safetensors'
    copy.write_bytes(weights.read_bytes())
    exported = export(copy, 'program', tmp_path / 'fusion.program')
    assert exported.numbers is None and exported.masks.same > 0.5
    # Beside its weights, it runs without being compiled.
    assert find_program(copy)[1].name == 'test'


def change_leak(model: onnx.ModelProto) -> None:
    """Change the leaks of one layer by 10 %."""
    node = [node for node in model.graph.node if node.op_type == 'Pow'][5]
    leak = next(each for each in model.graph.initializer if each.name == node.input[0])
    array = numpy_helper.to_array(leak) * 1.1
    leak.CopyFrom(numpy_helper.from_array(array.astype(np.float32), leak.name))


def change_interpolation(model: onnx.ModelProto) -> None:
    """Enlarge to the nearest pixel instead of bilinearly."""
    for node in model.graph.node:
        if node.op_type == 'Resize':
            next(each for each in node.attribute if each.name == 'mode').s = b'nearest'


def change_reset(model: onnx.ModelProto) -> None:
    """Add the spikes of a layer to its potential instead of subtracting them."""
    nodes = [node for node in model.graph.node if node.op_type == 'Sub']
    nodes[-3].op_type = 'Add'


def change_elapsed(model: onnx.ModelProto) -> None:
    """Leave the time since the last step out."""
    for node in model.graph.node:
        if node.op_type == 'Div' and node.input[0] == 'elapsed_s':
            node.input[1] = 'elapsed_s'


@pytest.mark.parametrize('change', [change_leak, change_interpolation, change_reset,
                                    change_elapsed])
def test_a_wrong_model_is_not_written(change, fusion, tmp_path, monkeypatch):
    from mfs_seg_core.export import onnx_model as module

    def wrong_model(*arguments):
        model = onnx_model(*arguments)
        change(model)
        return model

    monkeypatch.setattr(module, 'onnx_model', wrong_model)
    with pytest.raises(ExportError, match='differs from the network in .* nothing was written'):
        export(fusion[0], 'onnx', tmp_path / 'step.onnx', ExportSettings(SIZE))
    assert not [*tmp_path.iterdir()]


def test_masks_that_drift_are_refused(fusion):
    step = fusion[2]
    with pytest.raises(ExportError, match='masks of the exported model'):
        check_masks(step, 1, lambda inputs: {'mask': np.zeros((1, *SIZE[::-1]), np.uint8)})
