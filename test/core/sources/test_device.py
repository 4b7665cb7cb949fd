# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera devices; OpenCV opens a video file as it opens a device."""

from __future__ import annotations

import os
import signal
import time

import pytest
from support.videos import write_video

from mfs_seg_core.sources.device import MAX_FAILED, DeviceSource, device_of
from mfs_seg_core.sources.items import SourceError


@pytest.fixture
def camera(tmp_path) -> str:
    return str(write_video(tmp_path / 'camera.avi', 'MJPG', 20.0, range(0, 200, 20)))


@pytest.mark.parametrize('given, device', [
    ('0', 0), ('12', 12), ('/dev/video3', '/dev/video3'), ('video3', None), ('123', None),
    ('/dev/null', None), ('street', None)])
def test_devices_are_named_by_number_or_path(given, device):
    assert device_of(given) == device


def test_a_file_of_that_name_is_no_device(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '7').touch()
    assert device_of('7') is None


def test_frames_have_the_time_of_their_reading(camera):
    source = DeviceSource(camera)
    begin_ns = time.time_ns()
    frames = list(source)
    stamps = [frame.recorded.stamp_ns for frame in frames]
    assert len(frames) == 10 and stamps == sorted(stamps)
    assert begin_ns < stamps[0] and stamps[-1] < time.time_ns()
    assert [abs(int(frame.image.mean()) - 20 * index) < 12
            for index, frame in enumerate(frames)] == [True] * 10
    # The end of the file looks like a camera that was unplugged.
    assert source.report.incomplete and 'sends no more frames' in source.report.sentences()[0]
    assert MAX_FAILED > 1


def test_an_interruption_ends_the_stream_without_an_error(camera):
    source = DeviceSource(camera)
    before = signal.getsignal(signal.SIGINT)
    frames = []
    for frame in source:
        frames.append(frame)
        if len(frames) == 3:
            os.kill(os.getpid(), signal.SIGINT)
    assert len(frames) == 3
    assert not source.report.incomplete and source.report.sentences() == []
    assert signal.getsignal(signal.SIGINT) is before


def test_a_missing_camera_is_one_sentence():
    with pytest.raises(SourceError, match="camera '/dev/video63' cannot be opened: connect it"):
        next(iter(DeviceSource('/dev/video63')))
