# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ONNX model of a step."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
import torch
from onnx import ModelProto, NodeProto, helper
from torch import Tensor

from mfs_seg_core.export.onnx_graph import TYPES, GraphRecorder
from mfs_seg_core.export.step import StepNetwork

# That ONNX Runtime from 1.12 and TensorRT from 8.5 take.
OPSET, IR_VERSION = 17, 8
BATCH = 'batch'


def onnx_model(step: StepNetwork, batch: int | None, properties: Mapping[str, str]) -> ModelProto:
    """
    Return the ONNX model of a step.

    :param step: the step.
    :param batch: number of streams; None: open.
    :param properties: properties of the model.
    :returns: the model, which the checker of ONNX has passed.
    :raises ValueError: the network has an operation without a counterpart in ONNX.
    """
    inputs, state = ({name: x.clone() for name, x in tensors.items()}
                     for tensors in (step.inputs, step.state))
    given = {**inputs, **state}
    recorder = GraphRecorder(given, batch)
    with torch.no_grad(), recorder:
        outputs = step(inputs, state)
    names = {name: recorder.name(x) for name, x in outputs.items()}
    nodes = _needed(recorder.nodes, set(names.values()))
    nodes = _renamed(nodes, names)
    used = {name for node in nodes for name in node.input}
    initializers = [x for x in recorder.initializers.values() if x.name in used]
    graph = helper.make_graph(nodes, step.metadata.name, _infos(given, batch),
                              _infos(outputs, batch), initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)],
                              ir_version=IR_VERSION, producer_name='mfs_seg_core')
    helper.set_model_props(model, dict(properties))
    onnx.checker.check_model(model, full_check=True)
    return model


def _infos(tensors: Mapping[str, Tensor], batch: int | None) -> list:
    return [helper.make_tensor_value_info(name, TYPES[x.dtype], [batch or BATCH, *x.shape[1:]])
            for name, x in tensors.items()]


def _needed(nodes: list[NodeProto], names: set[str]) -> list[NodeProto]:
    """Return the nodes that values depend on; scores at coarser scales serve training alone."""
    kept = []
    for node in reversed(nodes):
        if names.intersection(node.output):
            names.update(node.input)
            kept.append(node)
    return kept[::-1]


def _renamed(nodes: list[NodeProto], outputs: Mapping[str, str]) -> list[NodeProto]:
    """Rename outputs in the nodes that make and read them; ``outputs`` has the present names."""
    names = {}
    made = {name for node in nodes for name in node.output}
    copies = []
    for output, name in outputs.items():
        if name in names or name not in made:
            copies.append(helper.make_node('Identity', [names.get(name, name)], [output], output))
        else:
            names[name] = output
    for node in nodes:
        for field in (node.input, node.output):
            for index, name in enumerate(field):
                field[index] = names.get(name, name)
    return nodes + copies
