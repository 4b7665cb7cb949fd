# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decoders of event streams, one file an encoding; `open_decoder` makes them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mfs_seg_core.util.text import printable

if TYPE_CHECKING:
    from mfs_seg_core.events.decoders.decoder import Decoder

# File and class of each encoding.
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
    Make a decoder for one stream of events, ready for its first byte.

    The first one of an encoding compiles it (some seconds); the result is kept for later runs.

    :param encoding: as in EventPacket: one of :data:`ENCODINGS`.
    :param width: columns of the sensor; no event is ever given outside.
    :param height: rows of the sensor.
    :raises ValueError: the encoding is unknown, the size is none, or Numba is not installed.
    """
    if encoding not in _DECODERS:
        raise ValueError(f"no decoder for events encoded as '{printable(encoding)}': known are "
                         f'{", ".join(ENCODINGS)}')
    file, name = _DECODERS[encoding]
    # Numba takes a good part of a second to import: who decodes nothing need not wait for it.
    try:
        module = import_module(f'mfs_seg_core.events.decoders.{file}')
    except ModuleNotFoundError as error:
        if error.name != 'numba':
            raise
        raise ValueError('decoding events needs numba: pip install "mfs_seg_ros[events]"') from None
    return getattr(module, name)(width, height)
