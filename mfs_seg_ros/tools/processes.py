# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that all end with the program."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from mfs_seg_core.util.child import end_with_parent
from mfs_seg_ros.tools.parameter_file import write_parameters

# How long a process may take to end after each signal, in seconds.
PATIENCE_S = ((signal.SIGINT, 20.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))
LOGGED_ERROR = re.compile(r'\[(?:ERROR|FATAL)\](?: \[[^\]]*\])*: (.*)')


class ChildFailed(Exception):
    """A child process ended unexpectedly; the message gives the reason."""


class Children:
    """
    Python modules running as ROS nodes, each in a process group with a log file of its own.

    As a context manager, it ends all of them when it is left.

    :param log_folder: folder of the log files.
    :param environment: environment variables of the processes.
    """

    def __init__(self, log_folder: Path, environment: dict[str, str]) -> None:
        self._log_folder = log_folder
        self._environment = environment
        self._processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> Children:
        self._log_folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._end(list(self._processes.values()))

    @property
    def names(self) -> list[str]:
        """Names of the children that were started."""
        return list(self._processes)

    def start(
        self,
        name: str,
        module: str,
        parameters: dict[str, object],
        remappings: dict[str, str] | None = None,
        variables: dict[str, str] | None = None,
    ) -> None:
        """
        Start a module as a node.

        :param name: name of the process here, and of its log.
        :param module: Python module to run.
        :param parameters: ROS parameters.
        :param remappings: names and the names that replace them.
        :param variables: environment variables of this process only.
        """
        file = self._log_folder / f'{name}.yaml'
        write_parameters(file, parameters)
        command = [sys.executable, '-m', module, '--ros-args', '--params-file', str(file)]
        for source, target in (remappings or {}).items():
            command += ['-r', f'{source}:={target}']
        # A process group of its own: Ctrl-C in the terminal does not reach it.
        with self._log(name).open('w') as log:
            self._processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**self._environment, **(variables or {})},
                start_new_session=True, preexec_fn=end_with_parent)

    def ended(self, name: str) -> bool:
        """Return whether a child has ended without error; raises ChildFailed after an error."""
        status = self._processes[name].poll()
        if status == -signal.SIGALRM and not self.last_match(name, LOGGED_ERROR):
            # See node/run.py: its work was done.
            return True
        if status:
            raise ChildFailed(f'{name}: {self._sentence(name, status)}')
        return status == 0

    def pid(self, name: str) -> int:
        """Return the process id of a child."""
        return self._processes[name].pid

    def check_running(self, *names: str) -> None:
        """Raise ChildFailed when one of these has ended."""
        for name in names:
            if self.ended(name):
                raise ChildFailed(f"{name} ended too early: see '{self._log(name)}'.")

    def stop(self, name: str) -> None:
        """End a child and wait for it; raises ChildFailed when it ends with an error."""
        self._end([self._processes[name]])
        self.ended(name)

    def last_match(self, name: str, pattern: str | re.Pattern) -> re.Match | None:
        """Return the last match of a pattern in the log of a child."""
        found = self.matches(name, pattern)
        return found[-1] if found else None

    def matches(self, name: str, pattern: str | re.Pattern) -> list[re.Match]:
        """Return all matches of a pattern in the log of a child."""
        return list(re.finditer(pattern, self._log(name).read_text(errors='replace')))

    def _log(self, name: str) -> Path:
        return self._log_folder / f'{name}.log'

    def _sentence(self, name: str, status: int) -> str:
        text = self._log(name).read_text(errors='replace')
        if said := LOGGED_ERROR.findall(text):
            return said[-1]
        lines = text.split('\n')
        last = next((line for line in reversed(lines) if line.strip()), 'it printed nothing')
        return f"ended with status {status}: {last} (see '{self._log(name)}')"

    def _end(self, processes: list[subprocess.Popen]) -> None:
        for number, patience_s in PATIENCE_S:
            for process in processes:
                _signal_group(process, number)
            for process in processes:
                try:
                    process.wait(patience_s)
                except subprocess.TimeoutExpired:
                    pass
            if all(process.poll() is not None for process in processes):
                return


def _signal_group(process: subprocess.Popen, number: signal.Signals) -> None:
    # After its leader was waited for, the number of the group may be another's.
    if process.poll() is None:
        os.killpg(process.pid, number)
