# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The viewer next to a demo: real processes, real ROS 2, real Rerun."""

import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

from support.event_camera import save_untrained
from support.rrd import column, logged

TIMEOUT_S = 120.0


def served(page: str, process: subprocess.Popen) -> bool:
    """Wait until a page is served; return False if the process ends before."""
    while process.poll() is None:
        try:
            return b'rerun' in urlopen(page, timeout=10).read().lower()
        except URLError:
            time.sleep(0.1)
    return False


def test_a_live_demo_is_shown_and_recorded(tmp_path, environment):
    demo = subprocess.Popen(
        [sys.executable, '-m', 'mfs_seg_ros.demo', '--output', str(tmp_path / 'out'), '--live',
         '--record', str(tmp_path / 'live.rrd'), '--sensors', 'fusion', '--seconds', '3',
         '--rate', '10', '--size', '64', '48', '--weights',
         save_untrained(tmp_path / 'both.safetensors')],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = demo.stdout.readline()
    assert said.startswith('Live view: http://127.0.0.1:')
    assert served(said.split()[-1].partition('?')[0], demo)
    said, errors = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 0 and not errors, errors
    counts = logged(tmp_path / 'live.rrd')
    assert {'camera', 'events', 'mask', 'confidence', 'firing_rates', 'times', 'status'} == set(
        counts)
    # Masks of images, and masks of events alone. There are no events yet at the first image.
    assert 0 < counts['camera'] <= counts['mask']
    assert counts['mask'] - 1 <= counts['events'] <= counts['mask']
    assert 0 < counts['confidence'] <= counts['mask']
    names = column(tmp_path / 'live.rrd', 'firing_rates', 'SeriesLines:names')[-1]
    assert names[0] == 'mean' and 'events.down.lif' in names
    context, = column(tmp_path / 'live.rrd', 'mask', 'AnnotationContext:context')
    assert context[0][3]['class_description']['info']['label'] == 'Road'


def test_a_view_that_cannot_be_opened_ends_the_demo_with_its_sentence(tmp_path, environment):
    demo = subprocess.run(
        [sys.executable, '-m', 'mfs_seg_ros.demo', '--output', str(tmp_path / 'out'), '--record',
         str(tmp_path / 'view.mp4')], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=TIMEOUT_S)
    assert demo.returncode == 1
    assert demo.stderr.strip() == (
        f"The demo ended early: viewer: '{tmp_path / 'view.mp4'}' is no name of a recording of "
        'Rerun: let it end with .rrd')
