# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Node `mfs_seg`: segments the streams of cameras and event cameras.

A lifecycle node. Configuring loads the weights and warms the network up; activating creates the
subscriptions and starts the worker, with the state at rest; deactivating ends both; cleaning up
frees the memory.
"""

from __future__ import annotations

import gc
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import rclpy
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType, JumpThreshold, TimeJump
from rclpy.duration import Duration
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
from mfs_seg_ros.node.executor import make_executor
from mfs_seg_ros.node.fastdds_check import segment_bytes, transport_warning
from mfs_seg_ros.node.lifecycle import reject_invalid_transitions
from mfs_seg_ros.node.malloc import release_freed_memory
from mfs_seg_ros.node.parameters import SEGMENTER, changed_parameters, declare_all
from mfs_seg_ros.node.run import run_node
from mfs_seg_ros.node.stop import Stop, end_process
from mfs_seg_ros.pipeline.camera import Camera
from mfs_seg_ros.pipeline.configure import Plan, make_plan
from mfs_seg_ros.pipeline.monitor import Monitor
from mfs_seg_ros.pipeline.worker import Worker

POLL_S = 0.1
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LIVE = {setting.name: setting.live for setting in SEGMENTER}


class SegmenterNode(LifecycleNode):
    """
    Publishes a mask for each step, under the header of the message that completed the step.

    The executor's thread receives messages, and serves transitions, services and parameters; while
    the node is active, the worker's thread decodes, segments and publishes.

    :param stopped: set to end :meth:`run`.
    :raises ValueError: a parameter has a wrong type or is out of its range; one sentence.
    """

    def __init__(self, stopped: Stop) -> None:
        super().__init__('mfs_seg')
        self._stopped = stopped
        # Replaced as a whole, never changed: the worker's thread reads it too.
        self._settings: Mapping[str, Any] = MappingProxyType(declare_all(self, SEGMENTER))
        self.add_on_set_parameters_callback(self._on_parameters)
        self._plan: Plan | None = None
        self._cameras: list[Camera] = []
        # While the node is active, and calls that end the activity.
        self._worker: Worker | None = None
        self._endings: list[Callable[[], Any]] = []
        self._monitor = Monitor(self)
        self._label_info = self.create_publisher(LabelInfo, '~/label_info', LATCHED_QOS)
        self._legend = self.create_publisher(Image, '~/legend', LATCHED_QOS)
        self.create_service(Trigger, '~/reset_state', self._on_reset)
        self.create_service(SetBool, '~/enable', self._on_enable)
        reject_invalid_transitions(self)
        warning = transport_warning(get_rmw_implementation_identifier(), os.environ,
                                    segment_bytes())
        if warning:
            self.get_logger().warn(warning)

    def run(self) -> int:
        """Spin until stopped; return 1 when the node should have started itself and could not."""
        executor = make_executor()
        executor.add_node(self)
        try:
            if self._settings['autostart'] and not self._autostart():
                return 1
            self._stopped.catch_signals()
            while not self._stopped.is_set() and rclpy.ok():
                try:
                    executor.spin_once(timeout_sec=POLL_S)
                except Exception:
                    # A fault in a callback must not end the node.
                    self.get_logger().error(traceback.format_exc(), throttle_duration_sec=10.0)
        finally:
            self._deactivate()
        return 0

    def _autostart(self) -> bool:
        """Configure and activate the node; return whether both succeeded."""
        if self.trigger_configure() != TransitionCallbackReturn.SUCCESS:
            return False
        # From now on, messages may come: the node ends in order.
        self._stopped.catch_signals()
        return self.trigger_activate() == TransitionCallbackReturn.SUCCESS

    # Transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the weights and create the outputs."""
        return self._try('configure', lambda: self._install(make_plan(self._settings)))

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Create the subscriptions and start the worker."""
        return self._try('activate', self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop the worker and destroy the subscriptions."""
        return self._try('deactivate', self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the network."""
        return self._try('clean up', self._release)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything, in any state."""
        return self._try('shut down', lambda: self._release('finalized'))

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything after a fault in a transition."""
        return self._try('recover', self._release)

    def _try(self, what: str, call: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            call()
        except (ValueError, OSError) as error:
            self.get_logger().error(f'cannot {what}: {error}')
            self._monitor.transition(f'cannot {what}: {error}')
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            # rclpy does not log it.
            self.get_logger().error(f'cannot {what}:\n{traceback.format_exc()}')
            self._monitor.transition(f'cannot {what}: {error}')
            return TransitionCallbackReturn.ERROR
        # After a recovery, the fault that led to it is still reported.
        if what != 'recover':
            self._monitor.transition(None)
        return TransitionCallbackReturn.SUCCESS

    def _install(self, plan: Plan) -> None:
        """Create the outputs of a plan, instead of those of the plan before."""
        self._release()
        self._plan = plan
        self._cameras = [Camera(self, name, plan, self._settings) for name in plan.cameras]
        self._monitor.configured(plan, self._cameras)
        self._publish_labels()
        width, height = plan.segmenter.input_size
        self.get_logger().info(
            f"configured: weights '{plan.segmenter.name}', input {width}x{height}, trigger "
            f"'{plan.trigger}', backend {plan.segmenter.backend_description}")

    def _activate(self) -> None:
        changed = threading.Condition()
        streams = [camera.open(changed) for camera in self._cameras]
        self._worker = Worker(streams, changed, self._settings, self.get_logger())
        self._worker.start()
        jump = self.get_clock().create_jump_callback(
            JumpThreshold(min_forward=Duration(seconds=max(1e-9, self._settings['max_gap'])),
                          min_backward=Duration(nanoseconds=-1)), post_callback=self._on_jump)
        # In real time: reports are due while a simulation is paused, too.
        timer = self.create_timer(self._settings['report_period'], self._log_drops,
                                  clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._endings = [jump.unregister, lambda: self.destroy_timer(timer)]
        self._monitor.activated()
        topics = ', '.join(camera.topics for camera in self._cameras)
        self.get_logger().info(f'active: {topics}')

    def _deactivate(self) -> None:
        """Undo `_activate`, which may have failed half-way."""
        if self._worker:
            self._worker.stop()
            self._log_drops()
            self._monitor.deactivated()
        self._worker = None
        while self._endings:
            self._endings.pop()()
        for camera in self._cameras:
            camera.close()

    def _release(self, state: str = 'unconfigured') -> None:
        self._deactivate()
        self._monitor.released(state)
        # No name of a camera may remain here: it would keep the memory of its stream.
        while self._cameras:
            self._cameras.pop().destroy()
        self._plan = None
        gc.collect()
        release_freed_memory()

    # Parameters, services and the clock

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """
        Set parameters; those that have the given value already are accepted in every state.

        So ``ros2 param load`` of a ``ros2 param dump`` succeeds, which has the read-only ones too.

        :param parameter_list: new values.
        :returns: whether all were accepted, and why not.
        """
        changed = changed_parameters(self, parameter_list)
        if not changed:
            return SetParametersResult(successful=True)
        return super().set_parameters_atomically(changed)

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        """Accept all parameters of a request together, or refuse them with a reason."""
        changed = {each.name: list(each.value) if isinstance(self._settings[each.name], list)
                   else each.value for each in parameters if each.name in self._settings}
        fixed = [name for name in changed if not LIVE[name]]
        settings = MappingProxyType({**self._settings, **changed})
        if fixed and self._worker:
            return SetParametersResult(successful=False, reason=(
                f"parameter '{fixed[0]}' cannot change while the node is active: "
                'deactivate it first'))
        if fixed and self._plan:
            try:
                plan = make_plan(settings)
            except (ValueError, OSError) as error:
                return SetParametersResult(successful=False, reason=str(error))
            self._settings = settings
            self._install(plan)
        self._settings = settings
        for camera in self._cameras:
            camera.apply(settings)
        if self._worker:
            self._worker.apply(settings)
        if 'min_confidence' in changed and self._plan:
            self._publish_labels()
        return SetParametersResult(successful=True)

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        for camera in self._cameras:
            camera.request_reset('requested', '~/reset_state was called')
        response.success = self._worker is not None
        response.message = ('the next step starts from rest' if response.success else
                            'the node is not active: there is no state to reset')
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response
                   ) -> SetBool.Response:
        for camera in self._cameras:
            camera.enable(request.data)
        response.success = self._worker is not None
        response.message = ('the node is not active: activate it first' if not response.success
                            else 'segmenting, from rest' if request.data else
                            'input is ignored until the node is enabled again')
        return response

    def _on_jump(self, jump: TimeJump) -> None:
        delta_s = jump.delta.nanoseconds / 1e9
        for camera in self._cameras:
            camera.clock_jumped(delta_s)

    # Labels and reports

    def _publish_labels(self) -> None:
        classes = self._plan.classes
        header = Header(stamp=self.get_clock().now().to_msg())
        self._label_info.publish(
            label_info_message(classes, header, self._settings['min_confidence']))
        self._legend.publish(image_message(legend_image(classes), 'rgb8', header))

    def _log_drops(self) -> None:
        """Log dropped and missing messages since the last report, if there are any."""
        for camera in self._cameras:
            camera.log_drops()


def main(args: list[str] | None = None) -> int:
    """Run the node; return 0, or 1 after logging one sentence about what is wrong."""
    return run_node(SegmenterNode, 'mfs_seg', SEGMENTER, args)


if __name__ == '__main__':
    end_process(main())
