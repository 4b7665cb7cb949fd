# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmenter: weights in, then frame, events or both -> mask, one step of the neurons a message."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from mfs_seg_core.blocks import State
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.network import MFSSeg, fold_norms
from mfs_seg_core.weights import Description, load_weights


@dataclass(frozen=True)
class Segmentation:
    """
    The answer to one step.

    :param mask: uint8 ``[H, W]`` of class ids, at the size of the camera's frames; before the first
        of them, at the event sensor's.
    :param confidence: uint8 ``[H, W]``, probability of that class in 0..255, if asked for.
    :param firing_rate: mean spikes of a neuron in this step, if asked for.
    """

    mask: np.ndarray
    confidence: np.ndarray | None
    firing_rate: float | None
    preprocess_ms: float
    model_ms: float
    postprocess_ms: float


def normalise(images: torch.Tensor, description: Description) -> torch.Tensor:
    """
    Scale pixels to what the network was trained on.

    :param images: ``[..., 3, H, W]``, 0..255, RGB.
    :returns: float32 of the same shape.
    """
    mean, std = (torch.tensor(values, device=images.device).view(3, 1, 1) * 255
                 for values in (description.mean, description.std))
    return (images.float() - mean) / std


def resize_images(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """
    Resize with anti-aliasing, as in training.

    :param images: uint8 ``[B, 3, H, W]``.
    :param size: width and height.
    """
    if tuple(images.shape[-2:]) == (size[1], size[0]):
        return images
    return functional.interpolate(images, size=(size[1], size[0]), mode='bilinear', antialias=True)


def set_threads(count: int) -> None:
    """Let the network use ``count`` CPU threads, in this process."""
    torch.set_num_threads(count)


class Segmenter:
    """
    A stream of frames and events through a network whose membrane potentials it keeps between them.

    One segmenter serves one stream. Each :meth:`step` advances every neuron by as many steps as the
    weights take for an image: one, for streaming weights.
    """

    def __init__(self, network: MFSSeg, description: Description, device: str = 'cpu',
                 input_size: tuple[int, int] | None = None):
        """
        :param input_size: width and height that frames are resized to; None: as trained.
        :raises ValueError: the device or the size cannot be used.
        """
        if 'events' in description.modalities and not description.event_bins:
            raise ValueError(f"the weights {description.name!r} see tensors of a data set's own, "
                             'which are not made of events here: choose other weights')
        try:
            self.device = torch.device(device)
            network = network.to(self.device, memory_format=torch.channels_last)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f'device {device!r} cannot be used here '
                             f'({str(error).splitlines()[0]}): use cpu') from None
        self.input_size = tuple(input_size or description.input_size)
        if min(self.input_size) < 32:
            raise ValueError(f'the input size must be at least 32x32, not '
                             f'{self.input_size[0]}x{self.input_size[1]}')
        self.network = network.eval()
        self.description = description
        self._state: State | None = None
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
        network, description = load_weights(path_or_name)
        return cls(fold_norms(network), description, device, input_size)

    @property
    def name(self) -> str:
        """Name of the weights."""
        return self.description.name

    @property
    def modalities(self) -> tuple[str, ...]:
        """Sensors that the weights serve: 'camera', 'events' or both."""
        return self.description.modalities

    @property
    def classes(self) -> ClassSet:
        """Classes of the masks."""
        return self.description.classes

    def reset(self) -> None:
        """Bring every neuron back to rest."""
        self._state = None
        self.steps_since_reset = 0

    @torch.inference_mode()
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
        self._check(frame, events)
        nominal = self.description.nominal_step
        elapsed = 1.0 if elapsed_s is None else elapsed_s / nominal
        if not 0 <= elapsed < float('inf'):
            raise ValueError(f'elapsed_s is {elapsed_s}: give seconds, 0 or more')
        start = time.perf_counter()
        images, beside = self._image(frame), self._tensor(events)
        if self.modalities == ('events',):
            images, beside = beside, None
        # After what is given was found good, and not before.
        size = self._follow(frame, events)
        prepared = time.perf_counter()

        prediction = self.network(images, self._state, firing_rate, elapsed, beside)
        self._state = prediction.state
        self.steps_since_reset += self.network.config.steps
        logits = prediction.logits[-1]
        logits = logits[0] if len(logits) == 1 else logits.mean(0)
        rate = (torch.stack(list(prediction.rates.values())).mean().item() if prediction.rates
                else None)
        modelled = time.perf_counter()

        mask, certainty = self._mask(logits, size, confidence)
        done = time.perf_counter()
        return Segmentation(mask, certainty, rate, 1e3 * (prepared - start),
                            1e3 * (modelled - prepared), 1e3 * (done - modelled))

    def _check(self, frame: np.ndarray | None, events: EventWindow | None) -> None:
        given = [name for name, x in (('camera', frame), ('events', events)) if x is not None]
        unseen = [name for name in given if name not in self.modalities]
        if unseen or not given:
            what = f'nothing of {unseen[0]}' if unseen else 'nothing at all'
            raise ValueError(f'the weights {self.name!r} see {" and ".join(self.modalities)}, and '
                             f'{what} can be a step: give what they see, or choose other weights')
        if frame is not None and (
                frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8
                or frame.size == 0):
            raise ValueError(f'a frame is uint8 [H, W, 3], not {frame.dtype} {list(frame.shape)}')

    def _follow(self, frame: np.ndarray | None, events: EventWindow | None) -> tuple[int, int]:
        """Start from rest if a size has changed; give height and width of the mask."""
        sizes = {}
        if events is not None:
            sizes['events'] = events.size[::-1]
        if frame is not None:
            sizes['camera'] = frame.shape[:2]
        if any(self._sizes.get(sense, size) != size for sense, size in sizes.items()):
            self.reset()
        self._sizes |= sizes
        return self._sizes.get('camera') or self._sizes['events']

    def _image(self, frame: np.ndarray | None) -> torch.Tensor | None:
        """Give the network's steps of a frame, ``[T, 1, 3, H, W]``."""
        if frame is None:
            return None
        # A copy: torch would warn of arrays that must not be written, as those of messages are.
        image = torch.tensor(frame, device=self.device).permute(2, 0, 1)[None]
        return self._steps(normalise(resize_images(image, self.input_size), self.description))

    def _tensor(self, events: EventWindow | None) -> torch.Tensor | None:
        """Give the network's steps of a window of events, ``[T, 1, E, H, W]``."""
        if events is None:
            return None
        tensor = event_tensor(events, self.description.event_bins, *self.input_size, self.device)
        # Pixel by pixel in memory, as the convolutions take it.
        return self._steps(tensor[None].contiguous(memory_format=torch.channels_last))

    def _steps(self, x: torch.Tensor) -> torch.Tensor:
        return x[None].expand(self.network.config.steps, *x.shape)

    def _mask(self, logits: torch.Tensor, size: tuple[int, int], confidence: bool
              ) -> tuple[np.ndarray, np.ndarray | None]:
        # Scores are interpolated to at most twice the network's size, and the mask is enlarged from
        # there: beyond, the cost grows with the camera's pixels and the mask no longer improves.
        fine = [min(ours, 2 * theirs) for ours, theirs in zip(size, logits.shape[-2:])]
        if fine != list(logits.shape[-2:]):
            logits = functional.interpolate(logits, size=fine, mode='bilinear')

        def enlarge(x: torch.Tensor) -> np.ndarray:
            return functional.interpolate(x, size=size, mode='nearest')[0, 0].cpu().numpy()

        if not confidence:
            # Not argmax, which takes several times as long on a CPU.
            return enlarge(logits.max(1, keepdim=True).indices.byte()), None
        probability, ids = logits.softmax(1).max(1, keepdim=True)
        return enlarge(ids.byte()), enlarge((probability * 255).round().byte())
