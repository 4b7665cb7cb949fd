# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the topics of a rosbag2 to play, and register the types of their messages."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from mfs_seg_core.events.packet import PACKET_TYPES
from mfs_seg_core.sources.items import SourceError

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
EVENT_FIELDS = (
    'std_msgs/Header header', 'uint32 height', 'uint32 width', 'uint64 seq', 'uint64 time_base',
    'string encoding', 'bool is_bigendian', 'uint8[] events')


@cache
def known_types() -> Typestore:
    """Return the message types of played topics: not every bag describes them readably."""
    types = get_typestore(Stores.LATEST)
    for name in PACKET_TYPES:
        types.register(get_types_from_msg('\n'.join(EVENT_FIELDS), name))
    return types


def choose_topics(
    connections: list[Connection], image_topic: str, label_topic: str, path: Path
) -> tuple[str, str | None]:
    """
    Choose the topics of images and labels.

    By default the label topic is the image topic with 'label' in its name, and the image topic
    another one: raw before compressed, then by name.

    :param connections: connections of the bag.
    :param image_topic: topic of the images; empty: the default.
    :param label_topic: topic of the labels; empty: the default.
    :param path: path of the bag, for messages.
    :returns: topics of images and labels; None without labels.
    :raises SourceError: a topic is missing; one sentence.
    """
    # 'Image' sorts after 'CompressedImage': the raw topic of two is the first.
    candidates = [item.topic for item in sorted(
        (item for item in connections if item.msgtype in IMAGE_TYPES),
        key=lambda item: (item.msgtype != IMAGE_TYPES[0], item.topic))]
    for topic in filter(None, (image_topic, label_topic)):
        if topic not in candidates:
            raise SourceError(
                f"'{path}' has no image topic '{topic}': it has {_listed(candidates)}.")
    label = label_topic or next(
        (topic for topic in candidates if 'label' in topic and topic != image_topic), None)
    image = image_topic or next((topic for topic in candidates if topic != label), None)
    if image is None:
        raise SourceError(
            f"'{path}' has no topic of camera images (sensor_msgs Image or CompressedImage): "
            f'its topics are {_listed(item.topic for item in connections)}.')
    return image, label


def _listed(topics: Iterable[str]) -> str:
    return ', '.join(sorted(set(topics))) or 'none'
