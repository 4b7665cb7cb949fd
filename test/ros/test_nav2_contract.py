# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A subscriber like Nav2's semantic segmentation layer gets what it needs.

That layer takes mask and confidence with SensorDataQoS(50), joined by equal stamps, and LabelInfo
with a latched QoS of depth 5. It reads pixel (u, v) of both at data[v * width + u], drops what is
smaller, and takes classes by name: from LabelInfo to the costs that its parameters give.
"""

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from support.camera import MODULE, QUICK, Camera, coarse_image
from vision_msgs.msg import LabelInfo

from mfs_seg_core.labels import CAMVID, UNLABELLED
from mfs_seg_ros.messages.images import image_message, stamp_ns

SENSOR_DATA = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)
FRAMES = 10


class Layer:
    """The layer's messages of one segmenter: pairs of mask and confidence, and the labels."""

    def __init__(self, node, name: str):
        self.pairs: dict[int, dict[str, Image]] = {}
        self.labels: list[LabelInfo] = []
        for kind in ('mask', 'confidence'):
            node.create_subscription(
                Image, f'{name}/{kind}', lambda message, kind=kind: self.hear(kind, message),
                SENSOR_DATA)
        node.create_subscription(LabelInfo, f'{name}/label_info', self.labels.append, LATCHED)

    def hear(self, kind: str, message: Image) -> None:
        """Join by exact time."""
        self.pairs.setdefault(stamp_ns(message), {})[kind] = message

    def complete(self) -> dict[int, dict[str, Image]]:
        """Return the pairs of which both have come, by their stamp in nanoseconds."""
        return {stamp: pair for stamp, pair in self.pairs.items() if len(pair) == 2}


@pytest.fixture(scope='module')
def received(children) -> tuple[Layer, dict[int, Image]]:
    """Return a layer that has come late, and the images that were sent to it, by their stamp."""
    children.start('segmenter', MODULE, QUICK)
    camera = Camera(outputs=())
    camera.wait(camera.reset_client.service_is_ready, 'the segmenter')
    layer = Layer(camera.node, camera.name)
    sent: dict[int, Image] = {}

    def send(seed: int) -> int:
        message = image_message(coarse_image(seed, 53, 37), 'rgb8', Image().header)
        message.header.frame_id = 'camera_optical'
        stamp = stamp_ns(camera.send(message))
        sent[stamp] = message
        return stamp

    def first_pair() -> bool:
        send(0)
        return bool(layer.complete())

    camera.wait(first_pair, 'mask and confidence of an image')
    # One after the other: the segmenter drops images that come quicker than it works.
    for seed in range(1, FRAMES):
        stamp = send(seed)
        camera.wait(lambda stamp=stamp: stamp in layer.complete(), f'those of image {seed}')
    camera.wait(lambda: layer.labels, 'the latched labels')
    yield layer, sent
    camera.close()


def test_pairs_have_the_stamp_and_frame_of_their_image(received):
    layer, sent = received
    pairs = layer.complete()
    assert len(pairs) >= FRAMES and {*pairs} <= {*sent}
    for stamp, pair in pairs.items():
        assert pair['mask'].header == pair['confidence'].header == sent[stamp].header


def test_every_mask_has_its_confidence(received):
    layer, _ = received
    # One of the first may have come before the other's topic was connected.
    first = min(layer.complete())
    assert all(len(pair) == 2 for stamp, pair in layer.pairs.items() if stamp >= first)


def test_pixels_lie_where_the_layer_reads_them(received):
    layer, sent = received
    for stamp, pair in layer.complete().items():
        for message in pair.values():
            assert message.encoding == 'mono8'
            assert (message.width, message.height) == (sent[stamp].width, sent[stamp].height)
            assert message.step == message.width, 'rows are not padded'
            assert len(message.data) == message.width * message.height


def test_labels_name_every_id(received):
    layer, _ = received
    named = {each.class_id: each.class_name for each in layer.labels[-1].class_map}
    assert {number: named[number] for number in range(len(CAMVID))} == dict(enumerate(CAMVID.names))
    # The layer finds ids by the names: one that stands twice would hide the other.
    assert len({*named.values()}) == len(named)
    ids = {number for pair in layer.complete().values()
           for number in np.unique(pair['mask'].data).tolist()}
    assert ids <= {*named} and len(ids - {UNLABELLED}) > 1


def test_confidence_uses_its_range(received):
    layer, _ = received
    values = np.concatenate([pair['confidence'].data for pair in layer.complete().values()])
    # Of 11 classes the likeliest has at least a share of 1 / 11.
    assert values.min() >= 255 // len(CAMVID) and values.max() > 128
    assert len(np.unique(values)) > 20
