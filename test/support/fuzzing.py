# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Readers and mutated files: a reader either reads a file or refuses it with one sentence.

``TARGETS`` lists the readers; :mod:`support.fuzz_targets` adds them. ``MFS_SEG_FUZZ`` is the number
of mutated files, which are the same in each run unless it is set.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

#: Limits of reading one file: processor time in seconds, and memory in bytes.
SECONDS, MEMORY = 2.0, 1 << 30
#: Mutated files in a normal run.
USUAL = 250
COUNT = int(os.environ.get('MFS_SEG_FUZZ', USUAL))


class Target(NamedTuple):
    """
    A reader.

    :param name: name in the test's report.
    :param suffix: suffix of its files.
    :param write: function that writes a good, small file to a path.
    :param read: function that opens the path and reads all of it; ValueError refuses the file.
    """

    name: str
    suffix: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]


# Values that readers of lengths and offsets fail on.
_NUMBERS = [0, 1, 127, 128, 255, 256, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
            1 << 40, (1 << 63) - 1, (1 << 64) - 1]
_PLACES = st.one_of(st.integers(0, 600), st.integers(0, 1 << 20))
_BYTES = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.builds(lambda number, size, order: (number % (1 << 8 * size)).to_bytes(size, order),
              st.sampled_from(_NUMBERS), st.sampled_from([1, 2, 4, 8]),
              st.sampled_from(['little', 'big'])),
    st.sampled_from([b'\0', b'\n', b'\r\n', b',', b' ', b'-', b'nan', b'1e400', b'9' * 30, b'%',
                     b'#', b'\xff\xfe', b'\xef\xbb\xbf', b'%d', b'=', b';', b'x']))
_ACTIONS = st.sampled_from(['replace', 'replace', 'replace', 'insert', 'delete', 'cut', 'repeat',
                            'flip'])
MUTATIONS = st.lists(st.tuples(_ACTIONS, _PLACES, _BYTES, st.integers(1, 300)), min_size=1,
                     max_size=6)


def mutated(data: bytes, mutations: list[tuple[str, int, bytes, int]]) -> bytes:
    """Return a file's bytes with mutations applied in their order."""
    for action, place, octets, count in mutations:
        place %= len(data) + 1
        if action == 'replace':
            data = data[:place] + octets + data[place + len(octets):]
        elif action == 'insert':
            data = data[:place] + octets + data[place:]
        elif action == 'delete':
            data = data[:place] + data[place + count:]
        elif action == 'cut':
            data = data[:place]
        elif action == 'repeat':
            data = data[:place] + data[max(place - count, 0):]
        elif place < len(data):
            data = data[:place] + bytes([data[place] ^ 1 << count % 8]) + data[place + 1:]
    return data


class Hang(BaseException):
    """A reader that takes longer than SECONDS; no handler of the reader catches it."""


@contextmanager
def limits() -> Iterator[None]:
    """
    Limit the processor time and the memory of a block.

    :raises Hang: if it takes longer.
    :raises MemoryError: if it allocates more, unless the block itself handles that.
    """
    def stop(*_):
        raise Hang

    pages = int(Path('/proc/self/statm').read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGPROF, stop)
    start = time.process_time()
    try:
        resource.setrlimit(resource.RLIMIT_AS, (
            pages * resource.getpagesize() + MEMORY, before[1]))
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)
    # C code is not interrupted by the signal.
    if time.process_time() - start > SECONDS:
        raise Hang


def refusal(target: Target, path: Path) -> str:
    """
    Read a file within the limits.

    :param target: the reader.
    :param path: the file.
    :returns: the sentence by which the reader refuses it; empty: it read the file.
    """
    try:
        with limits():
            target.read(path)
    except ValueError as error:
        sentence = str(error)
        assert sentence and '\n' not in sentence and len(sentence) < 600, repr(sentence)
        assert str(path) in sentence and sentence.isprintable(), repr(sentence)
        return sentence
    return ''
