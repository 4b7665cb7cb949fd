# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One optimiser step on a device: augmentation, loss, gradients, averaged weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from mfs_seg_core.labels import UNLABELLED
from mfs_seg_core.model.lite import LiteSeg
from mfs_seg_core.model.state import State
from mfs_seg_core.train.campaign.batch import Batch
from mfs_seg_core.train.campaign.stage import Stage

WARM_UP = 0.05
MAX_NORM = 1.0
# Share of the continued streams that are reset in a step.
REST_SHARE = 0.1
# Replays of a CUDA graph need warm allocators and libraries.
WARM_UP_STEPS = 3


class OptimiserStep:
    """
    Step of training whose inputs are the places of images, or of clips, in the data.

    On a GPU the whole step, augmentation included, is one CUDA graph in bfloat16: the CPU only
    starts it. On a CPU the same code runs in float32. Streams that continue from step to step keep
    their state; some of them are reset.

    The network with the averaged weights is ``averaged``.
    """

    def __init__(self, stage: Stage, network: nn.Module, teacher: nn.Module | None,
                 batches: Callable[[Tensor], Batch], class_weights: Tensor):
        """
        Create the optimiser and the averaged weights.

        :param stage: settings of the stage.
        :param network: network to train, on its device.
        :param teacher: network whose scores are learned too, in evaluation mode.
        :param batches: returns the augmented batch at some places of the data.
        :param class_weights: float32 ``[K]``, weight of each class in the loss.
        """
        self.stage, self.network, self.teacher = stage, network, teacher
        self.batches, self.class_weights = batches, class_weights
        self.device = class_weights.device
        self.on_gpu = self.device.type == 'cuda'
        self.averaged = copy.deepcopy(network).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self._groups(), weight_decay=stage.weight_decay, fused=self.on_gpu or None,
            foreach=None if self.on_gpu else False, capturable=self.on_gpu)
        self.index = torch.zeros(stage.batch_size, dtype=torch.long, device=self.device)
        self.loss = torch.zeros((), device=self.device)
        self.share = torch.ones((), device=self.device)
        # Changed in place, as all tensors of the CUDA graph.
        self._state = self._at_rest() if stage.carry else {}
        self._graph: torch.cuda.CUDAGraph | None = None

    def _groups(self) -> list[dict]:
        """Return the groups of parameters: encoder or not, convolution weights or not."""
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        # Only a LiteSeg may have an encoder that was trained before.
        pretrained = ('stem.', 'encoder.') if isinstance(self.network, LiteSeg) else ()
        for name, parameter in self.network.named_parameters():
            factor = self.stage.encoder_rate if name.startswith(pretrained) else 1.0
            groups.setdefault((factor, parameter.dim() == 4), []).append(parameter)
        self.factors = [factor for factor, _ in groups]
        return [{'params': parameters, 'lr': torch.tensor(0.0, device=self.device),
                 **({} if decays else {'weight_decay': 0.0})}
                for (_, decays), parameters in groups.items()]

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.on_gpu)

    @torch.no_grad()
    def _at_rest(self) -> State:
        """Return the state of a batch at rest: zeros."""
        stage, config = self.stage, self.network.config
        width, height = stage.crop
        blank = torch.zeros(1, stage.batch_size, height, width, config.inputs, device=self.device)
        with self._autocast():
            state = self.averaged.eval()(blank.permute(0, 1, 4, 2, 3)).state
        return {name: torch.zeros_like(potential) for name, potential in state.items()}

    def _carried(self, follows: Tensor | None) -> State | None:
        """Return the state after the step before; new streams and a few others are reset."""
        if follows is None or not self._state:
            return None
        rest = torch.rand(len(follows), device=self.device) < REST_SHARE
        keep = (follows & ~rest).view(-1, 1, 1, 1)
        return {name: potential * keep for name, potential in self._state.items()}

    def prepare(self) -> None:
        """Capture the step as a CUDA graph; the weights advance by a few small steps."""
        if not self.on_gpu:
            return
        self._set_rate(0.0)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP_STEPS):
                self._step()
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._step()

    def __call__(self, index: Tensor, progress: float, number: int) -> None:
        """
        Make a step.

        :param index: places of the images in the data, int64 ``[B]``, on the device.
        :param progress: share of the stage that has passed, 0..1.
        :param number: number of steps before this one.
        """
        factor = min((progress + 1e-3) / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * progress))
        self._set_rate(self.stage.learning_rate * factor)
        # The average of the first steps forgets sooner.
        self.share.fill_(1 - min(self.stage.ema, (1 + number) / (10 + number)))
        self.index.copy_(index)
        if self._graph is None:
            self._step()
        else:
            self._graph.replay()

    def _set_rate(self, rate: float) -> None:
        for factor, group in zip(self.factors, self.optimiser.param_groups):
            group['lr'].fill_(rate * factor)

    def _step(self) -> None:
        """Augment, score, back-propagate, update."""
        batch = self.batches(self.index)
        self.optimiser.zero_grad(set_to_none=True)
        state, total = self._carried(batch.follows), 0.0
        for t, label in enumerate(batch.labels):
            # Slices keep the memory layout, and so do their gradients.
            image, *sensors = (None if x is None else x[t:t + 1]
                               for x in (batch.images, batch.events, batch.present))
            inputs = {} if sensors[0] is None else dict(zip(('events', 'present'), sensors))
            with self._autocast():
                prediction = self.network(
                    image, state, elapsed=1.0 if state is None else batch.elapsed, **inputs)
                state = prediction.state or None
                taught = None
                if self.teacher is not None:
                    with torch.no_grad():
                        taught = self.teacher(image, **inputs).logits[-1].squeeze(0)
            total = total + self._loss(prediction.logits, label, taught)
        total = total / len(batch.labels)
        total.backward()
        for name, potential in self._state.items():
            potential.copy_(state[name].detach())
        nn.utils.clip_grad_norm_(self.network.parameters(), MAX_NORM)
        self.optimiser.step()
        self.loss.copy_(total.detach())
        self._average()

    def _loss(self, logits: tuple[Tensor, ...], label: Tensor, taught: Tensor | None) -> Tensor:
        total = 0.0
        for weight, scale in zip(self.stage.scale_weights[-len(logits):], logits):
            scores = scale.squeeze(0).float()
            target = label
            if scores.shape[-2:] != label.shape[-2:]:
                target = functional.interpolate(label[:, None].float(), scores.shape[-2:])
                target = target[:, 0].long()
            total = total + weight * functional.cross_entropy(
                scores, target, self.class_weights, ignore_index=UNLABELLED)
        if taught is None:
            return total
        # Void pixels of a frame teach too, but those beyond its edge are void as well.
        known = (label != UNLABELLED).float()
        heat = self.stage.temperature
        wanted = functional.log_softmax(taught.float() / heat, 1)
        given = functional.log_softmax(logits[-1].squeeze(0).float() / heat, 1)
        distance = (wanted.exp() * (wanted - given)).sum(1)
        distil = heat ** 2 * (distance * known).sum() / known.sum().clamp(min=1)
        return (1 - self.stage.distil) * total + self.stage.distil * distil

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged weights and statistics towards those of the network."""
        pairs = [(mine, theirs) for mine, theirs in zip(
            self.averaged.state_dict().values(), self.network.state_dict().values())
            if theirs.is_floating_point()]
        averages, current = zip(*pairs)
        difference = torch._foreach_sub(current, averages)
        torch._foreach_mul_(difference, self.share)
        torch._foreach_add_(averages, difference)

    def state_dict(self) -> dict:
        """Return the state of the optimiser and of both networks, for a checkpoint."""
        return {'network': self.network.state_dict(), 'averaged': self.averaged.state_dict(),
                'optimiser': self.optimiser.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Load the state of a checkpoint; call before :meth:`prepare`."""
        self.network.load_state_dict(state['network'])
        self.averaged.load_state_dict(state['averaged'])
        self.optimiser.load_state_dict(state['optimiser'])
