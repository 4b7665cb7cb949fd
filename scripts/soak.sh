#!/usr/bin/env bash
# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Whether the node stays as it is, for minutes or for days; see --help.
. "$(dirname "$0")/setup.sh"
exec python -m mfs_seg_ros.soak "$@"
