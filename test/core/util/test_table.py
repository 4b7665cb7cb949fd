# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layout of tables, as text and as Markdown."""

from mfs_seg_core.util.table import cell, markdown_table, text_table


def test_columns_are_as_wide_as_their_widest_cell():
    assert text_table([['', 'camera', 'fusion'], ['day', '66.20 %', '7 %'], [], ['night']]) == (
        '        camera  fusion\n'
        'day    66.20 %     7 %\n'
        '\n'
        'night')


def test_each_column_has_its_alignment():
    assert text_table([['a', '1', 'x'], ['bb', '22', 'yy']], '<><') == 'a    1  x\nbb  22  yy'


def test_markdown():
    assert markdown_table(['', 'a'], [['b', '1']]) == '|  | a |\n| --- | --- |\n| b | 1 |'


def test_cells():
    assert cell(None, '.2f', unit=' %') == '-'
    assert cell(0.1234, '.2f', 100, ' %') == '12.34 %'
    # Integers stay integers.
    assert cell(1000, ',d') == '1,000'
