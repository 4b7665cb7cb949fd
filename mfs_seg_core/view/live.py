# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Show steps while they are made, by a thread that does not delay them."""

from __future__ import annotations

import os
import queue
import sys
import threading
from pathlib import Path

from mfs_seg_core.labels import ClassSet
from mfs_seg_core.util.extras import missing
from mfs_seg_core.util.files import aside, written_aside
from mfs_seg_core.view.program import ViewerProgram, open_browser
from mfs_seg_core.view.step import ViewedStep

# Steps that wait to be shown. A page that falls behind leaves out the oldest of them.
MAX_WAITING = 16
# A nice value: higher numbers mean lower priority.
LOW_PRIORITY = 10
# Rerun ends a file with this mark, in its last bytes; it logs failures of writing, but raises none.
END_MARK, END_BYTES = b'FOOT', 32


class LiveView:
    """
    Shows steps in a browser or a window, records them to a file, or both.

    A thread of low priority compresses and sends the steps. Where it is too slow, the oldest step
    that waits is dropped and counted in ``dropped``; with a file, :meth:`log` waits instead, so
    that the file is complete.

    :ivar page: address of the page for browsers; empty: there is none.
    :ivar dropped: number of steps that were dropped.
    """

    def __init__(self, place: str = '', file: Path | None = None,
                 sensors: tuple[str, ...] = ('camera',), port: int = 0, web_port: int = 0,
                 timeline: str = 'stamp') -> None:
        """
        Open a view.

        :param place: 'web', a page for browsers; 'window'; or empty: a file only.
        :param file: file to write, ``.rrd``; None: none. It is written aside and renamed by
            :meth:`close`.
        :param sensors: 'camera', 'events' or both, whose images have panes.
        :param port: port for data; 0: 9876, or a free one.
        :param web_port: port of the page; 0: 9090, or a free one.
        :param timeline: what the panes follow: 'stamp', or 'frame', the number of the mask, for
            several recordings, whose stamps may go back.
        :raises ValueError: Rerun is not installed, the place cannot be used, or neither place nor
            file is given; one sentence.
        :raises OSError: the file cannot be written, or the program for the place does not start.
        """
        if not place and not file:
            raise ValueError("give a place to show ('web', 'window') or a file to record to")
        try:
            import rerun as rr

            from mfs_seg_core.view.stream import ViewStream
        except ModuleNotFoundError as error:
            raise ValueError(f'a view needs {missing(error.name, ["view"])}') from None
        self._file = checked_file(file) if file else None
        self._program = ViewerProgram(place, port, web_port) if place else None
        self.page = self._program.page if self._program else ''
        if self.page:
            open_browser(self.page)
        sinks = [rr.FileSink(aside(self._file))] if self._file else []
        if self._program:
            sinks.append(rr.GrpcSink(self._program.data_url))
        # A browser decodes compressed images late when it is busy; a file of raw ones is large.
        self._stream = ViewStream(sinks, sensors, not place, timeline)
        self.dropped = 0
        self._queue: queue.Queue[ViewedStep | None] = queue.Queue(MAX_WAITING)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name='view', daemon=True)
        self._thread.start()

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self, classes: ClassSet) -> None:
        """Name and colour the classes of all masks."""
        self._stream.describe(classes)

    def log(self, step: ViewedStep) -> None:
        """
        Show a step; called by one thread.

        :param step: the step.
        :raises ValueError: an earlier step cannot be shown.
        """
        if self._failure:
            raise ValueError(f'a step cannot be shown: {self._failure}')
        while not self._file:
            try:
                return self._queue.put_nowait(step)
            except queue.Full:
                self._drop()
        self._queue.put(step)

    def close(self) -> None:
        """
        Show the steps that wait, complete the file, and end page or window.

        :raises OSError: the file could not be written completely; it is removed.
        """
        self._queue.put(None)
        self._thread.join()
        self._stream.close()
        if self._program:
            self._program.close()
        if self._file:
            with written_aside(self._file) as part:
                check_complete(part, self._file)

    def _drop(self) -> None:
        """Drop the oldest step that waits."""
        try:
            self._queue.get_nowait()
            self.dropped += 1
        except queue.Empty:
            # The thread was quicker.
            pass

    def _run(self) -> None:
        if sys.platform == 'linux':
            # Of this thread alone: it must not delay the network.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)
        while (step := self._queue.get()) is not None:
            try:
                self._stream.write(step)
            except Exception as error:
                # The thread goes on: log() may wait for it.
                self._failure = error


def checked_file(path: Path) -> Path:
    """
    Return the path of a recording, whose folder is created.

    :param path: path that ends with ``.rrd``.
    :returns: the path.
    :raises ValueError: it ends otherwise.
    :raises OSError: it cannot be written.
    """
    if path.suffix != '.rrd':
        raise ValueError(f"'{path}' is no name of a recording of Rerun: let it end with .rrd")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside(path).write_bytes(b'')
        # A place that cannot be opened leaves no file.
        aside(path).unlink()
    except OSError as error:
        raise OSError(f"'{path}' cannot be written ({error.strerror}): choose another folder"
                      ) from None
    return path


def check_complete(part: Path, path: Path) -> None:
    """
    Check that Rerun has completed a recording.

    :param part: the recording.
    :param path: name for the error.
    :raises OSError: its end is missing.
    """
    with part.open('rb') as file:
        file.seek(max(0, part.stat().st_size - END_BYTES))
        if END_MARK not in file.read():
            raise OSError(f"'{path}' could not be written to its end: make room on the disk, or "
                          'choose another folder')
