# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Environment variables that keep the traffic of Fast DDS on this machine."""

from __future__ import annotations

import os
from pathlib import Path

PROFILE = 'fastdds_local.xml'
# Names of the variable until Jazzy and from then on. Humble reads the first, Jazzy both.
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
WITH_FORMER_NAME = ('humble', 'jazzy')
# Higher domains use ports from the range that Linux assigns to outgoing connections.
LAST_DOMAIN = 101


def local_environment() -> dict[str, str]:
    """
    Return this process's environment with settings for child processes on this machine.

    Values for the domain, the RMW implementation and the Fast DDS profile that are already set are
    kept.

    :returns: environment variables.
    :raises FileNotFoundError: the package's Fast DDS profile is missing.
    """
    environment = dict(os.environ)
    environment.setdefault('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    environment.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % LAST_DOMAIN))
    variables = profile_variables(environment.get('ROS_DISTRO'))
    if not any(environment.get(name) for name in PROFILE_VARIABLES):
        environment.update(dict.fromkeys(variables, str(profile_path())))
    if all(Path(environment.get(name, '')).name == PROFILE for name in variables):
        # With these, Fast DDS ignores the shared memory of our profile, which is local anyway.
        environment.pop('ROS_LOCALHOST_ONLY', None)
        environment.pop('ROS_AUTOMATIC_DISCOVERY_RANGE', None)
    # Callers parse the logs of the child processes in the default format.
    environment.pop('RCUTILS_CONSOLE_OUTPUT_FORMAT', None)
    environment['RCUTILS_COLORIZED_OUTPUT'] = '0'
    return environment


def profile_variables(distribution: str | None) -> tuple[str, ...]:
    """
    Return the environment variables from which Fast DDS takes the path of its profile.

    :param distribution: name of the ROS distribution; None: unknown.
    :returns: names of the variables.
    """
    if distribution in (None, *WITH_FORMER_NAME):
        return PROFILE_VARIABLES
    return PROFILE_VARIABLES[1:]


def profile_path() -> Path:
    """Return the path of the package's Fast DDS profile in the source tree or in share/."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    folders = [Path(__file__).resolve().parents[2] / 'config']
    folders += [Path(prefix) / 'share' / 'mfs_seg_ros' / 'config' for prefix in prefixes if prefix]
    for folder in folders:
        if (folder / PROFILE).is_file():
            return folder / PROFILE
    raise FileNotFoundError(
        f"'{PROFILE}' was not found in {', '.join(map(str, folders))}: source the workspace that "
        'mfs_seg_ros is installed in.'
    )
