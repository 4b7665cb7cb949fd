#!/usr/bin/env bash
# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs the commands of README, docs, tutorials and examples in a fresh clone of this repository, with
# what is committed, under out/check_docs. Its environment is kept for the next run. Options are those
# of check_docs.py; --here runs them in this folder and its .venv instead, and writes to it.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = --here ]; then
    shift
    clone=$here
else
    clone=$here/out/check_docs/clone
    export MFS_SEG_VENV=$here/out/check_docs/venv
    rm -rf "$clone"
    git clone --quiet "$here" "$clone" || {
        echo 'check_docs: this folder is no git repository: clone it, or add --here' >&2
        exit 1
    }
fi
. "$clone/scripts/setup.sh"
cd "$clone"
exec python scripts/check_docs.py "$@"
