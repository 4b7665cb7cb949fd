# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings and pages of the live view, by Rerun itself."""

import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.request import urlopen

import cv2
import numpy as np
import pytest
from support.rrd import column, logged

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.view.live import MAX_WAITING, LiveView, check_complete
from mfs_seg_core.view.program import ViewerProgram, free_port
from mfs_seg_core.view.step import ViewedStep

STAMP_NS = 1_700_000_000_000_000_000
# Prints the address of a page, and ends without closing the view.
ABANDONED = """
import os
from mfs_seg_core.view.live import LiveView
view = LiveView('web')
print(view._program._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
# Records to a disk that is full at the end.
FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from mfs_seg_core.view import stream
from mfs_seg_core.view.live import LiveView
from mfs_seg_core.view.step import ViewedStep
stream.FLUSH_S, stream.CLOSE_S = 0.5, 1.0
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
view = LiveView(file=Path(sys.argv[1]))
for index in range(5):
    image = np.random.default_rng(index).integers(0, 256, (240, 320, 3), np.uint8)
    view.log(ViewedStep(1 + index, image))
try:
    view.close()
except OSError as error:
    print(error)
"""


# 127.0.0.1, as in /proc/net/tcp.
LOOPBACK = '0100007F'


def listening() -> list[tuple[str, int]]:
    """Return address and port of the sockets that listen, of IPv4 and IPv6."""
    found = []
    for table in ('tcp', 'tcp6'):
        for line in Path('/proc/net', table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == '0A':
                address, port = local.split(':')
                found.append((address, int(port, 16)))
    return found


def step(index: int, **fields) -> ViewedStep:
    """Return a step whose arrays hold its index."""
    image = np.full((30, 40, 3), 8 * index, np.uint8)
    return ViewedStep(STAMP_NS + index, **{
        'image': image, 'mask': np.full((30, 40), index, np.uint8), 'confidence': image[..., 0],
        **fields})


def test_a_recording_holds_each_step_on_both_timelines(tmp_path):
    path = tmp_path / 'new' / 'view.rrd'
    with LiveView(file=path, sensors=('camera', 'events')) as view:
        assert not view.page
        view.describe(CAMVID)
        for index in range(1, 2 * MAX_WAITING):
            view.log(step(index, times_ms={'network': 3.0 + index}))
        view.log(ViewedStep(STAMP_NS + 99, events=np.full((30, 40, 3), (220, 30, 30), np.uint8),
                            firing_rates={'first': 0.25, 'second': 0.75}, status='OK: fine'))
        assert not path.exists()
    count = 2 * MAX_WAITING - 1
    assert view.dropped == 0 and [each.name for each in path.parent.iterdir()] == ['view.rrd']
    assert logged(path) == {'camera': count, 'mask': count, 'confidence': count, 'times': count,
                            'events': 1, 'firing_rates': 1, 'status': 1}
    assert column(path, 'mask', 'frame') == list(range(1, count + 1))
    assert column(path, 'events', 'frame') == [count]
    assert column(path, 'mask', 'stamp') == [STAMP_NS + index for index in range(1, count + 1)]
    masks = column(path, 'mask', 'SegmentationImage:buffer')
    assert [set(mask[0]) for mask in masks] == [{index} for index in range(1, count + 1)]
    assert column(path, 'firing_rates', 'Scalars:scalars') == [[0.5, 0.25, 0.75]]
    assert column(path, 'firing_rates', 'SeriesLines:names') == [['mean', 'first', 'second']]
    picture = np.frombuffer(bytes(column(path, 'camera', 'EncodedImage:blob')[4][0]), np.uint8)
    np.testing.assert_allclose(cv2.imdecode(picture, cv2.IMREAD_COLOR), 40, atol=2)
    events = np.frombuffer(bytes(column(path, 'events', 'EncodedImage:blob')[0][0]), np.uint8)
    assert cv2.imdecode(events, cv2.IMREAD_COLOR)[0, 0].tolist() == [30, 30, 220]


def test_events_have_the_size_of_the_mask_over_them(tmp_path):
    path = tmp_path / 'view.rrd'
    with LiveView(file=path, sensors=('events',)) as view:
        view.log(ViewedStep(STAMP_NS, events=np.zeros((30, 40, 3), np.uint8),
                            mask=np.zeros((60, 80), np.uint8)))
    picture = np.frombuffer(bytes(column(path, 'events', 'EncodedImage:blob')[0][0]), np.uint8)
    assert cv2.imdecode(picture, cv2.IMREAD_COLOR).shape == (60, 80, 3)


def test_masks_have_the_names_and_colours_of_their_classes(tmp_path):
    with LiveView(file=tmp_path / 'a.rrd') as view:
        view.describe(CAMVID)
        view.log(step(1))
    context, = column(tmp_path / 'a.rrd', 'mask', 'AnnotationContext:context')
    classes = {each['class_id']: each['class_description']['info'] for each in context[0]}
    assert classes.keys() == {*range(11), 255}
    assert classes[3]['label'] == 'Road' and classes[3]['color'] == 0x804080FF
    # The image stays visible there.
    assert classes[255]['label'] == 'unlabelled' and classes[255]['color'] == 0


def test_a_page_is_served_on_the_loopback_interface_only(monkeypatch, tmp_path):
    monkeypatch.delenv('CI', raising=False)
    monkeypatch.setenv('XDG_CONFIG_HOME', str(tmp_path / 'config'))
    with LiveView('web', tmp_path / 'a.rrd') as view:
        view.log(step(1))
        base, _, data = view.page.partition('/?url=')
        assert urlopen(base, timeout=10).read().lstrip().lower().startswith(b'<!doctype html>')
        ports = {int(base.rpartition(':')[2]), int(data.rpartition('%3A')[2].partition('%')[0])}
        assert {port: address for address, port in listening() if port in ports} == dict.fromkeys(
            ports, LOOPBACK)
    # The program reports no usage: its settings of that would be there.
    assert not (tmp_path / 'config').exists()
    assert data.endswith('&hide_welcome_screen=1')
    assert logged(tmp_path / 'a.rrd')['mask'] == 1
    # Not compressed: a busy browser decodes late.
    assert column(tmp_path / 'a.rrd', 'camera', 'Image:buffer')
    with pytest.raises(OSError):
        urlopen(base, timeout=10)


def test_a_slow_page_shows_the_newest_steps(monkeypatch):
    shown, ready = [], threading.Event()
    logged = 3 * MAX_WAITING

    def write(step):
        ready.wait()
        shown.append(step.stamp_ns)

    with LiveView('web') as view:
        monkeypatch.setattr(view._stream, 'write', write)
        for index in range(logged):
            view.log(ViewedStep(index))
        ready.set()
    assert shown[-MAX_WAITING:] == [*range(logged - MAX_WAITING, logged)]
    assert view.dropped == logged - len(shown) > 0


def test_the_program_ends_with_a_killed_process():
    done = subprocess.run([sys.executable, '-c', ABANDONED], capture_output=True, text=True)
    assert done.returncode == -9
    pid = int(done.stdout)
    end = subprocess.run(['timeout', '10', 'tail', f'--pid={pid}', '-f', '/dev/null'])
    assert end.returncode == 0, 'it still runs'


def test_a_recording_without_its_end_is_refused(tmp_path):
    path = tmp_path / 'a.rrd'
    with LiveView(file=path) as view:
        view.log(step(1))
    check_complete(path, path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(OSError, match="a.rrd' could not be written to its end: make room"):
        check_complete(path, path)


def test_a_full_disk_at_the_end_is_said_at_once(tmp_path):
    path = tmp_path / 'a.rrd'
    # Rerun would wait for its writer without end, at the exit of the process too.
    done = subprocess.run([sys.executable, '-c', FULL, path], stdout=subprocess.PIPE, text=True,
                          timeout=12)
    assert done.returncode == 0
    assert done.stdout == (f"'{path}' could not be written to its end: make room on the disk, or "
                           'choose another folder\n')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('arguments, sentence', [
    ({}, "give a place to show ('web', 'window') or a file to record to"),
    ({'file': 'a.mp4'}, "'a.mp4' is no name of a recording of Rerun: let it end with .rrd"),
    ({'file': '/proc/a.rrd'}, "'/proc/a.rrd' cannot be written"),
    ({'place': 'wall'}, "a view is shown on web or window, not 'wall'"),
    ({'place': 'window'}, 'there is no display for a window'),
])
def test_a_view_that_cannot_be_opened_says_why(monkeypatch, tmp_path, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    if 'file' in arguments:
        arguments = {'file': Path(arguments['file'])}
    with pytest.raises((ValueError, OSError)) as raised:
        LiveView(**arguments)
    assert sentence in str(raised.value) and '\n' not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_port_in_use_is_named_and_another_one_taken():
    with socket.create_server(('127.0.0.1', 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ValueError, match=f'port {port} is in use or not permitted: choose'):
            ViewerProgram('web', port)
        assert free_port(port) not in (port, 0)
    assert free_port(port) == port
    assert free_port(port, port) != port


def test_without_rerun_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'rerun', None)
    with pytest.raises(ValueError, match="a view needs rerun, of the extra 'view': pip install"):
        LiveView('web')


def test_a_step_that_cannot_be_shown_is_reported(tmp_path):
    view = LiveView(file=tmp_path / 'a.rrd')
    with pytest.raises(ValueError, match='a step cannot be shown: '):
        for index in range(10 * MAX_WAITING):
            view.log(step(index, image=np.zeros((2, 2, 2), np.uint8)))
    view.close()


def test_the_program_does_not_report_its_use(tmp_path, monkeypatch):
    """It would from the second start on, and keeps reports in these folders."""
    for name in ('XDG_CONFIG_HOME', 'XDG_DATA_HOME'):
        monkeypatch.setenv(name, str(tmp_path))
    for _ in range(2):
        ViewerProgram('web').close()
    assert not list(tmp_path.iterdir())
