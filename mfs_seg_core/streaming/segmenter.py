# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmentation of streams: a mask for each frame, event window or both, by one network step."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from mfs_seg_core.engine import engine
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.events.types import Events
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.streaming.backend import network_backend, weights_backend
from mfs_seg_core.streaming.backend_interface import Backend
from mfs_seg_core.streaming.inputs import Potentials, Prepared, StepRequest
from mfs_seg_core.weights.metadata import Metadata

if TYPE_CHECKING:
    from mfs_seg_core.model.stateful import Stateful
    from mfs_seg_core.model.unet import UNet


@dataclass(frozen=True)
class Segmentation:
    """
    Result of one step.

    :param mask: uint8 ``[H, W]`` of class ids, at the size of the last frame; before the first
        frame, at the size of the event sensor.
    :param confidence: uint8 ``[H, W]``, probability of that class in 0..255, if requested.
    :param firing_rates: mean spikes of a neuron in this step by layer, if requested.
    :param energy_mj: estimated energy of this step in mJ, if requested; see
        :mod:`mfs_seg_core.util.energy`. On the torch backend, the mean of streams that step
        together.
    :param model_ms: time in the network, in milliseconds; of the whole batch, for streams that step
        together.
    """

    mask: np.ndarray
    confidence: np.ndarray | None
    firing_rates: Mapping[str, float] | None
    energy_mj: float | None
    model_ms: float

    @property
    def firing_rate(self) -> float | None:
        """Mean of the layers' firing rates; None: not requested, or a network without spikes."""
        return fmean(self.firing_rates.values()) if self.firing_rates else None


def set_threads(count: int) -> None:
    """Set the number of CPU threads of the networks of this process."""
    engine.set_threads(count)
    # Else the torch backend sets it: torch takes seconds to import.
    if 'torch' in sys.modules:
        sys.modules['torch'].set_num_threads(count)


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

    def __init__(self, network: Stateful | UNet | None, metadata: Metadata, device: str = 'cpu',
                 input_size: tuple[int, int] | None = None, backend: str | Backend = 'auto'):
        """
        Create a stream at rest.

        :param network: network, which other streams may share; unused where a backend is given.
        :param metadata: metadata of its weights.
        :param device: torch device of the network and its state.
        :param input_size: width and height that frames are resized to; None: as trained.
        :param backend: 'auto', the native engine where it can run the network, else torch;
            'native', the engine on the CPU; 'torch'; or the backend of another stream.
        :raises ValueError: the weights, the device, the size or the backend cannot be used.
        """
        if 'events' in metadata.sensors and not metadata.event_bins:
            raise ValueError(f"the weights {metadata.name!r} take tensors of a data set's own "
                             'kind, which cannot be made of events here: choose other weights')
        self._backend = (network_backend(backend, network.eval(), metadata, device)
                         if isinstance(backend, str) else backend)
        self.input_size = tuple(input_size or metadata.input_size)
        if min(self.input_size) < 32:
            raise ValueError(f'the input size must be at least 32x32, not '
                             f'{self.input_size[0]}x{self.input_size[1]}')
        self.metadata = metadata
        self._state = self._backend.state()
        # Height and width of the last frame and of the last event sensor.
        self._sizes: dict[str, tuple[int, int]] = {}

    @classmethod
    def from_weights(cls, path_or_name: str | Path, device: str = 'cpu',
                     input_size: tuple[int, int] | None = None, backend: str = 'auto'
                     ) -> Segmenter:
        """
        Load weights into a stream.

        :param path_or_name: path of a weights file, or name of shipped weights.
        :param device: torch device of the network and its state.
        :param input_size: width and height that frames are resized to; None: as trained.
        :param backend: 'auto', 'native' or 'torch'.
        :returns: a stream at rest.
        :raises WeightsError: the weights cannot be used.
        :raises ValueError: the device, the size or the backend cannot be used.
        """
        loaded = weights_backend(backend, path_or_name, device)
        return cls(None, loaded.metadata, device, input_size, loaded)

    def sibling(self, input_size: tuple[int, int] | None = None) -> Segmenter:
        """
        Return another stream, at rest, on the same network.

        :param input_size: width and height that frames are resized to; None: those of this stream.
        :returns: the stream.
        :raises ValueError: the size cannot be used.
        """
        return Segmenter(None, self.metadata, self.device, input_size or self.input_size,
                         self._backend)

    @property
    def network(self) -> Stateful | UNet:
        """Network, on the torch backend only."""
        if self.backend != 'torch':
            raise ValueError("the native backend has no network of torch: choose backend='torch'")
        return self._backend.network

    @property
    def device(self) -> str:
        """Device of the network and its state: 'cpu', 'cuda:0'."""
        return self._backend.device

    @property
    def backend(self) -> str:
        """Backend of the network: 'torch' or 'native'."""
        return self._backend.name

    @property
    def backend_description(self) -> str:
        """Backend with its device or kernels, and where 'auto' chose torch, the reason."""
        return self._backend.description

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
    def state(self) -> Potentials | None:
        """Potentials, float32 ``[1, C, h, w]`` by neuron name; None at rest. May be set."""
        return self._backend.read(self._state)

    @state.setter
    def state(self, potentials: Potentials | None) -> None:
        """
        Set the membrane potentials.

        :param potentials: potentials of a stream of these weights and this input size, by any
            backend; None: rest.
        :raises ValueError: they are of another network or size.
        """
        if potentials is None:
            self._state.reset()
        else:
            self._backend.load(self._state, potentials, self.input_size[::-1])

    def reset(self) -> None:
        """Reset the membrane potentials to rest."""
        self._state.reset()

    def restart(self) -> None:
        """Begin another stream: at rest, and without the size of a last frame."""
        self.reset()
        self._sizes.clear()

    def step(self, frame: np.ndarray | None = None, elapsed_s: float | None = None,
             confidence: bool = False, firing_rate: bool = False,
             events: EventWindow | None = None, energy: bool = False) -> Segmentation:
        """
        Advance one step with a frame, the events since the last step, or both.

        The state is reset first when the size of the frame, or of the event sensor, differs from
        that of the step before.

        :param frame: uint8 ``[H, W, 3]``, RGB; None: there is no new frame.
        :param elapsed_s: seconds since the last step, 0 or more, for the leak; None: the nominal
            step of the weights.
        :param confidence: return the confidence too.
        :param firing_rate: return the firing rates too; a network without spikes has none.
        :param events: window of events; one without events says that nothing moved. None: the
            event camera is absent.
        :param energy: return the energy too.
        :returns: the mask, at the size of the last frame.
        :raises ValueError: the frame has another shape or dtype, an event lies outside its window
            or sensor, the time is below 0, or the weights do not take such inputs.
        """
        prepared = self.prepare(frame, elapsed_s, events)
        if any(self._sizes.get(sensor, size) != size for sensor, size in prepared.sizes.items()):
            self.reset()
        return step_together([(self, prepared)], confidence, firing_rate, energy)[0]

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
        images = None if frame is None else self._backend.image(frame, self.input_size)
        tensor = None if events is None else self._backend.tensor(events, self.input_size)
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


def step_together(steps: Sequence[tuple[Segmenter, Prepared]], confidence: bool = False,
                  firing_rate: bool = False, energy: bool = False) -> list[Segmentation]:
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
    :param energy: return the energies too.
    :returns: results in the order of ``steps``.
    :raises ValueError: a stream occurs twice, or the streams differ in network or input size; no
        stream has changed.
    """
    if not steps:
        return []
    backend = _shared_backend([segmenter for segmenter, _ in steps])
    sizes = [segmenter._mask_size(prepared.sizes) for segmenter, prepared in steps]
    results, model_ms = backend.step([segmenter._state for segmenter, _ in steps],
                                     [prepared for _, prepared in steps], sizes,
                                     StepRequest(confidence, firing_rate, energy))
    return [Segmentation(*result, model_ms) for result in results]


def warm_up(streams: Sequence[Segmenter], sensors: Sequence[str]) -> None:
    """
    Let streams allocate the memory of their steps, which takes longer than a step.

    :param streams: streams of one network that step together; they are at rest afterwards, as
        before their first step.
    :param sensors: sensors whose input they will have: 'camera', 'events' or both.
    """
    # Masks of the network's size, and larger ones.
    for size in (streams[0].input_size, tuple(2 * n for n in streams[0].input_size)):
        frame = np.zeros((*size[::-1], 3), np.uint8) if 'camera' in sensors else None
        events = EventWindow(Events.empty(), 0, 1, size) if 'events' in sensors else None
        step_together([(stream, stream.prepare(frame, None, events)) for stream in streams])
    for stream in streams:
        stream.restart()


def _shared_backend(segmenters: list[Segmenter]) -> Backend:
    if len(set(segmenters)) < len(segmenters):
        raise ValueError('a stream occurs twice in a batch, but its steps follow one another: put '
                         'them into batches of their own')
    first = segmenters[0]
    if any(other._backend is not first._backend or other.input_size != first.input_size
           for other in segmenters):
        raise ValueError('streams that step together need one network, backend and input size: '
                         'create them with sibling()')
    return first._backend
