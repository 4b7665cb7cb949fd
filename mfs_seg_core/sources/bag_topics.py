# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the topics of images and labels in a bag, by their types, encodings and names."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from mfs_seg_core.bags.bag import Bag, listed
from mfs_seg_core.bags.definitions import COMPRESSED, IMAGE
from mfs_seg_core.bags.reader import read_message
from mfs_seg_core.bags.storage import Channel
from mfs_seg_core.images.encoding import LAYOUTS
from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.util.text import printable

# Messages in which the first ones of all image topics are searched; then those found are enough.
MAX_SEARCHED = 2000
# Ranks of images: the smallest is chosen.
COLOUR, GREY, INFRARED, REFUSED = range(4)
# Encodings that hold distances, whatever the name of the topic.
DEPTH_ENCODINGS = re.compile(r'16[US]C1|32[FS]C1|64FC1|.*compressedDepth')
# Parts of the names of topics that do not hold colour or grey values, and of infrared cameras.
DEPTH_NAMES = re.compile(r'depth|disparity|range_image', re.IGNORECASE)
INFRARED_NAMES = re.compile(r'infra|thermal|(^|[/_])ir\d?([/_]|$)', re.IGNORECASE)
GREY_ENCODINGS = re.compile(r'mono|8UC1|16UC1|y8|y16', re.IGNORECASE)


class ImageTopic(NamedTuple):
    """
    Topic of images in a bag; the smallest is the best one to play.

    :param rank: ``COLOUR``, ``GREY``, ``INFRARED`` or ``REFUSED``.
    :param compressed: True for CompressedImage.
    :param topic: its name.
    :param encoding: encoding or format of its first message; '': it has no readable message.
    :param refusal: why it is not chosen without its name; '': it can be.
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
    channels = [channel for channel in bag.channels if channel.kind in (IMAGE, COMPRESSED)]
    encodings: dict[Channel, str] = {}
    for index, (channel, _, data) in enumerate(bag.messages(channels)):
        if len(encodings) == len(channels) or encodings and index > MAX_SEARCHED:
            break
        if channel not in encodings:
            try:
                message = read_message(channel, data)
                encodings[channel] = (message.format if channel.kind == COMPRESSED else
                                      message.encoding)
            except (ValueError, AttributeError):
                continue
    return sorted(_described(channel, encodings.get(channel)) for channel in channels)


def _described(channel: Channel, encoding: str | None) -> ImageTopic:
    """Return the description of a topic, whose first message has an encoding; None: no message."""
    compressed = channel.kind == COMPRESSED
    # The format of a CompressedImage begins with the encoding of the image.
    pixels = (encoding or '').partition(';')[0].strip()
    rank, refusal = COLOUR, ''
    if encoding is None:
        rank, refusal = REFUSED, 'it has no readable message'
    elif DEPTH_ENCODINGS.match(encoding) or DEPTH_NAMES.search(channel.topic):
        rank, refusal = REFUSED, 'it holds distances, not colours'
    elif not compressed and pixels not in LAYOUTS:
        rank, refusal = REFUSED, f"its encoding '{printable(encoding)}' is not supported"
    elif INFRARED_NAMES.search(channel.topic):
        rank = INFRARED
    elif GREY_ENCODINGS.match(pixels):
        rank = GREY
    return ImageTopic(rank, compressed, channel.topic, encoding or '', refusal, channel)


def choose_image_channels(
    bag: Bag, image_topic: str, label_topic: str
) -> tuple[Channel, Channel | None]:
    """
    Choose the topics of images and labels.

    By default the topic of labels is one with 'label' in its name. The topic of images is another
    one: colour before grey before infrared, raw before compressed, then by name; never depth.

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
                              f'{described(bag, topics)}.')
    label = by_name.get(label_topic) or next(
        (found for found in topics if 'label' in found.topic and found.topic != image_topic
         and found.encoding), None)
    image = by_name.get(image_topic) or next(
        (found for found in topics if found is not label and not found.refusal), None)
    if image is None:
        raise SourceError(
            f"'{bag.path}' has no topic of camera images (sensor_msgs Image or CompressedImage of "
            f'colour or grey values): it has {described(bag, topics)}.')
    # A name is no reason to refuse a topic that the user asked for.
    if image.refusal and (not image.encoding or DEPTH_ENCODINGS.match(image.encoding)
                          or not image.compressed and image.encoding not in LAYOUTS):
        raise SourceError(
            f"topic '{printable(image.topic)}' of '{bag.path}' cannot be played, {image.refusal}: "
            f'choose another one of {described(bag, topics)}.')
    return image.channel, label.channel if label else None


def described(bag: Bag, topics: Collection[ImageTopic]) -> str:
    """Return all topics of a bag, those of images with their encodings."""
    images = [f'{printable(found.topic)} ({found.channel.kind}, '
              f'{printable(found.encoding) or "no messages"})' for found in topics]
    others = [channel for channel in bag.channels + bag.foreign
              if channel.kind not in (IMAGE, COMPRESSED)]
    return ', '.join(images + ([listed(others)] if others or not images else []))
