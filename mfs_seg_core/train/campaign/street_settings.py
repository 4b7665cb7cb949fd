# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the sequences of Street that a campaign draws, and the names of their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mfs_seg_core.data.street.seeds import TRAINING_SEED, VALIDATION_SEED

# Setting up a drive takes as long as several frames: several sequences are drawn of each.
PER_DRIVE = 6


@dataclass(frozen=True)
class StreetSettings:
    """
    Settings of the section ``street`` of a campaign.

    :param sequences: number of sequences to train on.
    :param held_out: number of sequences to validate on.
    :param length: frames of a sequence.
    :param rates_hz: lowest and highest frame rate; that of a sequence is drawn between them.
    :param bins: time bins of an event tensor.
    """

    sequences: int = 840
    held_out: int = 96
    length: int = 16
    rates_hz: tuple[float, float] = (5.0, 40.0)
    bins: int = 2

    def files(self, folder: Path, size: tuple[int, int]) -> tuple[list[Path], list[Path]]:
        """
        Return the files of the drives to train on, and to validate on.

        :param folder: folder of the campaign.
        :param size: width and height of the frames.
        :returns: files to train on, files to validate on.
        """
        low, high = self.rates_hz
        name = f'street_{size[0]}x{size[1]}_{self.length}_{low:g}to{high:g}hz_{self.bins}bins'
        return tuple([folder / name / f'{seed:07d}.npz'
                      for seed in range(first, first - (-count // PER_DRIVE))]
                     for first, count in ((TRAINING_SEED, self.sequences),
                                          (VALIDATION_SEED, self.held_out)))

    def check(self, where: str) -> None:
        """
        Check the values.

        :param where: path of the file, for messages.
        :raises ValueError: a number is out of range.
        """
        for name in ('sequences', 'held_out', 'length', 'bins'):
            if getattr(self, name) < 1:
                raise ValueError(f'{where}, street: {name} must be at least 1, not '
                                 f'{getattr(self, name)}')
        if len(self.rates_hz) != 2 or not 0 < self.rates_hz[0] <= self.rates_hz[1]:
            raise ValueError(f'{where}, street: rates_hz must be two numbers above 0, the smaller '
                             'one first')
