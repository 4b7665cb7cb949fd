# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names in the viewer layouts and the security policy exist on a running node."""

import ast
import json
from xml.etree import ElementTree

import pytest
import yaml
from support.camera import MODULE, QUICK, Camera
from support.paths import CONFIG

NAME = '/mfs_seg'
# These depend on the parameters use_sim_time, publish_mask_run_length and points, and on the ROS
# version.
OPTIONAL = {'/clock', '/mfs_seg/mask_run_length', '/mfs_seg/get_type_description',
            '/mfs_seg/depth', '/mfs_seg/cloud', '/mfs_seg/camera_info', '/mfs_seg/points'}


@pytest.fixture(scope='module')
def graph(children) -> dict[str, set[str]]:
    """Return the topics and services of a node with both sensors, by direction."""
    children.start('segmenter', MODULE, {**QUICK, 'sensors': 'fusion'})
    camera = Camera()
    camera.wait_for_segmenter()
    names = {
        kind: {name for name, _ in query('mfs_seg', '/')} for kind, query in (
            ('publish', camera.node.get_publisher_names_and_types_by_node),
            ('subscribe', camera.node.get_subscriber_names_and_types_by_node),
            ('reply', camera.node.get_service_names_and_types_by_node))}
    camera.close()
    return names


def full(name: str) -> str:
    return NAME + name[1:] if name.startswith('~') else name


def policy() -> dict[str, set[str]]:
    """Return the names that the policy allows, by direction."""
    profile = ElementTree.parse(CONFIG / 'security_policy.xml').getroot().find(
        'enclaves/enclave/profiles/profile')
    assert profile.attrib['ns'] + profile.attrib['node'] == NAME
    allowed = {'publish': set(), 'subscribe': set(), 'reply': set()}
    for names in profile:
        (verb, rule), = names.attrib.items()
        assert rule == 'ALLOW'
        allowed[verb] |= {full(each.text) for each in names}
    return allowed


@pytest.mark.parametrize('verb', ['publish', 'subscribe', 'reply'])
def test_policy_allows_exactly_the_names_of_the_node(graph, verb):
    allowed = policy()[verb]
    assert graph[verb] <= allowed, 'the node would not start with this policy'
    assert allowed - graph[verb] <= OPTIONAL


def rviz() -> dict:
    return yaml.safe_load((CONFIG / 'mfs_seg.rviz').read_text(encoding='utf-8'))


def rviz_topics() -> dict[str, dict]:
    """Return the topic settings of all displays, by the name of the topic."""
    topics = [display['Topic'] for display in rviz()['Visualization Manager']['Displays']]
    return {topic['Value']: topic for topic in topics}


def foxglove() -> dict:
    return json.loads((CONFIG / 'foxglove.json').read_text(encoding='utf-8'))


def foxglove_topics() -> set[str]:
    """Return the topics of the panels; a plot names a field of the message after a point."""
    names = set()
    for panel in foxglove()['configById'].values():
        names |= {panel.get('topicToRender'), panel.get('imageMode', {}).get('imageTopic')}
        names |= {path['value'].partition('.')[0] for path in panel.get('paths', ())}
    return names - {None}


def rqt() -> dict:
    """Return the groups of the plugin manager."""
    text = (CONFIG / 'mfs_seg.perspective').read_text(encoding='utf-8')
    return json.loads(text)['groups']['pluginmanager']


def value(key: dict):
    """Read a value as rqt does."""
    assert key['type'] == 'repr'
    return ast.literal_eval(key['repr'])


def rqt_topics() -> set[str]:
    return {value(group['groups']['plugin']['keys']['topic'])
            for group in rqt()['groups'].values()}


@pytest.mark.parametrize('named', [rviz_topics, foxglove_topics, rqt_topics])
def test_layouts_name_topics_of_the_node(graph, named):
    names = {*named()}
    assert f'{NAME}/overlay' in names
    assert names <= graph['publish']


def test_rviz_displays_match_the_publishers():
    for name, topic in rviz_topics().items():
        assert {*topic} == {'Depth', 'Durability Policy', 'History Policy', 'Reliability Policy',
                            'Value'}
        # A viewer that starts later receives the legend only if it is transient local.
        latched = name == f'{NAME}/legend'
        assert topic['Durability Policy'] == ('Transient Local' if latched else 'Volatile')
        assert topic['Reliability Policy'] == ('Reliable' if latched else 'Best Effort')
        assert topic['History Policy'] == 'Keep Last' and topic['Depth'] >= 1


def test_rviz_shows_images_in_panels():
    displays = rviz()['Visualization Manager']['Displays']
    assert {display['Class'] for display in displays} == {'rviz_default_plugins/Image'}
    # The saved Qt state holds the names of the displays in UTF-16.
    state = bytes.fromhex(rviz()['Window Geometry']['QMainWindow State'])
    for display in displays:
        assert display['Value'] == display['Enabled']
        assert display['Name'].encode('utf-16-be') in state


def test_foxglove_places_every_panel_once():
    def panels(place) -> list[str]:
        if isinstance(place, str):
            return [place]
        assert place['direction'] in ('row', 'column') and 0 < place['splitPercentage'] < 100
        return panels(place['first']) + panels(place['second'])

    layout = foxglove()
    assert sorted(panels(layout['layout'])) == sorted(layout['configById'])
    assert {name.partition('!')[0] for name in layout['configById']} == {
        'Image', 'Plot', 'DiagnosticSummary', 'DiagnosticStatusPanel'}


def test_rqt_starts_the_plugins_it_has_settings_for():
    running = value(rqt()['keys']['running-plugins'])
    started = {f'plugin__{plugin.replace("/", "__")}__{serial}'
               for plugin, serials in running.items() for serial in serials}
    assert {*rqt()['groups']} <= started and len(started) == 3


