# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure weights on frames as cameras send them: other encodings, bit depths, compression."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace

import cv2
import numpy as np

from mfs_seg_core.data.sequences import LabelledFrame
from mfs_seg_core.evaluate.modes import evaluate
from mfs_seg_core.images import ImageStream
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.provenance import DataHash

# Order of the colours of a Bayer sensor, in two rows.
ORDER = 'rggb'
JPEG_QUALITY = 80


def image(pixels: np.ndarray, encoding: str) -> SimpleNamespace:
    """Return the fields of an Image, as a driver on a little-endian computer fills them."""
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder('<')).tobytes()
    return SimpleNamespace(height=height, width=width, encoding=encoding, is_bigendian=0,
                           step=len(data) // height, data=data)


def compressed(pixels: np.ndarray, encoding: str, codec: str) -> SimpleNamespace:
    """
    Return the fields of a CompressedImage, as compressed_image_transport fills them.

    :param pixels: uint8 or uint16, [H, W] or [H, W, 3] BGR.
    :param encoding: encoding of the image before compression.
    :param codec: 'jpeg' or 'png'.
    :returns: ``format`` and ``data``.
    """
    stored = f'bgr{8 * pixels.itemsize}' if pixels.ndim == 3 else ''
    extension, options = {'jpeg': ('.jpg', [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]),
                          'png': ('.png', [cv2.IMWRITE_PNG_COMPRESSION, 1])}[codec]
    return SimpleNamespace(format=f'{encoding}; {codec} compressed {stored}',
                           data=cv2.imencode(extension, pixels, options)[1].tobytes())


def grey(rgb: np.ndarray) -> np.ndarray:
    """Return the grey values of an image, uint8 [H, W]."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def mosaic(rgb: np.ndarray) -> np.ndarray:
    """Return the samples of a Bayer sensor, uint8 [H, W]."""
    samples = np.empty(rgb.shape[:2], np.uint8)
    for index, colour in enumerate(ORDER):
        row, column = divmod(index, 2)
        samples[row::2, column::2] = rgb[row::2, column::2, 'rgb'.index(colour)]
    return samples


def of_bits(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Return 8-bit pixels as samples of this number of bits, uint16 of the same shape."""
    return np.round(pixels * ((2**bits - 1) / 255)).astype(np.uint16)


def _nv12(rgb: np.ndarray) -> SimpleNamespace:
    height, width = rgb.shape[:2]
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    colour = planes[height:].reshape(2, -1).T.reshape(-1, width)
    message = image(np.concatenate([planes[:height], colour]), 'nv12')
    message.height, message.step = height, width
    return message


# Messages of a frame, uint8 [H, W, 3] RGB of even width and height.
ENCODINGS: dict[str, Callable[[np.ndarray], SimpleNamespace]] = {
    'rgb8': lambda rgb: image(rgb, 'rgb8'),
    'mono8': lambda rgb: image(grey(rgb), 'mono8'),
    'mono16_12bit': lambda rgb: image(of_bits(grey(rgb), 12), 'mono16'),
    'mono16_left': lambda rgb: image(of_bits(grey(rgb), 12) << 4, 'mono16'),
    'mono16_png': lambda rgb: compressed(of_bits(grey(rgb), 12), 'mono16', 'png'),
    'bayer8': lambda rgb: image(mosaic(rgb), f'bayer_{ORDER}8'),
    'bayer8_jpeg': lambda rgb: compressed(mosaic(rgb), f'bayer_{ORDER}8', 'jpeg'),
    'bayer8_png': lambda rgb: compressed(mosaic(rgb), f'bayer_{ORDER}8', 'png'),
    'bayer16_12bit': lambda rgb: image(of_bits(mosaic(rgb), 12), f'bayer_{ORDER}16'),
    'rgb16_png': lambda rgb: compressed(of_bits(rgb[..., ::-1], 12), 'rgb16', 'png'),
    'rgb8_jpeg': lambda rgb: compressed(rgb[..., ::-1], 'rgb8', 'jpeg'),
    'nv12': _nv12,
}


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """
    Return the encodings of these names.

    :param names: keys of ``ENCODINGS``, or 'all'.
    :returns: keys, each once.
    :raises ValueError: a name is unknown.
    """
    names = tuple(dict.fromkeys(names))
    if 'all' in names:
        return tuple(ENCODINGS)
    for name in names:
        if name not in ENCODINGS:
            raise ValueError(f"unknown encoding '{name}': give some of {', '.join(ENCODINGS)}, or "
                             'all')
    return names


def measure(segmenter: Segmenter, sequences: Callable[[], Iterable[Iterable[LabelledFrame]]],
            names: Iterable[str], data_hash: DataHash | None = None) -> dict[str, dict]:
    """
    Compare masks of the same frames sent in several encodings.

    :param segmenter: the network; the stream itself does not step.
    :param sequences: returns the frames by sequence; called for each encoding.
    :param names: keys of ``ENCODINGS``.
    :param data_hash: hash to add the frames and the truth to, once.
    :returns: by encoding, the figures of the mode 'stream@1' of
        :func:`mfs_seg_core.evaluate.modes.evaluate`.
    """
    results = {}
    for index, name in enumerate(names):
        received = (_received(sequence, name, None if index else data_hash)
                    for sequence in sequences())
        results[name] = evaluate(segmenter, received, ['stream'])['stream@1']
    return results


def _received(sequence: Iterable[LabelledFrame], name: str, data_hash: DataHash | None
              ) -> Iterator[LabelledFrame]:
    """Yield frames as they are after sending and decoding them."""
    stream = ImageStream()
    for rgb, label, step_s in sequence:
        if data_hash:
            data_hash.add(rgb)
            data_hash.add(label)
        yield stream.rgb(ENCODINGS[name](rgb)), label, step_s
