# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of classes: values to class ids, defaults, the files of the package, and mistakes."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from mfs_seg_core.data.folder.class_file import class_presets, read_classes
from mfs_seg_core.labels import CAMVID


def content(text):
    return yaml.safe_load(text)


def ids_of(class_map, *values):
    return class_map.apply(np.array([values]), Path('l.png'))[0].tolist()


def test_names_alone_have_their_place_as_value():
    class_map = read_classes(content('{name: x, classes: [road, grass, sky]}'))
    assert class_map.classes.names == ('road', 'grass', 'sky')
    assert ids_of(class_map, 0, 1, 2, 255) == [0, 1, 2, 255]
    assert len({tuple(colour) for colour in class_map.classes.palette.tolist()}) == 3
    many = read_classes({'name': 'x', 'classes': [f'class {i}' for i in range(255)]})
    assert len(np.unique(many.classes.palette, axis=0)) > 200


def test_several_values_of_a_class_and_ignored_ones():
    class_map = read_classes(content(
        '{name: x, classes: [{name: a, values: [7, 300]}, {name: b, values: [255]}], '
        'ignore: [0, 65535]}'))
    assert ids_of(class_map, 7, 300, 255, 0, 65535) == [0, 0, 1, 255, 255]


def test_colours():
    class_map = read_classes(content(
        "{name: x, labels: colours, ignore: ['#000000'], classes: [{name: a, colour: [1, 2, 3]}, "
        "{name: b, colour: '#ff0000', values: ['#0000ff', [9, 9, 9]]}]}"))
    assert class_map.classes.palette.tolist() == [[1, 2, 3], [255, 0, 0]]
    assert ids_of(class_map, [1, 2, 3], [0, 0, 255], [9, 9, 9], [0, 0, 0]) == [0, 1, 1, 255]
    # The colour to draw with is not one of the labels here.
    with pytest.raises(ValueError, match=r'value \[255, 0, 0\]'):
        ids_of(class_map, [255, 0, 0])


def test_values_of_no_class_are_named_with_file_pixel_and_remedy():
    given = content('{name: x, classes: [a, b]}')
    values = np.zeros((4, 5), np.uint8)
    values[2, 3] = 77
    with pytest.raises(ValueError, match=r'^dir/l.png: pixel \(3, 2\) has the value 77, which is '
                                         'of no class: add it to .* "unknown: ignore" there$'):
        read_classes(given).apply(values, Path('dir/l.png'))
    ids = read_classes({**given, 'unknown': 'ignore'}).apply(values, Path('l.png'))
    assert ids[2, 3] == 255 and ids.sum() == 255


@pytest.mark.parametrize('text, message', [
    ('{classes: [a]}', "'name' is missing"), ('{name: x, classes: []}', 'lists 0 classes'),
    ('{name: x, classes: [a, a]}', "the class 'a' twice"),
    ('{name: x, classes: [no]}', 'must be a name, or a mapping with a name, not False'),
    ("{name: x, classes: ['']}", '1 to 100 printable letters'),
    ('{name: x, classes: [{name: a, color: [1, 2, 3]}]}', "unknown setting 'color': choose from"),
    ('{name: x, classes: [{name: a, values: []}]}', "class 'a' has no values"),
    ('{name: x, classes: [a, {name: b, values: [0]}]}', "has the value 0, which class 'a' has too"),
    ('{name: x, classes: [a], ignore: [0]}', "ignore has the value 0, which class 'a' has too"),
    ('{name: x, classes: [{name: a, values: [70000]}]}', 'list numbers from 0 to 65535'),
    ('{name: x, classes: [{name: a, values: [[1, 2, 3]]}]}', 'write "labels: colours"'),
    ('{name: x, classes: [{name: a, colour: [1, 2]}]}', "or '#rrggbb'"),
    ("{name: x, classes: [{name: a, colour: '#12345g'}]}", "or '#rrggbb'"),
    ('{name: x, labels: colours, classes: [a]}', "'a' has neither colour nor values"),
    ('{name: x, labels: rgb, classes: [a]}', "labels must be ids or colours, not 'rgb'"),
    ('{name: x, unknown: skip, classes: [a]}', "unknown must be error or ignore, not 'skip'"),
    ('{name: x, classes: a}', "'classes' must be a list, not 'a'")])
def test_mistakes(text, message):
    with pytest.raises(ValueError, match=message) as raised:
        read_classes(content(text))
    assert len(str(raised.value).splitlines()) == 1


def test_too_many_classes():
    with pytest.raises(ValueError, match='lists 256 classes: list 1 to 255'):
        read_classes({'name': 'x', 'classes': [f'class {i}' for i in range(256)]})


def test_files(tmp_path):
    path = tmp_path / 'classes.yaml'
    with pytest.raises(ValueError, match='classes.yaml is missing: name a YAML file.*cityscapes'):
        read_classes(path)
    path.write_text('name: x\nclasses: [a')
    with pytest.raises(ValueError, match='classes.yaml cannot be read as YAML: ') as raised:
        read_classes(path)
    assert len(str(raised.value).splitlines()) == 1
    path.write_text('- a\n- b\n')
    with pytest.raises(ValueError, match='classes.yaml holds no settings'):
        read_classes(path)
    path.write_text('name: x\nclasses: [a, b]\n')
    assert read_classes(path).source == str(path)


def test_class_maps_of_the_package():
    assert class_presets() == ['camvid_11', 'camvid_32', 'cityscapes', 'cityscapes_train_ids']
    eleven, all_classes, cityscapes, train_ids = map(read_classes, class_presets())
    assert eleven.classes.names == CAMVID.names
    assert (eleven.classes.palette == CAMVID.palette).all()
    # Both know the same 32 colours, and ignore black only.
    assert len(all_classes.classes) == 31
    assert eleven.codes.tolist() == all_classes.codes.tolist() and len(eleven.codes) == 32
    for class_map in (eleven, all_classes):
        assert class_map.codes[class_map.ids == 255].tolist() == [0]
    assert ids_of(eleven, [64, 128, 192], [0, 0, 192]) == [8, 4]
    # Label ids 0..33, and 255.
    assert cityscapes.codes.tolist() == [*range(34), 255]
    assert train_ids.codes.tolist() == [*range(19), 255]
    assert cityscapes.classes.names == train_ids.classes.names
    assert ids_of(cityscapes, 7, 33, 4, 255) == [0, 18, 255, 255]
