# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Subscribe to the masks of the node, and log the largest classes of each one.

``python examples/mask_subscriber.py``, while ``mfs_seg`` runs. Needs rclpy only.
"""

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from vision_msgs.msg import LabelInfo

# The names are published once; transient local delivers them to late subscribers too.
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LARGEST = 3


class MaskSubscriber(Node):
    """Node that logs the shares of classes."""

    def __init__(self) -> None:
        super().__init__('mask_subscriber')
        self.names: dict[int, str] = {}
        self.create_subscription(LabelInfo, '/mfs_seg/label_info', self._keep_names, LATCHED)
        self.create_subscription(Image, '/mfs_seg/mask', self._log_shares, 5)

    def _keep_names(self, info: LabelInfo) -> None:
        self.names = {each.class_id: each.class_name for each in info.class_map}

    def _log_shares(self, mask: Image) -> None:
        # mono8 without padding: one byte a pixel, 255 is unlabelled.
        counts = np.bincount(np.frombuffer(mask.data, np.uint8), minlength=256)
        shares = counts / counts.sum()
        largest = np.argsort(-shares)[:LARGEST].tolist()
        stamp = mask.header.stamp
        self.get_logger().info(f'{stamp.sec}.{stamp.nanosec:09}: ' + ', '.join(
            f'{self.names.get(number, number)} {shares[number]:.0%}' for number in largest))


def main() -> None:
    """Run the node until it is interrupted."""
    rclpy.init()
    try:
        rclpy.spin(MaskSubscriber())
    except KeyboardInterrupt:
        pass


if __name__ == '__main__':
    main()
