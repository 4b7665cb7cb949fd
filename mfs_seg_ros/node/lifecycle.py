# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rejection of invalid lifecycle transitions, for which rclpy raises an exception."""

from __future__ import annotations

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode


def reject_invalid_transitions(node: LifecycleNode) -> None:
    """
    Answer requests for transitions that are invalid in the current state with ``success=False``.

    Without this, rclpy raises an exception in the service callback and the client gets no answer.

    :param node: node whose service ``change_state`` is wrapped.
    """
    service = node._service_change_state
    change = service.callback

    def answer(request: ChangeState.Request, response: ChangeState.Response
               ) -> ChangeState.Response:
        try:
            return change(request, response)
        except Exception as error:
            node.get_logger().warn(f'a transition was refused: {error}')
            response.success = False
            return response

    service.callback = answer
