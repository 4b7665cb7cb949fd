# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inference on streams: one network step per message, the state kept between steps."""

from mfs_seg_core.streaming.inputs import Prepared
from mfs_seg_core.streaming.segmenter import (
    Segmentation,
    Segmenter,
    set_threads,
    step_together,
)

__all__ = ['Prepared', 'Segmentation', 'Segmenter', 'set_threads', 'step_together']
