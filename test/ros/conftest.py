# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests with player processes."""

import pytest


@pytest.fixture
def start(environment, tmp_path_factory):
    """Return a function that starts a player; all end with the test."""
    from support.player_process import players

    with players(tmp_path_factory.mktemp('parameters')) as start_player:
        yield start_player
