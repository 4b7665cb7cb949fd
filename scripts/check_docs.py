# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Run the commands of the documentation; part of check_docs.sh.

Commands run in the repository that this file lies in, page by page, in their order. Those that
scripts/check_docs.yaml skips are listed with the reason. The exit code is 1 if one fails.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / 'test'))

from support.doc_commands import DocCommand, DocRule, all_commands, read_rules, rule_of  # noqa: E402
from support.doc_samples import write_samples  # noqa: E402

LAST_LINES = 15


def main() -> int:
    """Run or list the commands; return the exit code."""
    parser = argparse.ArgumentParser(prog='check_docs', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--list', action='store_true',
                        help='list the commands without running them')
    parser.add_argument('--only', default='', metavar='REGEX',
                        help='commands or pages to check (default: all)')
    options = parser.parse_args()
    rules = read_rules()
    chosen = [(command, rule_of(command.text, rules)) for command in all_commands(options.only)]
    runnable = [(command, rule) for command, rule in chosen if not rule.skip]
    if options.list:
        for command, rule in runnable:
            print(f'{command.page}: {rule.apply(command.text)}')
        failed = []
    else:
        failed = _run_all(runnable)
    _print_skipped(chosen)
    for command in failed:
        print(f'check_docs: {command.page}: this command failed: {command.text}', file=sys.stderr)
    print(f'{len(runnable)} commands to run, {len(chosen) - len(runnable)} skipped, '
          f'{len(failed)} failed')
    return 1 if failed else 0


def _run_all(chosen: list[tuple[DocCommand, DocRule]]) -> list[DocCommand]:
    """Run commands in their order; return those that failed."""
    os.chdir(REPOSITORY)
    samples = REPOSITORY / 'samples'
    if not samples.exists():
        write_samples(samples)
    (REPOSITORY / 'out').mkdir(exist_ok=True)
    # A ROS domain of its own: no other node on this machine takes part.
    os.environ.setdefault('ROS_DOMAIN_ID', str(random.randint(1, 100)))
    failed, started = [], time.monotonic()
    for number, (command, rule) in enumerate(chosen, 1):
        text, before = rule.apply(command.text), time.monotonic()
        print(f'[{number}/{len(chosen)}] {command.page}: {text}', flush=True)
        if problem := _problem(text, rule.seconds):
            failed.append(command)
            print(problem, flush=True)
        print(f'    {time.monotonic() - before:.0f} s', flush=True)
    print(f'{(time.monotonic() - started) / 60:.1f} minutes')
    return failed


def _problem(text: str, seconds: float) -> str:
    """Run a command; return its last lines of output if it fails, else nothing."""
    log = REPOSITORY / 'out/check_docs.log'
    with log.open('wb') as output:
        process = subprocess.Popen(['bash', '-euo', 'pipefail', '-c', text], stdout=output,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            code = process.wait(seconds)
            status = f'exit code {code}' if code else ''
        except subprocess.TimeoutExpired:
            status = f'still running after {seconds:.0f} s'
            # The session of the command, with all its children.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if not status:
        return ''
    lines = log.read_text('utf-8', 'replace').splitlines()[-LAST_LINES:]
    return '\n'.join([f'    {status}; its last lines:', *(f'    | {line}' for line in lines)])


def _print_skipped(chosen: list[tuple[DocCommand, DocRule]]) -> None:
    """Print the commands that were not run, by reason."""
    by_reason = defaultdict(list)
    for command, rule in chosen:
        if rule.skip:
            by_reason[rule.skip].append(command)
    for reason, commands in by_reason.items():
        print(f'not run: {reason}:')
        for command in commands:
            print(f'    {command.page}: {command.text}')


if __name__ == '__main__':
    sys.exit(main())
