# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Export weights to a file of each kind, which is written only if it agrees with the network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mfs_seg_core.engine.compiler import compile_weights
from mfs_seg_core.engine.file import load_program, program_bytes
from mfs_seg_core.export.check import (
    ROUNDING_16,
    ExportError,
    Masks,
    Numbers,
    check_masks,
    check_numbers,
    rest,
)
from mfs_seg_core.export.properties import properties
from mfs_seg_core.export.quantised import quantised
from mfs_seg_core.export.runners import (
    NativeRunner,
    OnnxRunner,
    OpenVinoRunner,
    StatefulRunner,
    onnx_session,
    openvino_compiled,
)
from mfs_seg_core.export.step import StepNetwork
from mfs_seg_core.model.stateful import Stateful
from mfs_seg_core.util.files import aside
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.util.text import printable
from mfs_seg_core.weights.file import load_weights
from mfs_seg_core.weights.header import find_weights, read_header
from mfs_seg_core.weights.metadata import LIMITS

# Suffixes of the files by target.
SUFFIXES = {'onnx': '.onnx', 'openvino': '.xml', 'program': '.program'}
# Streams of a comparison where the model leaves their number open.
STREAMS = 2


@dataclass(frozen=True)
class ExportSettings:
    """
    Options of a model of ONNX or OpenVINO.

    :param size: width and height of the input; None: as trained.
    :param batch: number of streams; None: open.
    :param sensors: 'camera', 'events' or 'fusion'; None: those of the weights.
    :param stateful: keep the state in the model (OpenVINO).
    """

    size: tuple[int, int] | None = None
    batch: int | None = 1
    sensors: str | None = None
    stateful: bool = False


class Exported(NamedTuple):
    """
    Result of an export.

    :param files: files that were written.
    :param numbers: agreement of scores and potentials; None: a program, which returns no scores.
    :param masks: agreement of masks.
    """

    files: tuple[Path, ...]
    numbers: Numbers | None
    masks: Masks


def export(weights: str | Path, target: str, output: Path,
           settings: ExportSettings | None = None) -> Exported:
    """
    Write one step of weights for another runtime, after comparing it with the network in torch.

    :param weights: name of shipped weights, or path.
    :param target: 'onnx', 'openvino' or 'program'.
    :param output: path of the file.
    :param settings: options of a model; None: the defaults.
    :returns: files, and how far the model agrees with the network.
    :raises WeightsError: the weights cannot be used.
    :raises ExportError: the settings exclude each other, or the model differs from the network;
        nothing was written.
    :raises OSError: the file cannot be written; one sentence.
    """
    settings = settings or ExportSettings()
    _check(target, output, settings)
    path = find_weights(weights)
    network, metadata = load_weights(path)
    if not isinstance(network, Stateful):
        raise ExportError(f'the weights {metadata.name!r} are of a network without a state, which '
                          'torch.onnx.export takes as it is: choose weights of a spiking network')
    modality = settings.sensors or metadata.modality
    if not set(SENSORS[modality]) <= set(metadata.sensors):
        raise ExportError(f'the weights {metadata.name!r} take input of '
                          f'{" and ".join(metadata.sensors)}: leave out --sensors {modality}, or '
                          'choose other weights')
    step = StepNetwork(network, metadata, settings.size or metadata.input_size, modality)
    sha256 = read_header(path).sha256
    if target == 'program':
        if sha256 is None:
            raise ExportError(f"'{path}' has no hash, by which a program names its weights: train "
                              'it again')
        program = compile_weights(network, metadata)
        with _written(output, '.program') as part:
            part.write_bytes(program_bytes(program, metadata, sha256))
            runner = NativeRunner(load_program(part, sha256)[0], metadata.nominal_step)
            masks = check_masks(quantised(step), 1, runner.step, ROUNDING_16)
        return Exported((output,), None, masks)
    return _model(step, target, output, settings, properties(step, sha256))


def _model(step: StepNetwork, target: str, output: Path, settings: ExportSettings,
           texts: dict[str, str]) -> Exported:
    """Write a model of ONNX or OpenVINO."""
    from mfs_seg_core.export.onnx_model import onnx_model
    model = onnx_model(step, settings.batch, texts)
    if target == 'onnx':
        def write(part: Path) -> None:
            part.write_bytes(model.SerializeToString())
        load, runner, suffixes = onnx_session, OnnxRunner, ('.onnx',)
    else:
        from mfs_seg_core.export.openvino_model import openvino_model, save_openvino

        def write(part: Path) -> None:
            save_openvino(openvino_model(model, settings.stateful, list(step.state)), part)
        load, runner = openvino_compiled, StatefulRunner if settings.stateful else OpenVinoRunner
        # The file that a program opens appears last.
        suffixes = ('.bin', '.xml')
    streams = settings.batch or STREAMS
    with _written(output, *suffixes) as part:
        write(part)
        loaded = _loaded(load, part)
        numbers = check_numbers(step, streams, lambda state: runner(loaded, state))
        masks = check_masks(step, streams, runner(loaded, rest(step, streams)).step)
    return Exported(tuple(output.with_suffix(each) for each in suffixes), numbers, masks)


def _loaded(load: Callable[[Path], Any], part: Path) -> Any:
    """Load a model into its runtime."""
    try:
        return load(part)
    except ImportError:
        raise
    # The runtimes raise errors of their own, of several types.
    except Exception as error:
        raise ExportError('the runtime does not load the model '
                          f'({printable(str(error).strip().splitlines()[0])}), so nothing was '
                          'written: update its package') from None


@contextmanager
def _written(path: Path, *suffixes: str) -> Iterator[Path]:
    """
    Yield a path beside ``path`` to write files of these suffixes to; rename them if all is well.

    :param path: path of the file with the last suffix.
    :param suffixes: suffixes of the files.
    :yields: path of the file with the last suffix.
    :raises OSError: they cannot be written; one sentence.
    """
    part = aside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            for suffix in suffixes:
                os.replace(part.with_suffix(suffix), path.with_suffix(suffix))
        finally:
            for suffix in suffixes:
                part.with_suffix(suffix).unlink(missing_ok=True)
    except OSError as error:
        raise OSError(f"'{path}' cannot be written ({error.strerror or error}): make room on the "
                      'disk, or choose another folder') from None


def _check(target: str, output: Path, settings: ExportSettings) -> None:
    """Raise ExportError for settings that exclude each other."""
    suffix = SUFFIXES[target]
    if output.suffix != suffix:
        raise ExportError(f"'{output}' is no name for a file of {target}: let it end in {suffix}")
    if target == 'program' and settings != ExportSettings():
        raise ExportError('a program runs every size, number of streams and sensor of its weights: '
                          'leave out --size, --batch, --sensors and --stateful')
    if settings.stateful and (target != 'openvino' or settings.batch is None):
        raise ExportError('--stateful keeps the state of a fixed number of streams in a model of '
                          'OpenVINO: choose --to openvino and --batch N, or leave it out')
    if settings.batch is not None and not 1 <= settings.batch <= 64:
        raise ExportError(f'--batch is {settings.batch}: give 1 to 64 streams, or dynamic')
    limit = LIMITS['input_size']
    if settings.size and not all(limit.least <= n <= limit.most for n in settings.size):
        raise ExportError(f'--size is {settings.size[0]} {settings.size[1]}: give a width and a '
                          f'height of {limit.least} to {limit.most} pixels')
