# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write a drive of Street as a video, an event recording and a bag, where no camera is at hand.

``python examples/street_recording.py FOLDER [SECONDS]`` writes drive.mp4, drive.raw (EVT3) and the
bag drive (MCAP) with ``/camera/image_raw`` and ``/event_camera/events``. Needs the extra `events`.
"""

import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from mfs_seg_core.bags.definitions import PACKET
from mfs_seg_core.data.street import EventCamera, Street
from mfs_seg_core.events.evt3_encoder import encode_evt3

SEED, SIZE, RATE_HZ = 7, (320, 240), 20.0


def main(folder: Path, seconds: float = 4.0) -> None:
    """Write the recordings of a drive."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / 'drive', ignore_errors=True)
    street = Street(SEED, *SIZE, RATE_HZ)
    sensor = EventCamera(street, step_s=1 / RATE_HZ, interpolated=3)
    store = get_typestore(Stores.LATEST)
    store.register(get_types_from_msg(PACKET, 'event_camera_msgs/msg/EventPacket'))
    image = store.types['sensor_msgs/msg/Image']
    packet = store.types['event_camera_msgs/msg/EventPacket']
    code = cv2.VideoWriter_fourcc(*'mp4v')
    video = cv2.VideoWriter(str(folder / 'drive.mp4'), code, RATE_HZ, SIZE)
    with (Writer(folder / 'drive', version=9, storage_plugin=StoragePlugin.MCAP) as bag,
          open(folder / 'drive.raw', 'wb') as raw):
        images, packets = (bag.add_connection(topic, kind.__msgtype__, typestore=store)
                           for topic, kind in (('/camera/image_raw', image),
                                               ('/event_camera/events', packet)))
        raw.write('% evt 3.0\n% geometry {}x{}\n% end\n'.format(*SIZE).encode())
        for index in range(round(seconds * RATE_HZ)):
            stamp_ns = round(1e9 * index / RATE_HZ)
            time = store.types['builtin_interfaces/msg/Time'](*divmod(stamp_ns, 10**9))
            header = store.types['std_msgs/msg/Header'](time, 'camera')
            if index:
                data = encode_evt3(sensor.events((index - 1) / RATE_HZ, index / RATE_HZ))
                raw.write(data)
                bag.write(packets, stamp_ns, store.serialize_cdr(
                    packet(header, *SIZE[::-1], index, 0, 'evt3', False,
                           np.frombuffer(data, np.uint8)), packet.__msgtype__))
            frame = street.frame(index / RATE_HZ).image
            video.write(frame[..., ::-1])
            bag.write(images, stamp_ns, store.serialize_cdr(
                image(header, *SIZE[::-1], 'rgb8', 0, 3 * SIZE[0], frame.reshape(-1)),
                image.__msgtype__))
    video.release()


if __name__ == '__main__':
    main(Path(sys.argv[1]), *map(float, sys.argv[2:]))
