# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Node `mfs_seg`: segments what cameras and event cameras see, step by step.

A lifecycle node. Configuring loads the weights and warms the network up; activating subscribes, and
starts from rest; deactivating ends subscriptions and work; cleaning up frees the memory.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

import rclpy
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool, Trigger
from vision_msgs.msg import LabelInfo

from mfs_seg_core.legend import legend_image
from mfs_seg_ros.messages.images import image_message, label_info_message
from mfs_seg_ros.node.fastdds_check import transport_warning
from mfs_seg_ros.node.lifecycle import reject_invalid_transitions
from mfs_seg_ros.node.malloc import release_freed_memory
from mfs_seg_ros.node.parameters import SEGMENTER, declare_all
from mfs_seg_ros.node.run import run_node
from mfs_seg_ros.pipeline.camera import Channel
from mfs_seg_ros.pipeline.configure import Plan, planned
from mfs_seg_ros.pipeline.monitor import Monitor
from mfs_seg_ros.pipeline.worker import Worker

POLL_S = 0.1
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LIVE = {setting.name: setting.live for setting in SEGMENTER}


class SegmenterNode(LifecycleNode):
    """
    Answers each step with a mask of the header of the message that completed it.

    The executor's thread receives, and serves transitions, services and parameters; while the node
    is active, one worker thread converts, segments and publishes.
    Raises ValueError with one sentence when a parameter has a wrong type or is out of its range.
    """

    def __init__(self, stopped: threading.Event) -> None:
        super().__init__('mfs_seg')
        self._stopped = stopped
        self._settings = declare_all(self, SEGMENTER)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._plan: Plan | None = None
        self._channels: list[Channel] = []
        # While the node is active, and what ends with that.
        self._worker: Worker | None = None
        self._endings: list[Callable[[], Any]] = []
        self._monitor = Monitor(self)
        self._label_info = self.create_publisher(LabelInfo, '~/label_info', LATCHED_QOS)
        self._legend = self.create_publisher(Image, '~/legend', LATCHED_QOS)
        self.create_service(Trigger, '~/reset_state', self._on_reset)
        self.create_service(SetBool, '~/enable', self._on_enable)
        reject_invalid_transitions(self)
        warning = transport_warning(get_rmw_implementation_identifier(), os.environ)
        if warning:
            self.get_logger().warn(warning)

    def run(self) -> int:
        """Serve until stopped; return 1 when the node was to start by itself and could not."""
        executor = SingleThreadedExecutor()
        executor.add_node(self)
        try:
            if self._settings['autostart'] and not self._started():
                return 1
            while not self._stopped.is_set() and rclpy.ok():
                try:
                    executor.spin_once(timeout_sec=POLL_S)
                except Exception:
                    # A callback's fault must not end the masks.
                    self.get_logger().error(traceback.format_exc(), throttle_duration_sec=10.0)
        finally:
            self._deactivate()
        return 0

    def _started(self) -> bool:
        return all(trigger() == TransitionCallbackReturn.SUCCESS
                   for trigger in (self.trigger_configure, self.trigger_activate))

    # Transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the weights and offer the outputs."""
        return self._tried('configure', lambda: self._install(planned(self._settings)))

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to hear and to work."""
        return self._tried('activate', self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End hearing and working."""
        return self._tried('deactivate', self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give back the memory of the network."""
        return self._tried('clean up', self._release)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End, from any state."""
        return self._tried('shut down', lambda: self._release('finalized'))

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a fault in a transition, be as at the start."""
        return self._tried('recover', self._release)

    def _tried(self, what: str, do: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            do()
        except (ValueError, OSError) as error:
            self.get_logger().error(f'cannot {what}: {error}')
            return TransitionCallbackReturn.FAILURE
        except Exception:
            # rclpy would not say it.
            self.get_logger().error(f'cannot {what}:\n{traceback.format_exc()}')
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def _install(self, plan: Plan) -> None:
        """Offer the outputs of a plan, in place of those there were."""
        self._release()
        self._plan = plan
        self._channels = [Channel(self, name, plan, self._settings) for name in plan.cameras]
        self._monitor.configured(plan, self._channels)
        self._publish_labels()
        width, height = plan.segmenter.input_size
        self.get_logger().info(
            f"configured: weights '{plan.segmenter.name}' on {plan.segmenter.device}, "
            f"input {width}x{height}, trigger '{plan.trigger}'")

    def _activate(self) -> None:
        changed = threading.Condition()
        views = [channel.open(changed) for channel in self._channels]
        self._worker = Worker(views, changed, self.get_logger())
        jump = self.get_clock().create_jump_callback(
            JumpThreshold(min_forward=Duration(seconds=max(1e-9, self._settings['max_gap'])),
                          min_backward=Duration(nanoseconds=-1)), post_callback=self._on_jump)
        # Reports are for people: they come in real time also when the simulation stands still.
        timer = self.create_timer(self._settings['report_period'], self._report,
                                  clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._endings = [jump.unregister, lambda: self.destroy_timer(timer)]
        self._monitor.begin()
        topics = ', '.join(
            f'{channel.sensors.topics} -> {channel.outputs.mask_topic}'
            for channel in self._channels)
        self.get_logger().info(f'active: {topics}')

    def _deactivate(self) -> None:
        """End all that `_activate` began, as far as it came."""
        if self._worker:
            self._worker.stop()
            self._report()
            self._monitor.end()
        self._worker = None
        while self._endings:
            self._endings.pop()()
        for channel in self._channels:
            channel.close()

    def _release(self, state: str = 'unconfigured') -> None:
        self._deactivate()
        self._monitor.released(state)
        for channel in self._channels:
            channel.destroy()
        self._channels, self._plan = [], None
        gc.collect()
        release_freed_memory()

    # What comes from outside

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        """Take over parameters all together, or refuse them with a reason."""
        changed = {each.name: list(each.value) if isinstance(self._settings[each.name], list)
                   else each.value for each in parameters if each.name in self._settings}
        fixed = [name for name in changed if not LIVE[name]]
        settings = {**self._settings, **changed}
        if fixed and self._worker:
            return SetParametersResult(successful=False, reason=(
                f"parameter '{fixed[0]}' cannot change while the node is active: "
                'deactivate it first'))
        if fixed and self._plan:
            try:
                plan = planned(settings)
            except (ValueError, OSError) as error:
                return SetParametersResult(successful=False, reason=str(error))
            self._settings.update(changed)
            self._install(plan)
        self._settings.update(changed)
        for channel in self._channels:
            channel.apply_settings()
        if 'min_confidence' in changed and self._plan:
            self._publish_labels()
        return SetParametersResult(successful=True)

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        for channel in self._channels:
            channel.rest('requested', '~/reset_state was called')
        response.success = self._worker is not None
        response.message = ('the next step starts from rest' if response.success else
                            'the node is not active: there is no state to reset')
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response
                   ) -> SetBool.Response:
        for channel in self._channels:
            channel.enable(request.data)
        response.success = self._worker is not None
        response.message = ('the node is not active: activate it first' if not response.success
                            else 'segmenting, from rest' if request.data else
                            'segmenting nothing until it is enabled again')
        return response

    def _on_jump(self, jump: TimeJump) -> None:
        delta_s = jump.delta.nanoseconds / 1e9
        for channel in self._channels:
            channel.rest('clock jumped', f'ROS time jumped by {delta_s:+.3f} s')

    # What goes out

    def _publish_labels(self) -> None:
        classes = self._plan.segmenter.classes
        header = Header(stamp=self.get_clock().now().to_msg())
        self._label_info.publish(
            label_info_message(classes, header, self._settings['min_confidence']))
        self._legend.publish(image_message(legend_image(classes), 'rgb8', header))

    def _report(self) -> None:
        """Say what was lost since the last report, if anything was."""
        for channel in self._channels:
            channel.view.report()


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after a sentence about what is wrong."""
    return run_node(SegmenterNode, 'mfs_seg', args)


if __name__ == '__main__':
    sys.exit(main())
