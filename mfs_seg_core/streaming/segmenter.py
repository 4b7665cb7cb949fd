# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmentation of streams: a mask for each frame, event window or both, by one network step."""

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
from mfs_seg_core.model.state import State
from mfs_seg_core.streaming.batch_state import StreamState, gather, scatter
from mfs_seg_core.streaming.preprocess import mask_of, normalise, resize_images
from mfs_seg_core.weights.file import Metadata, load_weights


@dataclass(frozen=True)
class Segmentation:
    """
    Result of one step.

    :param mask: uint8 ``[H, W]`` of class ids, at the size of the last frame; before the first
        frame, at the size of the event sensor.
    :param confidence: uint8 ``[H, W]``, probability of that class in 0..255, if requested.
    :param firing_rate: mean spikes of a neuron in this step, if requested.
    :param model_ms: time in the network, in milliseconds; of the whole batch, for streams that step
        together.
    """

    mask: np.ndarray
    confidence: np.ndarray | None
    firing_rate: float | None
    model_ms: float


@dataclass(frozen=True)
class Prepared:
    """
    Valid input of one step of a stream, made by :meth:`Segmenter.prepare`.

    :param images: normalised pixels ``[1, 3, H, W]``, or the event tensor for weights that take
        events only.
    :param events: event tensor ``[1, E, H, W]``, for weights that take both.
    :param elapsed: time since the last step, in nominal steps.
    :param sizes: height and width of the frame and of the event sensor, by sensor.
    """

    images: Tensor | None
    events: Tensor | None
    elapsed: float
    sizes: dict[str, tuple[int, int]]


def set_threads(count: int) -> None:
    """Set the number of CPU threads of the networks of this process."""
    torch.set_num_threads(count)


class Segmenter:
    """
    Stream of frames and events through a network, with its membrane potentials.

    One segmenter serves one stream. Each :meth:`step` advances every neuron by as many steps as the
    weights take for an image: one, for streaming weights::

        time            0 s             0.05 s           0.10 s
        input          frame            frame            events
                         |                |                |
        state   rest -> step -> state -> step -> state -> step -> state
                         |                |                |
        output          mask             mask             mask
    """

    def __init__(self, network: MFSSeg, metadata: Metadata, device: str = 'cpu',
                 input_size: tuple[int, int] | None = None):
        """
        Create a stream at rest.

        :param network: network, which other streams may share.
        :param metadata: description of its weights.
        :param device: torch device of the network and its state.
        :param input_size: width and height that frames are resized to; None: as trained.
        :raises ValueError: the weights, the device or the size cannot be used.
        """
        if 'events' in metadata.sensors and not metadata.event_bins:
            raise ValueError(f"the weights {metadata.name!r} take tensors of a data set's own "
                             'kind, which cannot be made of events here: choose other weights')
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
        self._state = StreamState()
        # Height and width of the last frame and of the last event sensor.
        self._sizes: dict[str, tuple[int, int]] = {}

    @classmethod
    def from_weights(cls, path_or_name: str | Path, device: str = 'cpu',
                     input_size: tuple[int, int] | None = None) -> Segmenter:
        """
        Load weights into a stream.

        :param path_or_name: path of a weights file, or name of shipped weights.
        :param device: torch device of the network and its state.
        :param input_size: width and height that frames are resized to; None: as trained.
        :returns: a stream at rest.
        :raises WeightsError: the weights cannot be used.
        :raises ValueError: the device or the size cannot be used.
        """
        network, metadata = load_weights(path_or_name)
        return cls(fold_norms(network), metadata, device, input_size)

    def sibling(self) -> Segmenter:
        """Return another stream, at rest, on the same network."""
        return Segmenter(self.network, self.metadata, self.device, self.input_size)

    @property
    def name(self) -> str:
        """Name of the weights."""
        return self.metadata.name

    @property
    def modality(self) -> str:
        """Modality of the weights: 'camera', 'events', or 'fusion' of both."""
        return self.metadata.modality

    @property
    def sensors(self) -> tuple[str, ...]:
        """Sensors of the modality: 'camera', 'events' or both."""
        return self.metadata.sensors

    @property
    def classes(self) -> ClassSet:
        """Classes of the masks."""
        return self.metadata.classes

    @property
    def state(self) -> State | None:
        """Membrane potentials ``[1, C, H, W]`` by neuron name; None at rest."""
        return self._state.tensors()

    def reset(self) -> None:
        """Reset the membrane potentials to rest."""
        self._state.reset()

    def step(self, frame: np.ndarray | None = None, elapsed_s: float | None = None,
             confidence: bool = False, firing_rate: bool = False,
             events: EventWindow | None = None) -> Segmentation:
        """
        Advance one step with a frame, the events since the last step, or both.

        The state is reset first when the size of the frame, or of the event sensor, differs from
        that of the step before.

        :param frame: uint8 ``[H, W, 3]``, RGB; None: there is no new frame.
        :param elapsed_s: seconds since the last step, 0 or more, for the leak; None: the nominal
            step of the weights.
        :param confidence: return the confidence too.
        :param firing_rate: return the firing rate too; a network without spikes has none.
        :param events: window of events; one without events says that nothing moved. None: the
            event camera is absent.
        :returns: the mask, at the size of the last frame.
        :raises ValueError: the frame has another shape or dtype, an event lies outside its window
            or sensor, the time is below 0, or the weights do not take such inputs.
        """
        prepared = self.prepare(frame, elapsed_s, events)
        if any(self._sizes.get(sensor, size) != size for sensor, size in prepared.sizes.items()):
            self.reset()
        return step_together([(self, prepared)], confidence, firing_rate)[0]

    @torch.inference_mode()
    def prepare(self, frame: np.ndarray | None = None, elapsed_s: float | None = None,
                events: EventWindow | None = None) -> Prepared:
        """
        Check and convert the input of a step, for :func:`step_together`.

        The stream is not changed.

        :param frame: as in :meth:`step`.
        :param elapsed_s: as in :meth:`step`.
        :param events: as in :meth:`step`.
        :returns: the input of a step.
        :raises ValueError: as in :meth:`step`.
        """
        self._check(frame, events)
        nominal = self.metadata.nominal_step
        elapsed = 1.0 if elapsed_s is None else elapsed_s / nominal
        if not 0 <= elapsed < float('inf'):
            raise ValueError(f'elapsed_s is {elapsed_s}: give seconds, 0 or more')
        images, tensor = self._image(frame), self._tensor(events)
        if self.modality == 'events':
            images, tensor = tensor, None
        sizes = {}
        if events is not None:
            sizes['events'] = events.size[::-1]
        if frame is not None:
            sizes['camera'] = frame.shape[:2]
        return Prepared(images, tensor, elapsed, sizes)

    def _check(self, frame: np.ndarray | None, events: EventWindow | None) -> None:
        given = [name for name, x in (('camera', frame), ('events', events)) if x is not None]
        if not given:
            raise ValueError(f'a step of the weights {self.name!r} needs input of '
                             f'{" or ".join(self.sensors)}: give a frame or events')
        unsupported = [name for name in given if name not in self.sensors]
        if unsupported:
            raise ValueError(f'the weights {self.name!r} take input of '
                             f'{" and ".join(self.sensors)}, not of {unsupported[0]}: leave it '
                             'out, or choose other weights')
        if frame is not None and (
                frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8
                or frame.size == 0):
            raise ValueError(f'a frame is uint8 [H, W, 3], not {frame.dtype} {list(frame.shape)}')

    def _mask_size(self, sizes: dict[str, tuple[int, int]]) -> tuple[int, int]:
        """Record the sizes of a step; return height and width of its mask."""
        self._sizes |= sizes
        return self._sizes.get('camera') or self._sizes['events']

    def _image(self, frame: np.ndarray | None) -> Tensor | None:
        if frame is None:
            return None
        # A copy: torch warns of read-only arrays, such as those of messages.
        image = torch.tensor(frame, device=self.device).permute(2, 0, 1)[None]
        return normalise(resize_images(image, self.input_size), self.metadata)

    def _tensor(self, events: EventWindow | None) -> Tensor | None:
        if events is None:
            return None
        tensor = event_tensor(events, self.metadata.event_bins, *self.input_size, self.device)
        # Channels last in memory, as in the convolutions.
        return tensor[None].contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def step_together(steps: Sequence[tuple[Segmenter, Prepared]], confidence: bool = False,
                  firing_rate: bool = False) -> list[Segmentation]:
    """
    Advance several streams of one network by one step each, as one batch.

    Each stream gets the result that it would get alone, but for the order of additions. The batch
    is quickest while it consists of the same streams at each step. All streams of a network must be
    used by one thread.

    No state is reset here: unlike :meth:`Segmenter.step`, a frame of another size continues the
    stream, and its mask has the new size. The caller decides whether a stream continues.

    :param steps: streams, each at most once, and their inputs.
    :param confidence: return the confidences too.
    :param firing_rate: return the firing rates too.
    :returns: results in the order of ``steps``.
    :raises ValueError: a stream occurs twice, or the streams differ in network or input size; no
        stream has changed.
    """
    if not steps:
        return []
    start = time.perf_counter()
    network = _shared_network([segmenter for segmenter, _ in steps])
    sizes = [segmenter._mask_size(prepared.sizes) for segmenter, prepared in steps]
    # Rows in the order of the last step, so that gather() need not copy.
    order = sorted(range(len(steps)), key=lambda i: steps[i][0]._state.row)
    states = [steps[i][0]._state for i in order]
    inputs = _inputs([steps[i][1] for i in order], network.config.steps)

    prediction = network(state=gather(states), rates=firing_rate, **inputs)
    scatter(states, prediction.state)
    logits = prediction.logits[-1]
    logits = logits[0] if len(logits) == 1 else logits.mean(0)
    rates = (torch.stack(list(prediction.rates.values())).mean(0).tolist() if prediction.rates
             else [None] * len(steps))
    model_ms = 1e3 * (time.perf_counter() - start)

    results: dict[int, Segmentation] = {}
    for row, i in enumerate(order):
        results[i] = Segmentation(*mask_of(logits[row:row + 1], sizes[i], confidence), rates[row],
                                  model_ms)
    return [results[i] for i in range(len(steps))]


def _shared_network(segmenters: list[Segmenter]) -> MFSSeg:
    if len(set(segmenters)) < len(segmenters):
        raise ValueError('a stream occurs twice in a batch, but its steps follow one another: put '
                         'them into batches of their own')
    first = segmenters[0]
    if any(other.network is not first.network or other.input_size != first.input_size
           for other in segmenters):
        raise ValueError('streams that step together need one network and one input size: create '
                         'them with sibling()')
    return first.network


def _inputs(prepared: list[Prepared], steps: int) -> dict[str, object]:
    """Return the inputs of the network, ``[T, B, C, H, W]``, from those of the streams."""
    given = {'images': [each.images for each in prepared],
             'events': [each.events for each in prepared]}
    inputs: dict[str, object] = {}
    for name, tensors in given.items():
        any_given = next((x for x in tensors if x is not None), None)
        if any_given is None:
            inputs[name] = None
            continue
        x = any_given if len(tensors) == 1 else torch.cat(
            [torch.zeros_like(any_given) if x is None else x for x in tensors])
        inputs[name] = x[None].expand(steps, *x.shape)
    present = [[x is not None for x in pair] for pair in zip(*given.values())]
    if any(sensors != present[0] for sensors in present):
        inputs['present'] = torch.tensor(present, device=x.device)[None].expand(steps, -1, -1)
    elapsed = [each.elapsed for each in prepared]
    inputs['elapsed'] = (elapsed[0] if len(set(elapsed)) == 1
                         else torch.tensor(elapsed, device=x.device))
    return inputs
