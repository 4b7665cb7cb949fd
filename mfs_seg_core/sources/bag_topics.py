# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the topics of images and labels in a bag, by their types, encodings and names."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import islice
from typing import NamedTuple

from mfs_seg_core.bags.bag import Bag, listed
from mfs_seg_core.bags.definitions import COMPRESSED, IMAGE
from mfs_seg_core.bags.reader import read_message
from mfs_seg_core.bags.storage import Channel
from mfs_seg_core.images.compressed_format import pixel_format
from mfs_seg_core.images.encoding import MessageError, layout_of
from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.util.text import printable

# First messages of a topic of which one must be readable.
MAX_SEARCHED = 20
# Ranks of images: the smallest is chosen, the last never.
COLOUR, GREY, INFRARED, NEVER = range(4)
# Parts of the names of topics that do not hold colour or grey values, and of infrared cameras.
DEPTH_NAMES = re.compile(r'depth|disparity|range_image', re.IGNORECASE)
INFRARED_NAMES = re.compile(r'infra|thermal|(^|[/_])ir\d?([/_]|$)', re.IGNORECASE)
GREY_ENCODINGS = re.compile(r'mono|8uc1', re.IGNORECASE)


class ImageTopic(NamedTuple):
    """
    Topic of images in a bag; the smallest is the best one to play.

    :param rank: ``COLOUR``, ``GREY``, ``INFRARED`` or ``NEVER``.
    :param compressed: True for CompressedImage.
    :param topic: its name.
    :param encoding: encoding or format of its first message; '': it has no readable message.
    :param refusal: why it cannot be played; '': it can be.
    :param channel: its channel.
    """

    rank: int
    compressed: bool
    topic: str
    encoding: str
    refusal: str
    channel: Channel


def image_topics(bag: Bag) -> list[ImageTopic]:
    """Return the topics of images, the best one first."""
    return sorted(_described(channel, _encoding(bag, channel)) for channel in bag.channels
                  if channel.kind in (IMAGE, COMPRESSED))


def _encoding(bag: Bag, channel: Channel) -> str | None:
    """Return encoding or format of a channel's first readable message; None: there is none."""
    for _, _, data in islice(bag.messages([channel]), MAX_SEARCHED):
        try:
            message = read_message(channel, data)
            return message.format if channel.kind == COMPRESSED else message.encoding
        except (ValueError, AttributeError):
            continue
    return None


def _described(channel: Channel, encoding: str | None) -> ImageTopic:
    """Return the description of a topic, whose first message has an encoding; None: no message."""
    compressed = channel.kind == COMPRESSED
    rank, refusal = COLOUR, ''
    try:
        if encoding is None:
            raise MessageError('it has no readable message')
        _ = pixel_format(encoding) if compressed else layout_of(encoding)
    except MessageError as error:
        rank, refusal = NEVER, str(error)
    else:
        if DEPTH_NAMES.search(channel.topic):
            # Depth of 16 bits also comes as 'mono16', which only its name shows.
            rank = NEVER
        elif INFRARED_NAMES.search(channel.topic):
            rank = INFRARED
        elif GREY_ENCODINGS.match(encoding.strip()):
            rank = GREY
    return ImageTopic(rank, compressed, channel.topic, encoding or '', refusal, channel)


def choose_image_channels(
    bag: Bag, image_topic: str, label_topic: str
) -> tuple[Channel, Channel | None]:
    """
    Choose the topics of images and labels.

    By default the topic of labels is one of grey or compressed images with 'label' in its name.
    The topic of images is another one: colour before grey before infrared, raw before compressed,
    then by name; never depth.

    :param bag: the bag.
    :param image_topic: topic of the images; empty: the default.
    :param label_topic: topic of the labels; empty: the default.
    :returns: channels of images and labels; None without labels.
    :raises SourceError: a topic is missing, or cannot be played; one sentence.
    """
    topics = image_topics(bag)
    by_name = {found.topic: found for found in reversed(topics)}
    for topic in filter(None, (image_topic, label_topic)):
        if topic not in by_name:
            raise SourceError(f"'{bag.path}' has no image topic '{printable(topic)}': it has "
                              f'{described(bag, topics)}{bag.excuse}.')
    label = by_name.get(label_topic) or next(
        (found for found in topics if 'label' in found.topic and found.topic != image_topic
         and (found.rank == GREY or found.compressed and not found.refusal)), None)
    image = by_name.get(image_topic) or next(
        (found for found in topics if found is not label and found.rank < NEVER), None)
    if image is None:
        raise SourceError(
            f"'{bag.path}' has no topic of camera images (sensor_msgs Image or CompressedImage of "
            f'colour or grey values): it has {described(bag, topics)}{bag.excuse}.')
    if image.refusal:
        raise SourceError(
            f"topic '{printable(image.topic)}' of '{bag.path}' cannot be played, {image.refusal}; "
            f'the bag has {described(bag, topics)}.')
    return image.channel, label.channel if label else None


def described(bag: Bag, topics: Collection[ImageTopic]) -> str:
    """Return all topics of a bag, those of images with their encodings."""
    images = [f'{printable(found.topic)} ({found.channel.kind}, '
              f'{printable(found.encoding) or "no messages"})' for found in topics]
    others = [channel for channel in bag.channels + bag.foreign
              if channel.kind not in (IMAGE, COMPRESSED)]
    return ', '.join(images + ([listed(others)] if others or not images else []))
