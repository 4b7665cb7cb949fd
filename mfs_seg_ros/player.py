# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node ``player``: plays a source as a camera, an event camera or both, with the truth if known."""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from event_camera_msgs.msg import EventPacket
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.time import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from mfs_seg_core.sources.items import EventBatch, Frame, SourceError, due_s
from mfs_seg_core.sources.open_source import open_source
from mfs_seg_core.sources.report import MAX_BAD_SHARE
from mfs_seg_core.util.files import write_json
from mfs_seg_ros.messages.events import EVENT_QOS
from mfs_seg_ros.messages.images import image_message
from mfs_seg_ros.node.parameters import Setting, declare_all
from mfs_seg_ros.node.run import run_node
from mfs_seg_ros.node.stop import Stop, end_process
from mfs_seg_ros.playback.schedule import played

# A source that cannot keep up slows down: a camera does not send what it missed in a burst.
MAX_LATE_S = 0.1
POLL_S = 0.1
# Best-effort subscribers miss messages until discovery is complete in both directions.
SETTLE_S = 0.5
# What drivers publish with (REP-2003): reliable, keep last 10; best-effort consumers match it.
CAMERA_QOS = QoSProfile(depth=10)
# Items rendered ahead: frames for pauses of the process; Street renders a dozen batches at once.
FRAMES_AHEAD, BATCHES_AHEAD = 4, 32
PLAYER = (
    Setting('input', 'street',
            "What to play: 'street', a CamVid folder, a folder of images, a video, a recording of "
            'an event camera, or a bag.'),
    Setting('sensors', 'camera', "What to play of it: 'camera', 'events', 'fusion'."),
    Setting('rate', 0.0, 'Frames per second; 0: the rate of the input.', (0.0, 1e4)),
    Setting('fast', False, 'Send as fast as frames can be made.'),
    Setting('loop', False, 'Begin again when the input ends.'),
    Setting('seconds', 0.0, 'Stop after this many seconds; 0: no limit.', (0.0, 1e9)),
    Setting('frames', 0,
            'Stop after this many frames, or labels of events alone; 0: no limit.', (0, 2**31)),
    Setting('wait_for', 0,
            'Start when the topic of each sensor has this many subscribers.', (0, 1000)),
    Setting('frame_id', 'camera_optical_frame', 'frame_id of the headers.'),
    Setting('counts_file', '', 'JSON file for the counts of what was sent; empty: none.'),
    Setting('seed', 0, 'Seed of Street.', (0, 2**31)),
    Setting('width', 0, 'Width of the frames; 0: the input as it is.', (0, 16384)),
    Setting('height', 0, 'Height of the frames; 0: the input as it is.', (0, 16384)),
    Setting('split', 'val', "List of a CamVid folder: 'train' or 'val'."),
    Setting('bag_image_topic', '', 'Image topic of a bag; empty: chosen.'),
    Setting('bag_label_topic', '', 'Label topic of a bag; empty: chosen.'),
    Setting('bag_event_topic', '', 'Event topic of a bag; empty: chosen.'),
    Setting('sensor_width', 0,
            'Columns of the event sensor, for recordings that do not state them; 0: as recorded.',
            (0, 16384)),
    Setting('sensor_height', 0, 'Rows of the event sensor, likewise.', (0, 16384)),
    Setting('columns', '',
            "Order of the columns of events as text or arrays, for example 'x,y,p,t'; empty: found "
            'in the recording.'),
    Setting('unit', '',
            "Unit of their times: 's', 'ms', 'us' or 'ns'; empty: found in the recording."),
    Setting('packet_ms', 5, 'Length of a packet of events in milliseconds.', (1, 1000)),
)


class Player(Node):
    """
    Publishes camera/image_raw (rgb8), event_camera/events (EventPacket) or both.

    Labels, where the source has them, are published on camera/label (mono8 class ids), with events
    alone too. Stamps are the times of the source in ROS time; a packet has that of its first event.
    A frame is sent after the packets with earlier events, and has the same header as its label.

    :param stopped: set when the node is to stop.
    :raises SourceError: when the input cannot be played.
    """

    def __init__(self, stopped: Stop) -> None:
        super().__init__('player')
        self._stopped = stopped
        given = declare_all(self, PLAYER, read_only=True)
        self._input, sensors = given['input'], given['sensors']
        self._rate, self._fast = given['rate'], given['fast']
        self._seconds, self._frames = given['seconds'], given['frames']
        self._wait_for, self._frame_id = given['wait_for'], given['frame_id']
        self._counts_file = given['counts_file']
        source = open_source(
            self._input,
            sensors=sensors,
            seed=given['seed'],
            width=given['width'],
            height=given['height'],
            rate_hz=self._rate,
            split=given['split'],
            image_topic=given['bag_image_topic'],
            label_topic=given['bag_label_topic'],
            event_topic=given['bag_event_topic'],
            sensor_size=self._sensor_size(given['sensor_width'], given['sensor_height']),
            columns=given['columns'],
            unit=given['unit'],
            batch_us=1000 * given['packet_ms'],
        )
        self._report = source.report
        self._source = played(source, 0.0 if sensors != 'camera' else self._rate, given['loop'])
        self._ahead = FRAMES_AHEAD if sensors == 'camera' else BATCHES_AHEAD
        self._outputs: dict[str, Publisher] = {}
        if sensors != 'events':
            self._offer('camera/image_raw', Image, CAMERA_QOS)
        if sensors != 'camera':
            self._offer('event_camera/events', EventPacket, EVENT_QOS)
        self._sensor_publishers = list(self._outputs.values())
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._served = time.monotonic()

    def run(self) -> int:
        """
        Publish until the input ends, a limit is reached or a stop; report the counts sent.

        :returns: exit code: 1 if ``MAX_BAD_SHARE`` of the items of the input were bad.
        :raises SourceError: when there is nothing to send.
        """
        self._stopped.catch_signals()
        frames = packets = 0
        begin = start = None
        for item in self._rendered_ahead():
            if start is None:
                self._wait_for_subscribers()
                begin = start = time.monotonic()
                # ROS time minus that of time.monotonic(): one for the stamps of all topics.
                offset_ns = self.get_clock().now().nanoseconds - time.monotonic_ns()
            due = time.monotonic() if self._fast else start + due_s(item)
            if self._seconds and due - begin >= self._seconds:
                break
            messages = self._messages(item, packets)
            start += self._wait_until(due)
            if self._stopped.is_set():
                break
            stamp = Time(nanoseconds=offset_ns + round((start + item.time_s) * 1e9)).to_msg()
            for topic, message in messages.items():
                message.header.stamp = stamp
                self._outputs[topic].publish(message)
            if isinstance(item, EventBatch):
                packets += 1
                continue
            frames += 1
            if frames == self._frames:
                break
        if start is None:
            reason = self._report.rejection() or 'give an input that does'
            raise SourceError(f"'{self._input}' holds nothing to send: {reason}.")
        # A process that ends takes its unsent messages with it.
        for publisher in self._sensor_publishers:
            publisher.wait_for_all_acked(Duration(seconds=1.0))
        self._serve(POLL_S)
        self.get_logger().info(f"'{self._input}': {frames} frames, {packets} packets sent.")
        print(f'frames_sent: {frames} packets_sent: {packets}', flush=True)
        for sentence in self._report.sentences():
            self.get_logger().warning(sentence)
        bad_share = self._report.bad_share(
            {'frames': frames, 'labels': frames, 'packets': packets})
        if self._counts_file:
            write_json(Path(self._counts_file), {
                'frames_sent': frames, 'packets_sent': packets, 'bad_share': bad_share,
                'skipped': self._report.skipped.total(),
                'first_skipped': self._report.first_skipped,
                'events_rejected': self._report.rejection(),
                'warnings': self._report.sentences()})
        if bad_share < MAX_BAD_SHARE:
            return 0
        self.get_logger().error(
            f"{bad_share:.0%} of '{self._input}' cannot be read: repair it or record it again.")
        return 1

    @staticmethod
    def _sensor_size(width: int, height: int) -> tuple[int, int] | None:
        if (width == 0) != (height == 0):
            raise SourceError(
                f'the sensor size {width}x{height} is not usable: give sensor_width and '
                'sensor_height, or 0 for both.')
        return (width, height) if width else None

    def _offer(self, topic: str, message: type, qos: QoSProfile) -> None:
        self._outputs[topic] = self.create_publisher(message, topic, qos)

    def _rendered_ahead(self) -> Iterator[Frame | EventBatch]:
        """Yield the items of the source; a thread renders the next ones ahead."""
        items = iter(self._source)
        with ThreadPoolExecutor(max_workers=1) as pool:
            upcoming = deque(pool.submit(next, items, None) for _ in range(self._ahead))
            try:
                while (item := upcoming.popleft().result()) is not None:
                    upcoming.append(pool.submit(next, items, None))
                    yield item
            finally:
                pool.shutdown(cancel_futures=True)

    def _wait_for_subscribers(self) -> None:
        if self._wait_for:
            self.get_logger().info(f'waiting for {self._wait_for} subscribers of each sensor')
        while not self._stopped.is_set() and any(
            publisher.get_subscription_count() < self._wait_for
            for publisher in self._sensor_publishers
        ):
            self._executor.spin_once(timeout_sec=POLL_S)
        if self._wait_for:
            self._serve(SETTLE_S)

    def _messages(self, item: Frame | EventBatch, count: int) -> dict[str, Image | EventPacket]:
        """Return what to publish, by topic, still without stamps."""
        header = Header(frame_id=self._frame_id)
        if isinstance(item, EventBatch):
            return {'event_camera/events': packet_message(item, count, header)}
        messages = {}
        if item.image is not None:
            messages['camera/image_raw'] = image_message(item.image, 'rgb8', header)
        if item.label is not None:
            if 'camera/label' not in self._outputs:
                self._offer('camera/label', Image, CAMERA_QOS)
            messages['camera/label'] = image_message(item.label, 'mono8', header)
        return messages

    def _wait_until(self, due: float) -> float:
        """Serve the node until the deadline; return by how much later ones move, in seconds."""
        late = time.monotonic() - due
        if late > MAX_LATE_S:
            return late
        self._serve(-late)
        return 0.0

    def _serve(self, seconds: float) -> None:
        """Wait for this time, and serve parameter requests now and then."""
        end = time.monotonic() + seconds
        # Spinning each time would take longer than sending a packet.
        if seconds > POLL_S or time.monotonic() - self._served > POLL_S:
            self._served = time.monotonic()
            self._executor.spin_once(timeout_sec=0.0)
        while not self._stopped.is_set() and (left := end - time.monotonic()) > 0.0:
            time.sleep(min(left, POLL_S))


def packet_message(batch: EventBatch, count: int, header: Header) -> EventPacket:
    """Return an EventPacket with this header; ``count`` is its number if the batch has none."""
    data = array('B')
    data.frombytes(batch.data)
    return EventPacket(
        header=header, height=batch.height, width=batch.width,
        seq=count if batch.seq is None else batch.seq, time_base=batch.time_base,
        encoding=batch.encoding, is_bigendian=batch.is_bigendian, events=data)


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after logging an error."""
    return run_node(Player, 'player', PLAYER, args)


if __name__ == '__main__':
    end_process(main())
