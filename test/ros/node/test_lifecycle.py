# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle of the node: transitions, parameters in each state, and memory."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Parameter
from rcl_interfaces.srv import GetParameters, ListParameters, SetParameters
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.camera import MODULE, QUICK, as_message, coarse_image, same
from support.manager import ACTIVATE, CLEANUP, CONFIGURE, DEACTIVATE, SHUTDOWN, WAYS, Manager
from vision_msgs.msg import LabelInfo

from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.labels import CAMVID
from mfs_seg_ros.diagnostics.process_info import process_state


@pytest.fixture(scope='module')
def manager(children):
    """Yield the lifecycle manager of a node without autostart."""
    children.start('managed', MODULE, {**QUICK, 'autostart': False, 'sensors': 'camera'},
                   {'__ns': '/managed'})
    manager = Manager('/managed/mfs_seg')
    yield manager
    manager.close()


@pytest.fixture
def unconfigured(manager):
    """Return the manager of an unconfigured node."""
    if manager.state == 'active':
        manager.change(DEACTIVATE)
    if manager.state == 'inactive':
        manager.change(CLEANUP)
    assert manager.state == 'unconfigured'
    return manager


@pytest.fixture
def active(unconfigured):
    """Return the manager of an active node with its state at rest."""
    assert unconfigured.change(CONFIGURE, ACTIVATE)
    unconfigured.wait_for_segmenter()
    return unconfigured


def test_without_autostart_the_node_stays_unconfigured(unconfigured):
    assert unconfigured.node.count_subscribers('/managed/mfs_seg/image') == 0
    assert unconfigured.node.count_publishers('/managed/mfs_seg/mask') == 0
    assert unconfigured.change(CONFIGURE)
    assert unconfigured.state == 'inactive'
    unconfigured.wait(lambda: unconfigured.node.count_publishers('/managed/mfs_seg/mask') == 1,
                      'the mask to be advertised')
    assert unconfigured.node.count_subscribers('/managed/mfs_seg/image') == 0


def test_each_activation_starts_from_rest(active):
    first, second = active.ask(coarse_image(5)), active.ask(coarse_image(5))
    assert not same(first, second)
    assert active.change(DEACTIVATE, ACTIVATE)
    active.wait_for_segmenter()
    assert same(active.ask(coarse_image(5)), first)
    assert active.change(DEACTIVATE, CLEANUP, CONFIGURE, ACTIVATE)
    active.wait_for_segmenter()
    assert same(active.ask(coarse_image(5)), first)
    assert same(active.ask(coarse_image(5)), second)


def test_invalid_transitions_are_rejected(unconfigured):
    assert not unconfigured.change(ACTIVATE)
    assert not unconfigured.change(99)
    assert unconfigured.state == 'unconfigured'
    assert unconfigured.change(CONFIGURE)
    assert not unconfigured.change(CONFIGURE)
    assert unconfigured.state == 'inactive'


def test_a_failed_configuration_can_be_corrected(unconfigured, children):
    before = unconfigured.get('weights')
    assert unconfigured.set(weights='nosuch').successful
    assert not unconfigured.change(CONFIGURE)
    assert unconfigured.state == 'unconfigured'
    reason = "cannot configure: no weights 'nosuch'"
    unconfigured.wait(lambda: children.last_match('managed', reason), 'the reason in the log')
    assert unconfigured.set(weights=before).successful
    assert unconfigured.change(CONFIGURE)
    assert unconfigured.state == 'inactive'


def test_weights_and_input_size_change_while_inactive(active):
    street = active.ask(coarse_image(5))
    for name, value in (('weights', 'camvid'), ('input_width', 96)):
        refused = active.set(**{name: value})
        assert not refused.successful
        assert 'deactivate it first' in refused.reason
    assert active.change(DEACTIVATE)
    refused = active.set(weights='nosuch')
    assert not refused.successful
    assert "no weights 'nosuch'" in refused.reason
    assert active.get('weights') == 'street_lite'
    assert active.set(weights='camvid').successful
    assert active.change(ACTIVATE)
    active.wait_for_segmenter()
    camvid = active.ask(coarse_image(5))
    assert not same(camvid, street)
    assert active.change(DEACTIVATE)
    assert active.set(weights='street_lite').successful
    assert active.set(input_width=96).successful
    assert active.change(ACTIVATE)
    active.wait_for_segmenter()
    assert not same(active.ask(coarse_image(5)), street)
    assert active.change(DEACTIVATE)
    assert active.set(input_width=QUICK['input_width']).successful


def test_groups_replace_the_classes_of_all_outputs(active):
    classes = active.ask(coarse_image(5))
    assert active.change(DEACTIVATE)
    refused = active.set(class_groups='nosuch')
    assert not refused.successful
    assert refused.reason.startswith("there are no class groups 'nosuch': name a YAML file, or one")
    assert active.set(class_groups='drivable', overlay_opacity=1.0).successful
    assert active.change(ACTIVATE)
    overlay, labels = active.subscribe_to('overlay'), []
    info = active.node.create_subscription(
        LabelInfo, '/managed/mfs_seg/label_info', labels.append,
        QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    active.wait_for_segmenter()
    groups = load_groups('drivable', CAMVID)
    answer = active.ask(coarse_image(5))
    np.testing.assert_array_equal(answer['mask'], groups.apply(classes['mask']))
    np.testing.assert_array_equal(answer['confidence'], classes['confidence'])
    np.testing.assert_array_equal(answer['overlay'].reshape(32, 48, 3),
                                  groups.classes.palette[answer['mask']])
    active.wait(lambda: labels, 'the label info')
    assert [each.class_name for each in labels[-1].class_map] == [
        *groups.classes.names, 'unlabelled']
    active.outputs.remove('overlay')
    for subscription in (overlay, info):
        active.node.destroy_subscription(subscription)
    assert active.change(DEACTIVATE)
    assert active.set(class_groups='', overlay_opacity=0.5).successful


def test_the_backend_changes_while_inactive(active):
    arrays = []
    subscription = active.node.create_subscription(
        DiagnosticArray, '/diagnostics', arrays.append, 10)

    def backend() -> str:
        arrays.clear()
        active.wait(lambda: any(status.name == 'managed/mfs_seg: node' and status.values
                                for array in arrays for status in array.status), 'diagnostics')
        values = next(status.values for array in arrays for status in array.status
                      if status.name == 'managed/mfs_seg: node')
        return next(pair.value for pair in values if pair.key == 'backend')

    assert backend().startswith('native, ')
    assert 'deactivate it first' in active.set(backend='torch').reason
    assert active.change(DEACTIVATE)
    refused = active.set(backend='abacus')
    assert not refused.successful
    assert refused.reason == "no backend 'abacus': choose from auto, native, torch"
    assert active.get('backend') == 'auto'
    assert active.set(backend='torch').successful
    assert active.change(ACTIVATE)
    active.wait_for_segmenter()
    assert backend() == 'torch on cpu'
    assert active.ask(coarse_image(5))['mask'].shape == (32, 48)
    assert active.change(DEACTIVATE)
    assert active.set(backend='auto').successful
    active.node.destroy_subscription(subscription)


@pytest.mark.parametrize('state', ['inactive', 'active'])
def test_a_dump_of_the_parameters_can_be_loaded(unconfigured, state):
    """As by ros2 param dump and load: also read-only ones, and those that another state needs."""
    manager = unconfigured
    assert manager.change(*WAYS[state])
    lister = manager.node.create_client(ListParameters, '/managed/mfs_seg/list_parameters')
    names = manager.call(lister, ListParameters.Request()).result.names
    assert {'use_sim_time', 'weights', 'sensors', 'event_homography'} <= {*names}
    values = manager.call(manager.clients[GetParameters], GetParameters.Request(names=names)).values
    loaded = manager.call(manager.clients[SetParameters], SetParameters.Request(parameters=[
        Parameter(name=name, value=value) for name, value in zip(names, values)]))
    assert [(name, result.reason) for name, result in zip(names, loaded.results)
            if not result.successful] == []
    assert manager.state == state
    # Another value is refused as ever.
    assert state == 'inactive' or not manager.set(threads=2).successful


def test_a_disabled_node_segments_nothing(active):
    first = active.ask(coarse_image(5))
    assert active.enable(False).success
    masks = active.masks
    for _ in range(5):
        active.send(as_message(coarse_image(5)))
        active.executor.spin_once(timeout_sec=0.05)
    assert active.enable(True).success
    assert same(active.ask(coarse_image(5)), first)
    assert active.masks == masks + 1
    assert active.change(DEACTIVATE)
    assert not active.enable(True).success


@pytest.mark.parametrize('state', WAYS)
def test_shutdown_ends_in_finalized(children, environment, state):
    name = f'{state}_shut'
    children.start(name, MODULE, {**QUICK, 'autostart': False}, {'__ns': f'/{name}'})
    manager = Manager(f'/{name}/mfs_seg')
    if WAYS[state]:
        assert manager.change(*WAYS[state])
    assert manager.state == state
    assert manager.change(SHUTDOWN[state])
    assert manager.state == 'finalized'
    manager.close()
    children.stop(name)
    assert not children.last_match(name, 'Traceback')


def test_hundreds_of_transitions_leak_nothing(unconfigured, children):
    def cycles(count: int) -> None:
        for _ in range(count):
            assert unconfigured.change(CONFIGURE, ACTIVATE, DEACTIVATE, CLEANUP)
        assert unconfigured.change(CONFIGURE)
        for _ in range(4 * count):
            assert unconfigured.change(ACTIVATE, DEACTIVATE)
        assert unconfigured.change(CLEANUP)

    # Libraries and caches are loaded in the first cycles and kept.
    cycles(10)
    before = process_state(children.pid('managed'))
    cycles(30)
    after = process_state(children.pid('managed'))
    # A network takes 2 MB here, and its state 2 MB: a leak of either in each cycle is 60 MB.
    assert after.own_kb < before.own_kb + 10_000
    assert (after.threads, after.handles) == (before.threads, before.handles)


def test_cleanup_releases_the_memory(children):
    children.start('large', MODULE, {'threads': 1, 'sensors': 'camera', 'autostart': False,
                                     'input_width': 480, 'input_height': 360}, {'__ns': '/large'})
    manager = Manager('/large/mfs_seg')
    # The first cycle loads libraries that stay mapped.
    assert manager.change(CONFIGURE, CLEANUP)
    clean_kb = process_state(children.pid('large')).own_kb
    assert manager.change(CONFIGURE, ACTIVATE)
    manager.wait_for_segmenter()
    active_kb = process_state(children.pid('large')).own_kb
    assert manager.change(DEACTIVATE, CLEANUP)
    left_kb = process_state(children.pid('large')).own_kb - clean_kb
    assert active_kb > clean_kb + 50_000
    assert left_kb < 0.2 * (active_kb - clean_kb)
    manager.close()
    children.stop('large')
