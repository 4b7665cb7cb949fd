# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Plot what a node reports on /diagnostics: rates, latency, and images without a mask.

``python examples/plot_diagnostics.py PICTURE SECONDS`` records from the first report on, while
``mfs_seg`` runs, and prints each change of its message. Needs rclpy and the extra `plots`.
"""

import sys
import time
from collections import defaultdict

import matplotlib.pyplot as plt
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

CAMERA = 'mfs_seg: camera'
PANELS = (('Hz', ('image rate (Hz)', 'mask rate (Hz)')),
          ('ms', ('latency p50 (ms)', 'latency p99 (ms)', 'max_latency (ms)')),
          ('images', ('lost: images dropped for newer ones', 'lost: images lost in the transport')))
WAIT_S = 60.0


class DiagnosticsRecord(Node):
    """Node that keeps the reports of a camera."""

    def __init__(self) -> None:
        super().__init__('diagnostics_record')
        self.reports, self.message = [], ''
        self.create_subscription(DiagnosticArray, '/diagnostics', self._keep, 10)

    def _keep(self, array: DiagnosticArray) -> None:
        for status in array.status:
            if status.name == CAMERA:
                self.reports.append({pair.key: pair.value for pair in status.values})
                if status.message != self.message:
                    self.message = status.message
                    print(f'report {len(self.reports)}: {status.message}')


def main(picture: str, seconds: float) -> None:
    """Record for some seconds, and plot."""
    rclpy.init()
    record, end_s = DiagnosticsRecord(), time.monotonic() + WAIT_S + seconds
    while time.monotonic() < end_s and len(record.reports) < seconds:
        rclpy.spin_once(record, timeout_sec=0.5)
    if not record.reports:
        sys.exit(f'no report on /diagnostics within {WAIT_S + seconds:g} s: start the node')
    values = defaultdict(list)
    for report in record.reports:
        for key, value in report.items():
            values[key].append(float('nan') if value == 'unknown' else value)
    figure, axes = plt.subplots(1, len(PANELS), figsize=(12, 3), layout='constrained')
    for ax, (unit, keys) in zip(axes, PANELS):
        for key in keys:
            ax.plot([*map(float, values[key])], label=key)
        ax.set(xlabel='seconds', ylabel=unit)
        ax.legend(fontsize='small')
    figure.savefig(picture)


if __name__ == '__main__':
    main(sys.argv[1], float(sys.argv[2]))
