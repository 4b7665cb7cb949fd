# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`mfs-seg export` says in one sentence what cannot be exported, and writes nothing then."""

import pytest
from support.untrained import metadata_of

from mfs_seg_core.__main__ import main
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.weights.file import save_weights


def run(capsys, *arguments) -> tuple[int, str]:
    code = main(['export', *map(str, arguments)])
    return code, capsys.readouterr().err


@pytest.mark.parametrize('arguments, sentence', [
    (['--weights', 'NOTHING'], 'no weights .*: give the path'),
    (['--weights', 'EMPTY'], 'cannot be read as safetensors'),
    (['--weights', 'TEXT'], 'cannot be read as safetensors'),
    (['--weights', 'UNET'], 'without a state.*choose weights of a spiking network'),
    (['--weights', 'camvid', '--sensors', 'events'], 'leave out --sensors events'),
    (['--weights', 'street', '--size', '8', '180'], 'give a width and a height of 32 to 4096'),
    (['--weights', 'street', '--batch', '0'], 'give 1 to 64 streams, or dynamic'),
    (['--weights', 'street', '--stateful'], '--stateful keeps .* choose --to openvino'),
    (['--weights', 'street', '--to', 'openvino'], 'let it end in .xml'),
    (['--weights', 'street', '--to', 'program', '--output', 'OUT.program', '--size', '64', '64'],
     'leave out --size')])
def test_bad_input_gets_one_sentence(arguments, sentence, tmp_path, capsys):
    import re

    (tmp_path / 'EMPTY').write_bytes(b'')
    (tmp_path / 'TEXT').write_text('no weights at all\n')
    network = UNet(UNetConfig(11, width=4))
    save_weights(tmp_path / 'UNET', network, metadata_of(network))
    folder = tmp_path / 'out'
    words = [str(tmp_path / word) if word.isupper() else word for word in arguments]
    words = [str(folder / word) if word.startswith('OUT.') else word for word in words]
    for name, value in (('--to', 'onnx'), ('--output', folder / 'step.onnx')):
        if name not in words:
            words += [name, str(value)]
    code, error = run(capsys, *words)
    assert code == 1 and error.count('\n') == 1 and error.startswith('export: ')
    assert re.search(sentence, error), error
    assert not folder.exists()


def test_a_file_that_cannot_be_written_gets_one_sentence(fusion, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    code, error = run(capsys, '--weights', fusion[0], '--to', 'onnx', '--output',
                      tmp_path / 'file/step.onnx')
    assert code == 1 and error.count('\n') == 1 and 'cannot be written' in error


def test_the_command_says_how_far_the_model_agrees(fusion, tmp_path, capsys):
    output = tmp_path / 'step.program'
    assert main(['export', '--weights', str(fusion[0]), '--to', 'program', '--output',
                 str(output)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f'{output}: ') and 'of the pixels are the same' in lines[1]
