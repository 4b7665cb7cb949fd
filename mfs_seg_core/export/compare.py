# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Compare an exported model with its network and the native engine on frames: masks and times.

``python -m mfs_seg_core.export.compare street.onnx --weights street --input PATH``

All streams keep their state; one more of the model takes torch's state before each step, so that no
difference adds up. Steps take turns, so that other work on the machine meets all streams. Frames
have the size of the model before the time is taken; events are absent.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from mfs_seg_core.util.extras import missing

try:
    import numpy as np
    import onnx

    from mfs_seg_core.data.street.seeds import TEST_SEED
    from mfs_seg_core.engine.compiler import compile_weights
    from mfs_seg_core.engine.resize import resize_image
    from mfs_seg_core.export.check import rest
    from mfs_seg_core.export.openvino_model import INFO
    from mfs_seg_core.export.runners import (
        Arrays,
        NativeRunner,
        OnnxRunner,
        OpenVinoRunner,
        StatefulRunner,
        TorchRunner,
        onnx_session,
        openvino_compiled,
    )
    from mfs_seg_core.export.step import IMAGE, MASK, PRESENT, StepNetwork
    from mfs_seg_core.sources.open_source import open_source
    from mfs_seg_core.streaming.segmenter import set_threads
    from mfs_seg_core.util.modalities import SENSORS
    from mfs_seg_core.util.openvino_runtime import openvino_core
    from mfs_seg_core.util.table import text_table
    from mfs_seg_core.weights.file import load_weights
    from mfs_seg_core.weights.header import find_weights, read_header
except ModuleNotFoundError as error:
    if __name__ != '__main__':
        raise
    sys.exit(f'compare: comparing needs {missing(error.name, ["export"])}')

STREET = 'street'


def compare(model: Path, weights: str, frames: Iterable[np.ndarray]) -> list[list[str]]:
    """
    Step a model, its network in torch and the native engine on frames.

    :param model: file of ONNX or OpenVINO, for one stream with a camera.
    :param weights: name or path of the weights that it was exported from.
    :param frames: uint8 ``[H, W, 3]``, RGB.
    :returns: rows of a table.
    :raises ValueError: the model cannot be read, or does not fit the weights.
    """
    described, stateful = _described(model)
    path = find_weights(weights)
    if described['weights_sha256'] != (read_header(path).sha256 or ''):
        raise ValueError(f"'{model}' was exported from other weights than '{weights}': give those "
                         f'of the name {described["weights"]!r}')
    if 'camera' not in SENSORS[described['modality']]:
        raise ValueError(f"'{model}' takes events only: export with --sensors camera")
    network, metadata = load_weights(path)
    step = StepNetwork(network, metadata, tuple(json.loads(described['input_size'])),
                       described['modality'])
    if model.suffix == '.onnx':
        loaded, kind = onnx_session(model), OnnxRunner
    else:
        loaded, kind = openvino_compiled(model), StatefulRunner if stateful else OpenVinoRunner
    runners: dict[str, Any] = {
        'torch': TorchRunner(step, rest(step, 1)),
        model.name: kind(loaded, rest(step, 1)),
        'native': NativeRunner(compile_weights(network, metadata), metadata.nominal_step)}
    again, from_same_state = kind(loaded, rest(step, 1)), []
    same: dict[str, list[float]] = {name: [] for name in runners}
    times: dict[str, list[float]] = {name: [] for name in runners}
    for inputs in _inputs(step, frames):
        masks = {}
        again.state = runners['torch'].state
        for name, runner in runners.items():
            start = time.perf_counter()
            masks[name] = runner.step(inputs)[MASK]
            times[name].append(1e3 * (time.perf_counter() - start))
        for name, mask in masks.items():
            same[name].append(float(np.mean(mask == masks['torch'])))
        from_same_state.append(np.mean(again.step(inputs)[MASK] == masks['torch']))
    if not same['torch']:
        raise ValueError('there are no frames to compare on: choose another --input')
    rows = [['same mask as torch', 'state kept', "from torch's state", 'step, median ms']]
    return rows + [[name, f'{np.mean(same[name]):.2%}',
                    f'{np.mean(from_same_state):.2%}' if name == model.name else '',
                    f'{statistics.median(times[name]):.1f}'] for name in runners]


def _described(model: Path) -> tuple[dict[str, str], bool]:
    """Return the properties of a model, and whether it keeps its state."""
    try:
        if model.suffix == '.onnx':
            found = onnx.load(model)
            texts = {each.key: each.value for each in found.metadata_props}
            inputs = {each.name for each in found.graph.input}
        else:
            found = openvino_core().read_model(model)
            texts = found.get_rt_info([INFO]).value
            inputs = {each.any_name for each in found.inputs}
        return texts, not inputs.issuperset(json.loads(texts['state']))
    # The runtimes raise errors of their own, of several types.
    except Exception:
        raise ValueError(f"'{model}' is no model that mfs-seg export has written: export it "
                         'again') from None


def _inputs(step: StepNetwork, frames: Iterable[np.ndarray]) -> Iterator[Arrays]:
    """Yield the inputs of a nominal step for each frame."""
    arrays = {name: x.numpy() for name, x in step.inputs.items()}
    if PRESENT in arrays:
        arrays[PRESENT] = np.array([[1, 0]], np.float32)
    for frame in frames:
        yield {**arrays, IMAGE: resize_image(frame, step.size)[None]}


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.export.compare',
                                     description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model', type=Path, help='file of ONNX or OpenVINO, of one stream')
    parser.add_argument('--weights', required=True, help='name or path')
    parser.add_argument('--input', default=STREET, metavar='PATH',
                        help="folder of images, video, bag, or 'street' (default: '%(default)s')")
    parser.add_argument('--frames', type=int, default=50,
                        help='frames of the input, at most (default: %(default)s)')
    parser.add_argument('--threads', type=int, default=1,
                        help='threads of each runtime (default: %(default)s)')
    options = parser.parse_args(arguments)
    try:
        if min(options.frames, options.threads) < 1:
            raise ValueError('--frames and --threads take 1 or more')
        set_threads(options.threads)
        source = open_source(options.input, seed=TEST_SEED)
        frames = islice((item.image for item in source), options.frames)
        print(text_table(compare(options.model, options.weights, frames)))
    except (ValueError, OSError) as error:
        print(f'compare: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
