# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Node ``mfs_seg`` with a clock on the stages of a frame, for ``mfs-seg benchmark node``.

The functions of the stages are wrapped here, so that the node has no code for it.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from mfs_seg_core.engine.engine import Engine
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.files import write_json
from mfs_seg_ros import segmenter
from mfs_seg_ros.node.stop import end_process
from mfs_seg_ros.pipeline.image_reader import ImageReader
from mfs_seg_ros.pipeline.outputs import Outputs

# Environment variables: file for the times, and backend of the network.
FILE, BACKEND = 'MFS_SEG_TIMES_FILE', 'MFS_SEG_TIMES_BACKEND'
RECEIVE, CONVERT, RESIZE, NETWORK, MASK, PUBLISH, OTHER = (
    'receive', 'convert', 'resize', 'network', 'argmax and resize up', 'publish', 'other')


class StageClock:
    """
    Processor time of the stages of each frame.

    All wrapped functions are called by the worker's thread. A frame ends with its publication. What
    the other threads did since the frame before is :data:`RECEIVE`: the middleware's and the
    executor's work.

    :ivar frames: for each frame its stamp, the milliseconds of each stage, and the elapsed time of
        the network in milliseconds.
    """

    def __init__(self) -> None:
        """Create a clock without frames."""
        self.frames: list[dict[str, Any]] = []
        self._stages_ns: Counter[str] = Counter()
        self._network_ns = 0
        # Processor and elapsed time in wrapped functions that the present one has called.
        self._inner = 0, 0
        self._process_ns = self._worker_ns = 0

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        """
        Measure the calls of a function, without those of other wrapped functions in it.

        :param owner: class or module of the function.
        :param name: name of the function.
        :param stage: stage that it belongs to.
        """
        call: Callable = getattr(owner, name)

        @wraps(call)
        def timed(*args: Any, **kwargs: Any) -> Any:
            outer, self._inner = self._inner, (0, 0)
            cpu_ns, elapsed_ns = time.thread_time_ns(), time.perf_counter_ns()
            try:
                return call(*args, **kwargs)
            finally:
                elapsed_ns = time.perf_counter_ns() - elapsed_ns
                cpu_ns = time.thread_time_ns() - cpu_ns
                self._stages_ns[stage] += cpu_ns - self._inner[0]
                if stage == NETWORK:
                    self._network_ns += elapsed_ns - self._inner[1]
                self._inner = outer[0] + cpu_ns, outer[1] + elapsed_ns

        setattr(owner, name, timed)

    def wrap_publication(self) -> None:
        """Measure the publication of masks, with which frames end."""
        self.wrap(Outputs, 'publish', PUBLISH)
        publish = Outputs.publish

        @wraps(publish)
        def ending(outputs: Outputs, step: Any, *args: Any) -> Any:
            mask = publish(outputs, step, *args)
            self.end_frame(step.stamp_ns)
            return mask

        Outputs.publish = ending

    def end_frame(self, stamp_ns: int) -> None:
        """Keep the times since the frame before; ``stamp_ns`` is the stamp of this one."""
        process_ns, worker_ns = time.process_time_ns(), time.thread_time_ns()
        worker = worker_ns - self._worker_ns
        stages_ns = {RECEIVE: process_ns - self._process_ns - worker, **self._stages_ns,
                     OTHER: worker - self._stages_ns.total()}
        self.frames.append({
            'stamp_ns': stamp_ns, 'network_ms': self._network_ns / 1e6,
            'stages_ms': {stage: ns / 1e6 for stage, ns in stages_ns.items()}})
        self._stages_ns.clear()
        self._network_ns = 0
        self._process_ns, self._worker_ns = process_ns, worker_ns


def main() -> int:
    """Run the node, and write the times of its frames; return its exit code."""
    clock = StageClock()
    clock.wrap(ImageReader, 'read', CONVERT)
    clock.wrap(Segmenter, 'prepare', RESIZE)
    if os.environ[BACKEND] == 'torch':
        # The node with the native engine runs without it.
        from mfs_seg_core.streaming import torch_backend
        clock.wrap(torch_backend.TorchBackend, 'step', NETWORK)
        clock.wrap(torch_backend, 'mask_of', MASK)
    else:
        clock.wrap(Engine, 'step', NETWORK)
        clock.wrap(Engine, '_mask', MASK)
    clock.wrap_publication()
    code = segmenter.main()
    write_json(Path(os.environ[FILE]), clock.frames)
    return code


if __name__ == '__main__':
    end_process(main())
