# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle transitions that are not possible: refused, where rclpy would raise an exception."""

from __future__ import annotations

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode


def answer_impossible_transitions(node: LifecycleNode) -> None:
    """
    Have a request for a transition that the node's state does not have answered with success=False.

    rclpy raises from its service's callback instead, so that nobody is answered.
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
