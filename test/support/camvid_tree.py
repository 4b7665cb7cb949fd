# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small CamVid trees of uniform areas, with a label for each colour."""

from pathlib import Path

import cv2
import numpy as np


def write_camvid(root: Path, split: str, count: int, size: tuple[int, int] = (64, 48),
                 suffix: str = 'png', prefix: str = '') -> Path:
    """Write ``count`` images: road (3) below, sky (0) above, void (11) in one corner."""
    for folder in (split, f'{split}annot'):
        (root / folder).mkdir(parents=True)
    lines, random = [], np.random.default_rng(0)
    width, height = size
    for index in range(count):
        horizon = random.integers(height // 3, 2 * height // 3)
        label = np.where(np.arange(height)[:, None] < horizon, 0, 3) * np.ones((1, width), int)
        image = np.where(label[..., None] == 0, (250, 200, 150), (60, 60, 60))
        image = np.clip(image + random.normal(0, 5, image.shape), 0, 255).astype(np.uint8)
        label[-5:, -5:] = 11
        name = f'0001TP_{index:05d}'
        cv2.imwrite(str(root / split / f'{name}.{suffix}'), image)
        cv2.imwrite(str(root / f'{split}annot' / f'{name}.png'), label.astype(np.uint8))
        lines.append(f'{prefix}{split}/{name}.{suffix} {prefix}{split}annot/{name}.png')
    (root / f'{split}.txt').write_text('\n'.join(lines) + '\n')
    return root
