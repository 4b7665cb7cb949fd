# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmenter: weights in, then frame, events or both -> mask, one step of the neurons a message."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.model.network import MFSSeg, fold_norms
from mfs_seg_core.streaming.batch_state import Memory, gather, keep
from mfs_seg_core.streaming.preprocess import mask_of, normalise, resize_images
from mfs_seg_core.weights.file import Metadata, load_weights


@dataclass(frozen=True)
class Segmentation:
    """
    The answer to one step.

    :param mask: uint8 ``[H, W]`` of class ids, at the size of the camera's frames; before the first
        of them, at the event sensor's.
    :param confidence: uint8 ``[H, W]``, probability of that class in 0..255, if asked for.
    :param firing_rate: mean spikes of a neuron in this step, if asked for.
    :param model_ms: time in the network; for streams that step together, of all of them.
    """

    mask: np.ndarray
    confidence: np.ndarray | None
    firing_rate: float | None
    preprocess_ms: float
    model_ms: float
    postprocess_ms: float


@dataclass(frozen=True)
class Prepared:
    """
    What one stream is to see in its next step, found good by :meth:`Segmenter.prepare`.

    :param images: normalised pixels ``[1, 3, H, W]``, or the event tensor where the weights see
        events only.
    :param events: event tensor ``[1, E, H, W]`` beside the images.
    :param elapsed: time since the last step, in nominal steps.
    :param sizes: height and width by the sense that is given.
    """

    images: Tensor | None
    events: Tensor | None
    elapsed: float
    sizes: dict[str, tuple[int, int]]
    preprocess_ms: float


def set_threads(count: int) -> None:
    """Let the network use ``count`` CPU threads, in this process."""
    torch.set_num_threads(count)


class Segmenter:
    """
    A stream of frames and events through a network whose membrane potentials it keeps between them.

    One segmenter serves one stream. Each :meth:`step` advances every neuron by as many steps as the
    weights take for an image: one, for streaming weights.
    """

    def __init__(self, network: MFSSeg, metadata: Metadata, device: str = 'cpu',
                 input_size: tuple[int, int] | None = None):
        """
        :param input_size: width and height that frames are resized to; None: as trained.
        :raises ValueError: the device or the size cannot be used.
        """
        if 'events' in metadata.sensors and not metadata.event_bins:
            raise ValueError(f"the weights {metadata.name!r} see tensors of a data set's own, "
                             'which are not made of events here: choose other weights')
        try:
            self.device = torch.device(device)
            network = network.to(self.device, memory_format=torch.channels_last)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f'device {device!r} cannot be used here '
                             f'({str(error).splitlines()[0]}): use cpu') from None
        self.input_size = tuple(input_size or metadata.input_size)
        if min(self.input_size) < 32:
            raise ValueError(f'the input size must be at least 32x32, not '
                             f'{self.input_size[0]}x{self.input_size[1]}')
        self.network = network.eval()
        self.metadata = metadata
        self._memory = Memory()
        # Of the last frame, and of the last events.
        self._sizes: dict[str, tuple[int, int]] = {}
        self.steps_since_reset = 0

    @classmethod
    def from_weights(cls, path_or_name: str | Path, device: str = 'cpu',
                     input_size: tuple[int, int] | None = None) -> Segmenter:
        """
        Load weights by path or by the name of shipped ones.

        :raises WeightsError: the weights cannot be used.
        :raises ValueError: the device or the size cannot be used.
        """
        network, metadata = load_weights(path_or_name)
        return cls(fold_norms(network), metadata, device, input_size)

    def sibling(self) -> Segmenter:
        """Give another stream, at rest, on the same network."""
        return Segmenter(self.network, self.metadata, self.device, self.input_size)

    @property
    def name(self) -> str:
        """Name of the weights."""
        return self.metadata.name

    @property
    def modality(self) -> str:
        """What the weights take: 'camera', 'events', or 'fusion' of both."""
        return self.metadata.modality

    @property
    def sensors(self) -> tuple[str, ...]:
        """Sensors of the modality: 'camera', 'events' or both."""
        return self.metadata.sensors

    @property
    def classes(self) -> ClassSet:
        """Classes of the masks."""
        return self.metadata.classes

    def reset(self) -> None:
        """Bring every neuron back to rest."""
        self._memory.clear()
        self.steps_since_reset = 0

    def step(self, frame: np.ndarray | None = None, elapsed_s: float | None = None,
             confidence: bool = False, firing_rate: bool = False,
             events: EventWindow | None = None) -> Segmentation:
        """
        Take in one frame, the events since the last step, or both.

        A frame of another size than the one before starts from rest; so do events of a sensor of
        another size.

        :param frame: uint8 ``[H, W, 3]``, RGB; None: the camera has nothing new.
        :param elapsed_s: seconds since the last step, 0 or more, which the leak follows; None: the
            weights' nominal step.
        :param confidence: give the confidence too.
        :param firing_rate: give the firing rate too; a network that fires no spikes has none.
        :param events: None: the sensor of events is not there; a window without events is one that
            saw nothing happen.
        :raises ValueError: the frame has another shape or dtype, the events are not of their window
            or sensor, the time is below 0, or the weights do not see what is given.
        """
        prepared = self.prepare(frame, elapsed_s, events)
        return step_together([(self, prepared)], confidence, firing_rate)[0]

    @torch.inference_mode()
    def prepare(self, frame: np.ndarray | None = None, elapsed_s: float | None = None,
                events: EventWindow | None = None) -> Prepared:
        """
        Make ready, for :func:`step_together`, what :meth:`step` takes. The stream stays as it is.

        :raises ValueError: as :meth:`step` does.
        """
        self._check(frame, events)
        nominal = self.metadata.nominal_step
        elapsed = 1.0 if elapsed_s is None else elapsed_s / nominal
        if not 0 <= elapsed < float('inf'):
            raise ValueError(f'elapsed_s is {elapsed_s}: give seconds, 0 or more')
        start = time.perf_counter()
        images, beside = self._image(frame), self._tensor(events)
        if self.modality == 'events':
            images, beside = beside, None
        sizes = {}
        if events is not None:
            sizes['events'] = events.size[::-1]
        if frame is not None:
            sizes['camera'] = frame.shape[:2]
        return Prepared(images, beside, elapsed, sizes, 1e3 * (time.perf_counter() - start))

    def _check(self, frame: np.ndarray | None, events: EventWindow | None) -> None:
        given = [name for name, x in (('camera', frame), ('events', events)) if x is not None]
        unseen = [name for name in given if name not in self.sensors]
        if unseen or not given:
            what = f'nothing of {unseen[0]}' if unseen else 'nothing at all'
            raise ValueError(f'the weights {self.name!r} see {" and ".join(self.sensors)}, and '
                             f'{what} can be a step: give what they see, or choose other weights')
        if frame is not None and (
                frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8
                or frame.size == 0):
            raise ValueError(f'a frame is uint8 [H, W, 3], not {frame.dtype} {list(frame.shape)}')

    def _follow(self, sizes: dict[str, tuple[int, int]]) -> tuple[int, int]:
        """Start from rest if a size has changed; give height and width of the mask."""
        if any(self._sizes.get(sense, size) != size for sense, size in sizes.items()):
            self.reset()
        self._sizes |= sizes
        return self._sizes.get('camera') or self._sizes['events']

    def _image(self, frame: np.ndarray | None) -> Tensor | None:
        if frame is None:
            return None
        # A copy: torch would warn of arrays that must not be written, as those of messages are.
        image = torch.tensor(frame, device=self.device).permute(2, 0, 1)[None]
        return normalise(resize_images(image, self.input_size), self.metadata)

    def _tensor(self, events: EventWindow | None) -> Tensor | None:
        if events is None:
            return None
        tensor = event_tensor(events, self.metadata.event_bins, *self.input_size, self.device)
        # Pixel by pixel in memory, as the convolutions take it.
        return tensor[None].contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def step_together(steps: Sequence[tuple[Segmenter, Prepared]], confidence: bool = False,
                  firing_rate: bool = False) -> list[Segmentation]:
    """
    Advance several streams of one network by one step each, as one batch.

    Each takes what it would take alone, whatever the others see: the same numbers but for the
    order of additions. Quickest while the same streams come together again and again. All streams
    of a network belong to one thread.

    :param steps: each stream, once, with what it prepared.
    :returns: in the order of ``steps``.
    :raises ValueError: a stream comes twice, or they are not of one network and input size; no
        stream has changed.
    """
    if not steps:
        return []
    start = time.perf_counter()
    network = _shared_network([segmenter for segmenter, _ in steps])
    sizes = [segmenter._follow(prepared.sizes) for segmenter, prepared in steps]
    # In the order of their last step together, in which their state lies.
    order = sorted(range(len(steps)), key=lambda i: steps[i][0]._memory.row)
    memories = [steps[i][0]._memory for i in order]
    inputs = _inputs([steps[i][1] for i in order], network.config.steps)

    prediction = network(state=gather(memories), rates=firing_rate, **inputs)
    keep(memories, prediction.state)
    logits = prediction.logits[-1]
    logits = logits[0] if len(logits) == 1 else logits.mean(0)
    rates = (torch.stack(list(prediction.rates.values())).mean(0).tolist() if prediction.rates
             else [None] * len(steps))
    model_ms = 1e3 * (time.perf_counter() - start)

    results: dict[int, Segmentation] = {}
    for row, i in enumerate(order):
        segmenter, prepared = steps[i]
        segmenter.steps_since_reset += network.config.steps
        start = time.perf_counter()
        mask, certainty = mask_of(logits[row:row + 1], sizes[i], confidence)
        results[i] = Segmentation(mask, certainty, rates[row], prepared.preprocess_ms, model_ms,
                                  1e3 * (time.perf_counter() - start))
    return [results[i] for i in range(len(steps))]


def _shared_network(segmenters: list[Segmenter]) -> MFSSeg:
    if len(set(segmenters)) < len(segmenters):
        raise ValueError('a stream comes twice among those that step together: its steps follow '
                         'one another, so give each a batch of its own')
    first = segmenters[0]
    if any(other.network is not first.network or other.input_size != first.input_size
           for other in segmenters):
        raise ValueError('streams that step together share one network and one input size: make '
                         'them by sibling()')
    return first.network


def _inputs(prepared: list[Prepared], steps: int) -> dict[str, object]:
    """Give the network what streams see, ``[T, B, C, H, W]``, and their times."""
    given = {'images': [each.images for each in prepared],
             'events': [each.events for each in prepared]}
    inputs: dict[str, object] = {}
    for name, tensors in given.items():
        there = next((x for x in tensors if x is not None), None)
        if there is None:
            inputs[name] = None
            continue
        x = there if len(tensors) == 1 else torch.cat(
            [torch.zeros_like(there) if x is None else x for x in tensors])
        inputs[name] = x[None].expand(steps, *x.shape)
    seen = [[x is not None for x in pair] for pair in zip(*given.values())]
    if any(senses != seen[0] for senses in seen):
        inputs['seen'] = torch.tensor(seen, device=x.device)[None].expand(steps, -1, -1)
    elapsed = [each.elapsed for each in prepared]
    inputs['elapsed'] = (elapsed[0] if len(set(elapsed)) == 1
                         else torch.tensor(elapsed, device=x.device))
    return inputs
