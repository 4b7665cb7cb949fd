# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Layers of the spiking network: current in, current out, firing before each convolution.

Tensors are ``[T, B, C, H, W]``: T time steps of B independent streams. Only neurons treat time
steps as a sequence; for convolutions and batch norm they are T * B images.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from mfs_seg_core.model.batch_norm import ThresholdBatchNorm
from mfs_seg_core.model.layout import concatenate_channels, enlarge, per_image
from mfs_seg_core.model.state import Membranes, Neuron, Spiking


class Conv(nn.Conv2d):
    """Convolution; of size 1x1, a matrix product over channels-last pixels, without copies."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``[N, C, H, W]``."""
        if self.kernel_size == (1, 1):
            pixels = x.permute(0, 2, 3, 1)
            return functional.linear(pixels, self.weight[:, :, 0, 0], self.bias).permute(0, 3, 1, 2)
        return super().forward(x)


class Stem(nn.Module):
    """Convolution and norm: real-valued pixels to current. The only layer with MACs."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm = ThresholdBatchNorm(outputs, spiking.levels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the current of pixels or event tensors."""
        return per_image(lambda y: self.norm(self.conv(y)), x)


class SpikingConv(nn.Module):
    """LIF, convolution, threshold-dependent batch norm."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking, kernel: int = 1,
                 stride: int = 1, groups: int = 1, gain: float = 1.0, signed: bool = False):
        super().__init__()
        self.lif = Neuron(inputs, spiking, signed)
        self.conv = Conv(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups,
                         bias=False)
        self.norm = ThresholdBatchNorm(outputs, spiking.levels, gain)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Step the neurons and convolve their spikes."""
        spikes = membranes.fire(self.lif, x)
        return per_image(lambda y: self.norm(self.conv(y)), spikes)


class EFSRes(nn.Module):
    """
    Efficient full-spike residual block: an inverted bottleneck on a membrane shortcut.

    ``x + project(depthwise(expand(x)))``, each of the three a :class:`SpikingConv`: the
    convolutions take spikes only, and the shortcut adds the current unchanged. This is our reading
    of Su et al. 2024; the paper's own layer order is not public.
    """

    # EMS-YOLO starts the last norm of a branch at 0.2 of the threshold.
    LAST_GAIN = 0.2

    def __init__(self, channels: int, expansion: int, spiking: Spiking, kernel: int = 3,
                 inputs: int = 0, separable: bool = True):
        """
        Create the three layers of the branch.

        :param channels: channels of the shortcut, and of the output.
        :param expansion: channels inside the branch, in multiples of ``channels``.
        :param spiking: settings of the neurons.
        :param kernel: size of the convolution in the middle.
        :param inputs: input channels of the branch; 0: those of the shortcut.
        :param separable: the convolution in the middle is depthwise; False: it mixes channels too,
            for comparison.
        """
        super().__init__()
        hidden = channels * expansion
        self.expand = SpikingConv(inputs or channels, hidden, spiking, signed=spiking.signed)
        self.depthwise = SpikingConv(hidden, hidden, spiking, kernel=kernel,
                                     groups=hidden if separable else 1)
        self.project = SpikingConv(hidden, channels, spiking, gain=self.LAST_GAIN)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Return ``x`` plus the branch of ``x``."""
        return x + self.branch(x, membranes)

    def branch(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Return the output of the branch alone, without the shortcut."""
        return self.project(self.depthwise(self.expand(x, membranes), membranes), membranes)


class EventInput(nn.Module):
    """
    Event branch of a network with a camera: its own stem and first shape change, and a joint block.

    A spiking layer precedes the joint block, so that the noise of one sensor stays below the
    threshold and does not mask the other.
    """

    def __init__(self, inputs: int, widths: tuple[int, int], expansion: int, spiking: Spiking,
                 stride: int):
        """
        Create the layers.

        :param inputs: channels of the event tensor.
        :param widths: channels of the first two scales of the network.
        :param expansion: expansion of the joint block.
        :param spiking: settings of the neurons.
        :param stride: stride of the stem.
        """
        super().__init__()
        self.stem = Stem(inputs, widths[0], spiking, stride)
        self.down = SpikingConv(widths[0], widths[1], spiking, kernel=3, stride=2)
        self.join = EFSRes(widths[1], expansion, spiking, kernel=5, inputs=2 * widths[1])
        # The initial output is the sum of both sensors.
        nn.init.zeros_(self.join.project.norm.weight)

    def fuse(self, camera: Tensor, events: Tensor, membranes: Membranes) -> Tensor:
        """Fuse the currents of both sensors at the second scale; zeros for an absent sensor."""
        both = concatenate_channels(camera, events)
        return camera + events + self.join.branch(both, membranes)


class Recall(EFSRes):
    """
    Recurrence of spikes: ``x + branch([x, y])``, y a current of this scale of the step before.

    Membrane potentials alone carry over the charge that did not fire. This carries over features:
    the output of the decoder, or that of this block in the encoder. Its depthwise convolution can
    follow a moving camera. y is part of the state, 0 at rest. The block takes one step at a time,
    T = 1.
    """

    # Starts as the identity, without influence of the past.
    LAST_GAIN = 0.0
    KERNEL = 5

    def __init__(self, channels: int, expansion: int, spiking: Spiking):
        super().__init__(channels, expansion, spiking, self.KERNEL, inputs=2 * channels)
        self.name = ''

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Return ``x`` plus the branch of ``x`` and of the stored current."""
        past = membranes.recall(self.name, x)
        return x + self.branch(concatenate_channels(x, past), membranes)

    def store(self, y: Tensor, membranes: Membranes) -> None:
        """Store y ``[1, B, C, H, W]`` for the next step."""
        membranes.after[self.name] = y.squeeze(0)


class Up(nn.Module):
    """LIF, then twice the size: by a transposed convolution, or by interpolating a 1x1 one."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking, kernel: int = 0):
        """
        Create the layers.

        :param inputs: input channels.
        :param outputs: output channels.
        :param spiking: settings of the neurons.
        :param kernel: size of the transposed convolution, 2 or 4; 0: interpolate.
        """
        super().__init__()
        self.lif = Neuron(inputs, spiking, spiking.signed)
        if kernel:
            self.conv = nn.ConvTranspose2d(inputs, outputs, kernel, 2, padding=kernel // 2 - 1,
                                           bias=False)
        else:
            self.conv = Conv(inputs, outputs, 1, bias=False)
        self.norm = ThresholdBatchNorm(outputs, spiking.levels)

    def forward(self, x: Tensor, size: tuple[int, int], membranes: Membranes) -> Tensor:
        """Return current of height and width ``size``, about twice that of ``x``."""
        spikes = membranes.fire(self.lif, x)
        current = per_image(lambda y: self.norm(self.conv(y)), spikes)
        if isinstance(self.conv, nn.ConvTranspose2d):
            return current[..., :size[0], :size[1]]
        return per_image(lambda y: enlarge(y, size), current)


class Head(nn.Module):
    """LIF and convolution: class scores from spikes."""

    def __init__(self, inputs: int, classes: int, spiking: Spiking, kernel: int,
                 signed: bool = False):
        super().__init__()
        self.lif = Neuron(inputs, spiking, signed)
        self.conv = Conv(inputs, classes, kernel, padding=kernel // 2)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Return the class scores ``[T, B, K, H, W]``."""
        return per_image(self.conv, membranes.fire(self.lif, x))
