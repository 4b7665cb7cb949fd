# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small campaigns on Street, and files of sequences whose pixels mark their place."""

from pathlib import Path

import numpy as np

from mfs_seg_core.train.campaign.sequences import DeviceSequences
from mfs_seg_core.train.campaign.stage import Campaign, read_campaign
from mfs_seg_core.train.campaign.street_settings import PER_DRIVE

SIZE = (64, 48)
LENGTH = 4
SEQUENCES = 2 * PER_DRIVE
STEP_S = 0.025
CONDITIONS = ['day', 'night', 'dim'] * (PER_DRIVE // 3)
HEADER = ('name: made\n'
          f'street: {{sequences: {SEQUENCES}, held_out: 3, length: {LENGTH}, rates_hz: [20, 40]}}\n'
          'common: {size: [64, 48], crop: [64, 48], batch_size: 4, epochs: 1, validate_every: 1, '
          'notes: {licence: none, data: made}}\nstages:\n')


def street_campaign(folder: Path, *stages: str) -> Path:
    """Write a campaign of these stages, each the items of a mapping; return its file."""
    path = folder / 'made.yaml'
    path.write_text(HEADER + ''.join(f'  - {{{stage}}}\n' for stage in stages))
    return path


def write_sequences(path: Path, first: int) -> None:
    """
    Write the file of a drive whose sequences have the numbers from ``first``.

    The label of a pixel is 0 on the left half, 1 on the right one. Red is 255 where it is 1, green
    20 times the number of the frame, blue 20 times that of the sequence. Event tensors are 1.0
    where the label is 1.
    """
    labels = np.zeros((PER_DRIVE, LENGTH, *SIZE[::-1]), np.uint8)
    labels[..., SIZE[0] // 2:] = 1
    frames = np.arange(LENGTH)[:, None, None]
    sequences = first + np.arange(PER_DRIVE)[:, None, None, None]
    images = np.stack(np.broadcast_arrays(255 * labels, 20 * frames, 20 * sequences), -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, images=images.astype(np.uint8), labels=labels,
             events=np.repeat(50 * labels[..., None], 4, -1),
             steps_s=np.full(PER_DRIVE, STEP_S, np.float32), conditions=np.array(CONDITIONS))


def write_all(path: Path, output: Path) -> Campaign:
    """Write all files that a campaign would draw; return the campaign."""
    campaign = read_campaign(path)
    for files in campaign.street.files(output / campaign.name, SIZE):
        for number, file in enumerate(files):
            write_sequences(file, number * PER_DRIVE)
    return campaign


def marked_sequences(folder: Path) -> DeviceSequences:
    """Return 12 sequences of such pixels."""
    files = [folder / f'{number}.npz' for number in range(2)]
    for number, file in enumerate(files):
        write_sequences(file, number * PER_DRIVE)
    return DeviceSequences(files, SEQUENCES, 'cpu')
