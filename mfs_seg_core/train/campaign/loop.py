# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stage of a campaign, from its start or its last checkpoint to weights and figures."""

from __future__ import annotations

import dataclasses
import math
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import torch

from mfs_seg_core.engine.program import UnsupportedNetworkError
from mfs_seg_core.engine.programs import write_program
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.network import fold_norms
from mfs_seg_core.train.campaign import networks
from mfs_seg_core.train.campaign.data import open_data
from mfs_seg_core.train.campaign.stage import Campaign, Stage
from mfs_seg_core.train.campaign.step import OptimiserStep
from mfs_seg_core.util.files import write_json, written_aside
from mfs_seg_core.util.provenance import DataHash, provenance
from mfs_seg_core.weights.file import load_weights, save_weights

CHECKPOINT = 'checkpoint.pt'
# Frames to measure the range of activations on for a conversion.
CALIBRATION = 32
# Steps from one look at the clock and the loss to the next: each waits for the GPU.
LOOK_EVERY = 10
# Measurements of all frames to validate on.
OVERALL = ('reset@1', 'stream@1')


def paths(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the files of a stage's weights and of its figures."""
    return folder / name / f'{name}.safetensors', folder / name / f'{name}.json'


class StageRun:
    """One stage on one device."""

    def __init__(self, campaign: Campaign, stage: Stage, root: str | None, folder: Path,
                 device: str, arguments: list[str] | None = None):
        """
        Load the data and create the network, or continue from a checkpoint.

        A network that keeps its state continues with all streams at rest.

        :param campaign: the campaign, whose stages before have their weights in ``folder``.
        :param stage: the stage to run.
        :param root: folder of CamVid; None for a campaign on Street, whose sequences are drawn.
        :param folder: folder of the campaign.
        :param device: torch device.
        :param arguments: options of the command, for the figures.
        :raises ValueError: data or weights cannot be used.
        """
        self.stage, self.folder, self.device, self.arguments = stage, folder, device, arguments
        self.begun = time.monotonic()
        self.metadata = networks.describe(stage, CAMVID,
                                          campaign.street.bins if campaign.street else 0)
        self.batches, self.held_out = open_data(campaign, stage, root, folder, device,
                                                self.metadata)
        # Named in the notes of the weights.
        self.held_out_name = 'street' if campaign.street else stage.val_split
        self.on_gpu = torch.device(device).type == 'cuda'

        def resolved(name: str) -> str | Path:
            return paths(folder, name)[0] if name in campaign.needs(stage) else name

        network = networks.start(stage, self.metadata, resolved(stage.start),
                                 partial(self.batches.samples, CALIBRATION), device)
        teacher = None
        if stage.teacher:
            teacher = fold_norms(load_weights(resolved(stage.teacher))[0])
            teacher = teacher.to(device, memory_format=torch.channels_last).requires_grad_(False)
        self.step = OptimiserStep(stage, network, teacher, self.batches,
                                  self.batches.class_weights(len(CAMVID)).to(device))
        self.total = max(1, stage.epochs * len(self.batches) // stage.batch_size)
        self.number, self.elapsed_s, self.history = 0, 0.0, []
        self.random: torch.Tensor | None = None
        self.checkpoint = folder / stage.name / CHECKPOINT
        if self.checkpoint.is_file():
            self._continue()

    def _continue(self) -> None:
        try:
            saved = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
            self.step.load_state_dict(saved['step'])
        except Exception as error:  # the unpickler raises any type on damaged files
            raise ValueError(f'{self.checkpoint} cannot be continued ({type(error).__name__}): '
                             'delete it to start the stage again') from None
        self.number, self.elapsed_s = saved['number'], saved['elapsed_s']
        self.history, self.random = saved['history'], saved['random']

    def run(self) -> dict:
        """
        Train to the end of the stage, and write its weights and figures.

        :returns: the figures.
        :raises ValueError: the loss is not finite.
        """
        stage, step = self.stage, self.step
        # The order depends on the seed only: with the state of the random numbers, a continued run
        # of a number of epochs equals an uninterrupted one.
        order = self.batches.order(self.total)
        torch.manual_seed(stage.seed)
        if not self.history:
            self._validate(0.0)
        prepared = time.monotonic()
        step.prepare()
        if self.random is not None:
            self._generator().set_state(self.random.cpu())
        self._synchronise()
        prepare_s = time.monotonic() - prepared
        per_epoch = max(1, len(self.batches) // stage.batch_size)
        started, first, before_s = time.monotonic(), self.number, self.elapsed_s
        saved, paused_s, progress = started, 0.0, self._progress()
        while progress < 1:
            place = self.number * stage.batch_size
            step(order[place:place + stage.batch_size], progress, self.number)
            self.number += 1
            if self.number % LOOK_EVERY == 0 or self.number >= self.total:
                loss = float(step.loss)
                if not math.isfinite(loss):
                    raise ValueError(f'stage {stage.name}: the loss is {loss} in step '
                                     f'{self.number}: run again with a lower learning_rate')
                self.elapsed_s = before_s + time.monotonic() - started
            progress = self._progress()
            if self.number % (stage.validate_every * per_epoch) == 0 and progress < 1:
                pause = time.monotonic()
                self._validate(progress)
                paused_s += time.monotonic() - pause
            if time.monotonic() - saved > stage.checkpoint_s:
                self._save()
                saved = time.monotonic()
        self._synchronise()
        train_s = time.monotonic() - started - paused_s
        images = (self.number - first) * stage.batch_size * self.batches.images_per_place
        return self._finish(images / max(train_s, 1e-9), train_s, prepare_s)

    def _generator(self) -> torch.Generator:
        """Return the generator of the augmentation."""
        return (torch.cuda.default_generators[torch.cuda.current_device()] if self.on_gpu
                else torch.default_generator)

    def _progress(self) -> float:
        shares = [self.number / self.total]
        if self.stage.seconds:
            shares.append(self.elapsed_s / self.stage.seconds)
        return max(shares)

    def _synchronise(self) -> None:
        if self.on_gpu:
            torch.cuda.synchronize()

    def _validate(self, progress: float) -> dict[str, ConfusionMatrix]:
        """Measure the averaged weights from rest, and print a line."""
        found = self.held_out.measure(self.step.averaged.eval(), stream=False)
        miou = found['reset@1'].miou
        epoch = self.number * self.stage.batch_size / len(self.batches)
        self.history.append({'step': self.number, 'epoch': round(epoch, 2),
                             'progress': round(progress, 4), 'loss': float(self.step.loss),
                             'miou': miou})
        print(f'{self.stage.name}: epoch {epoch:.0f}, {100 * progress:.0f} %, loss '
              f'{float(self.step.loss):.4f}, mIoU {miou:.4f}', flush=True)
        return found

    def _save(self) -> None:
        """Write a checkpoint, whole or not at all."""
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(self.checkpoint) as part:
            torch.save({'step': self.step.state_dict(), 'number': self.number,
                        'elapsed_s': self.elapsed_s, 'history': self.history,
                        'random': self._generator().get_state()}, part)

    def _finish(self, rate: float, train_s: float, prepare_s: float) -> dict:
        stage, network = self.stage, self.step.averaged.eval()
        modes = self._validate(1.0)
        if getattr(self.metadata.config, 'levels', 0) and not getattr(
                self.metadata.config, 'analogue', False):
            modes |= self.held_out.measure(network, stream=True)
        names, data = self.metadata.classes.names, DataHash()
        self.batches.add_to(data)
        self.held_out.add_to(data)
        result = {
            **provenance('train', self.arguments, data), 'stage': dataclasses.asdict(stage),
            'device': torch.cuda.get_device_name() if self.on_gpu else 'CPU',
            'torch': torch.__version__,
            'images': len(self.batches) * self.batches.images_per_place,
            'validated_on': len(self.held_out), 'steps': self.number,
            'epochs': round(self.number * stage.batch_size / len(self.batches), 1),
            'images_per_s': round(rate, 1), 'train_s': round(train_s, 1),
            'prepare_s': round(prepare_s, 1),
            'total_s': round(time.monotonic() - self.begun, 1),
            'memory_gb': round(torch.cuda.max_memory_allocated() / 1e9, 2) if self.on_gpu else None,
            'parameters': sum(p.numel() for p in network.parameters()),
            'history': self.history,
            'figures': {mode: matrix.figures(names) for mode, matrix in modes.items()}}
        weights, figures = paths(self.folder, stage.name)
        notes = {**self.metadata.notes,
                 **{f'{self.held_out_name}_miou_{mode}': f'{modes[mode].miou:.4f}'
                    for mode in OVERALL if mode in modes}}
        save_weights(weights, network, dataclasses.replace(self.metadata, notes=notes))
        with suppress(UnsupportedNetworkError):
            write_program(weights)
        write_json(figures, result)
        self.checkpoint.unlink(missing_ok=True)
        print(f'{stage.name}: ' + ', '.join(
            f'{mode} {modes[mode].miou:.4f}' for mode in OVERALL if mode in modes)
            + f'; {rate:.0f} images/s, {result["epochs"]} epochs', flush=True)
        return result
