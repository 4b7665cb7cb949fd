# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The OpenVINO model of a step, with the state as inputs and outputs or inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import openvino
from openvino import opset13
from openvino.op.util import Variable, VariableInfo

from mfs_seg_core.export.step import NEXT
from mfs_seg_core.util.openvino_runtime import openvino_core

# First key of the properties in ``rt_info``.
INFO = 'mfs_seg'


def openvino_model(model: onnx.ModelProto, stateful: bool, states: list[str]) -> openvino.Model:
    """
    Convert an ONNX model of a step.

    :param model: the ONNX model.
    :param stateful: keep the state inside, as variables of these names, each 0 after a reset.
    :param states: names of the potentials.
    :returns: the model; its ``rt_info`` has the properties of the ONNX model.
    """
    converted = openvino_core().read_model(model.SerializeToString())
    if stateful:
        for name in states:
            _keep(converted, name)
        converted.validate_nodes_and_infer_types()
    for entry in model.metadata_props:
        converted.set_rt_info(entry.value, [INFO, entry.key])
    return converted


def _keep(model: openvino.Model, name: str) -> None:
    """Replace an input and the output of its next value by a variable."""
    parameter = next(each for each in model.get_parameters() if name in each.output(0).get_names())
    result = next(each for each in model.get_results()
                  if NEXT + name in each.input_value(0).get_names())
    info = VariableInfo()
    info.data_shape, info.data_type = parameter.get_partial_shape(), parameter.get_element_type()
    info.variable_id = name
    variable = Variable(info)
    shape = opset13.constant(np.array(parameter.get_output_shape(0), np.int64))
    rest = opset13.broadcast(opset13.constant(np.float32(0)), shape)
    value = opset13.read_value(rest, variable)
    for target in list(parameter.output(0).get_target_inputs()):
        target.replace_source_output(value.output(0))
    model.add_sinks([opset13.assign(result.input_value(0).get_node(), variable)])
    model.add_variables([variable])
    model.remove_result(result)
    model.remove_parameter(parameter)


def save_openvino(model: openvino.Model, path: Path) -> None:
    """
    Write a model.

    :param model: the model.
    :param path: path that ends in .xml; its weights are written beside it, to .bin.
    :raises OSError: they cannot be written.
    """
    try:
        # By default, weights would be rounded to 16 bits.
        openvino.save_model(model, path, compress_to_fp16=False)
    except RuntimeError as error:
        raise OSError(str(error).strip().splitlines()[-1]) from None

