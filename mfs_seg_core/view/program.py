# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The program `rerun` as a child process: a page for browsers, or a window."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import webbrowser
from pathlib import Path
from urllib.parse import quote

from mfs_seg_core.util.child import end_with_parent

# The program listens on all interfaces unless told otherwise.
LOOPBACK = '127.0.0.1'
PORT, WEB_PORT = 9876, 9090
START_S, POLL_S, STOP_S = 20.0, 0.05, 5.0
MEMORY = '1GiB'
PLACES = ('web', 'window')


class ViewerProgram:
    """
    The program that shows the data, which it receives on a port of the loopback interface.

    It ends with this object, and with this process.

    :param place: 'web', a page for browsers, or 'window', a window on the display.
    :param port: port for data; 0: 9876, or a free one.
    :param web_port: port of the page; 0: 9090, or a free one.
    :raises ValueError: the place is unknown, there is no display for a window, or a port is in use.
    :raises OSError: the program does not start.
    """

    def __init__(self, place: str, port: int = 0, web_port: int = 0) -> None:
        if place not in PLACES:
            raise ValueError(f"a view is shown on {' or '.join(PLACES)}, not '{place}'")
        if place == 'window' and not has_display():
            raise ValueError("there is no display for a window: choose 'web', a page for a browser "
                             'on this or another machine')
        self.port = checked_port(port) if port else free_port(PORT)
        self._web_port = (checked_port(web_port) if web_port
                          else free_port(WEB_PORT, self.port))
        self.place = place
        options = ['--bind', LOOPBACK, '--port', str(self.port), '--server-memory-limit', MEMORY]
        if place == 'web':
            options += ['--serve-web', '--web-viewer-port', str(self._web_port)]
        # Here: choices and addresses are known without the program.
        import rerun_cli

        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [Path(rerun_cli.__file__).with_name('rerun'), *options], stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=subprocess.STDOUT, preexec_fn=end_with_parent,
            # With CI set, it does not report its use over the network.
            env=os.environ | {'CI': '1'},
            # Ctrl-C ends it by close(), after the last data.
            start_new_session=True)
        try:
            self._wait()
        except OSError:
            self.close()
            raise

    @property
    def data_url(self) -> str:
        """Address for data."""
        return f'rerun+http://{LOOPBACK}:{self.port}/proxy'

    @property
    def page(self) -> str:
        """Address of the page for browsers; empty for a window."""
        return page_url(self.port, self._web_port) if self.place == 'web' else ''

    def close(self) -> None:
        """End the program."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        """Wait until the program listens."""
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s and self._process.poll() is None:
            with socket.socket() as client:
                if not client.connect_ex((LOOPBACK, self.port)):
                    return
            time.sleep(POLL_S)
        self._log.seek(0)
        said = self._log.read().decode(errors='replace').strip().splitlines()
        raise OSError(f"the program 'rerun' does not start: {said[-1] if said else 'no reason'}")


def has_display() -> bool:
    """Return whether windows can be opened."""
    return bool(os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY'))


def open_browser(page: str) -> None:
    """Open a page in the user's browser, where there is a display."""
    # Without one, a browser for terminals would take this terminal.
    if has_display():
        webbrowser.open(page)


def page_url(port: int, web_port: int) -> str:
    """Return the address of the page on ``web_port`` that shows the data of ``port``."""
    data = quote(f'rerun+http://{LOOPBACK}:{port}/proxy', safe='')
    return f'http://{LOOPBACK}:{web_port}/?url={data}'


def checked_port(port: int) -> int:
    """Return a port; raise ValueError where it is in use."""
    if not _is_free(port):
        raise ValueError(f'port {port} is in use or not permitted: choose another one, or 0 for '
                         'any free port')
    return port


def free_port(preferred: int, other: int = 0) -> int:
    """Return the preferred port if it is free and not ``other``, else any free port."""
    if preferred != other and _is_free(preferred):
        return preferred
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        return server.getsockname()[1]


def _is_free(port: int) -> bool:
    with socket.socket() as server:
        # As the program does: connections that have ended do not keep a port.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
