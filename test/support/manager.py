# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A lifecycle manager of a segmenter, which also sets its parameters."""

import time

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.parameter import Parameter, parameter_value_to_python
from std_srvs.srv import SetBool

from support.camera import RESPONSE_TIMEOUT_S, Camera

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
SHUTDOWN = {'unconfigured': Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
            'inactive': Transition.TRANSITION_INACTIVE_SHUTDOWN,
            'active': Transition.TRANSITION_ACTIVE_SHUTDOWN}
# Transitions from the start to each state.
WAYS = {'unconfigured': (), 'inactive': (CONFIGURE,), 'active': (CONFIGURE, ACTIVATE)}


class Manager(Camera):
    """A camera that is also a lifecycle manager of the segmenter."""

    def __init__(self, name: str):
        super().__init__(name)
        self.clients = {
            kind: self.node.create_client(kind, f'{name}/{service}')
            for kind, service in ((ChangeState, 'change_state'), (GetState, 'get_state'),
                                  (SetParameters, 'set_parameters'),
                                  (GetParameters, 'get_parameters'), (SetBool, 'enable'))}
        for client in self.clients.values():
            self.wait(client.service_is_ready, f'the service {client.srv_name}')

    def change(self, *transitions: int) -> bool:
        """Make transitions; return whether the last one succeeded."""
        for number in transitions:
            request = ChangeState.Request(transition=Transition(id=number))
            before, success = self.state, None
            while success is None:
                success = self._changed(request, before)
        return success

    def _changed(self, request: ChangeState.Request, before: str) -> bool | None:
        """Request a transition; None: the request got lost. The state tells of a lost response."""
        future, sent_s = self.clients[ChangeState].call_async(request), time.monotonic()
        self.wait(lambda: future.done() or time.monotonic() - sent_s > RESPONSE_TIMEOUT_S,
                  'a response')
        if future.done():
            return future.result().success
        return True if self.state != before else None

    @property
    def state(self) -> str:
        """Name of the lifecycle state."""
        return self.call(self.clients[GetState], GetState.Request()).current_state.label

    def set(self, **values):
        """Set parameters, one after the other; return the result of the first."""
        request = SetParameters.Request(parameters=[
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()])
        return self.call(self.clients[SetParameters], request).results[0]

    def get(self, name: str):
        """Return the value of a parameter."""
        response = self.call(self.clients[GetParameters], GetParameters.Request(names=[name]))
        return parameter_value_to_python(response.values[0])

    def enable(self, enabled: bool):
        """Call ~/enable; return the response."""
        return self.call(self.clients[SetBool], SetBool.Request(data=enabled))
