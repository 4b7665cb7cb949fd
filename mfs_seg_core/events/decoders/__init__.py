# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decoders of event streams, one file per encoding; ``open_decoder`` creates them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mfs_seg_core.util.extras import missing
from mfs_seg_core.util.text import printable

if TYPE_CHECKING:
    from mfs_seg_core.events.decoders.decoder import Decoder

# Module and class of each encoding.
_DECODERS = {
    'evt3': ('evt3', 'Evt3Decoder'),
    'evt2': ('evt2', 'Evt2Decoder'),
    'evt21': ('evt21', 'Evt21Decoder'),
    'evt21_legacy': ('evt21', 'Evt21LegacyDecoder'),
    'libcaer': ('libcaer', 'LibcaerDecoder'),
    'libcaer_cmp': ('libcaer_cmp', 'LibcaerCmpDecoder'),
    'mono': ('mono', 'MonoDecoder'),
}
ENCODINGS = tuple(_DECODERS)


def open_decoder(encoding: str, width: int, height: int) -> Decoder:
    """
    Create the decoder of one event stream.

    The first decoder of an encoding compiles its kernel, which takes some seconds; later runs load
    the compiled kernel from a cache on disk.

    :param encoding: name as in an EventPacket, one of :data:`ENCODINGS`.
    :param width: columns of the sensor; the decoder counts events outside and leaves them out.
    :param height: rows of the sensor.
    :returns: a decoder that expects the first byte of the stream.
    :raises ValueError: if the encoding is unknown, the size is out of range or Numba is not
        installed.
    """
    if encoding not in _DECODERS:
        raise ValueError(f"no decoder for events encoded as '{printable(encoding)}': known are "
                         f'{", ".join(ENCODINGS)}')
    module_name, class_name = _DECODERS[encoding]
    # Importing Numba takes a good part of a second, which programs without events save.
    try:
        module = import_module(f'mfs_seg_core.events.decoders.{module_name}')
    except ModuleNotFoundError as error:
        if error.name != 'numba':
            raise
        raise ValueError(f"decoding events needs {missing('numba')}") from None
    return getattr(module, class_name)(width, height)
