# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged and malicious weights files: rejected with a sentence, at little cost."""

import json
import os
import random
import resource
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from support.untrained import metadata_of, untrained

from mfs_seg_core.weights.file import load_weights, save_weights
from mfs_seg_core.weights.header import WeightsError
from mfs_seg_core.weights.metadata import encode

EXTRA_MEMORY = 1 << 30
TIMEOUT_S = 60


@pytest.fixture(autouse=True)
def bounded():
    """End a test that blocks, or that allocates a gigabyte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + EXTRA_MEMORY, hard))

    def time_out(*_):
        raise TimeoutError(f'not done after {TIMEOUT_S} s')

    before = signal.signal(signal.SIGALRM, time_out)
    signal.alarm(TIMEOUT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    """Return the bytes of a good file, and its network."""
    network = untrained('fast')
    path = tmp_path_factory.mktemp('good') / 'good.safetensors'
    save_weights(path, network, metadata_of(network))
    return path.read_bytes(), network


def check_rejected(path, match: str = ': ') -> None:
    """Load a file that must be rejected with one sentence."""
    with pytest.raises(WeightsError, match=match) as raised:
        load_weights(path)
    sentence = str(raised.value)
    assert '\n' not in sentence and len(sentence) < 1000


def test_a_flipped_bit_is_detected(saved, tmp_path):
    data, network = saved
    path = tmp_path / 'flipped.safetensors'
    behind_header = 8 + int.from_bytes(data[:8], 'little')
    chance = random.Random(0)
    # The length of the header, the header, and the numbers.
    places = [*range(8), *chance.sample(range(8, behind_header), 120),
              *chance.sample(range(behind_header, len(data)), 12), len(data) - 1]
    found = 0
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        try:
            loaded, description = load_weights(path)
        except WeightsError as error:
            assert '\n' not in str(error)
            found += 1
            continue
        # The bit was in a space or in the name of the hash: the content is as it was written.
        assert place < behind_header
        assert encode(description) == encode(metadata_of(network))
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, loaded.state_dict()[name])
    assert found > 0.9 * len(places)


def test_error_of_flipped_numbers(saved, tmp_path):
    flipped = bytearray(saved[0])
    flipped[-3] ^= 1
    path = tmp_path / 'flipped.safetensors'
    path.write_bytes(flipped)
    check_rejected(path, r'is damaged.*its SHA-256: fetch or train it again')


def changed_metadata(saved, path, changes: dict) -> None:
    """Write the good file with another description and without a hash."""
    network = saved[1]
    fields = json.loads(encode(metadata_of(network)))
    for place, value in changes.items():
        *parents, name = place.split('.')
        inner = fields
        for parent in parents:
            inner = inner[parent]
        inner[name] = value
    save_file(network.state_dict(), path, {
        'format': 'mfs_seg_core', 'version': '1', 'description': json.dumps(fields)})


def test_a_file_without_a_hash_is_read(saved, tmp_path):
    path = tmp_path / 'old.safetensors'
    changed_metadata(saved, path, {'name': 'old'})
    assert load_weights(path)[1].name == 'old'


@pytest.mark.parametrize('changes, sentence', [
    ({'config.widths': [10**9, 48, 96]}, r'widths must lie in 1\.\.1024'),
    ({'config.widths': [16, 48]}, 'widths has another number of values'),
    ({'config.widths': 16}, 'widths has another number of values'),
    ({'config.widths': [1024, 1024, 1024]}, 'do not fit'),
    ({'config.kernels': [[3] * 10**6, [3], [3]]}, 'kernels has another number of values'),
    ({'config.kernels': [[], [3], [5, 5, 7, 7, 5, 4]]}, 'even size'),
    ({'config.kernels': [[], [3], [10**6 + 1]]}, 'kernels must lie in'),
    ({'config.decoder_blocks': [10**6, 1, 0]}, 'decoder_blocks must lie in'),
    ({'config.decoder_blocks': [64, 64, 64]}, 'do not fit'),
    ({'config.steps': 10**9}, 'steps must lie in'),
    ({'config.levels': 0}, 'levels must lie in'),
    ({'config.expansion': 10**6}, 'expansion must lie in'),
    ({'config.expansion': 1.5}, 'expansion must lie in'),
    ({'config.stem_stride': 0}, 'stem_stride must lie in'),
    ({'config.detail': 0}, 'needs detail'),
    ({'config.detail': 10**12}, 'detail must lie in'),
    ({'config.inputs': -1}, 'inputs must lie in'),
    ({'config.inputs': 4}, '4 and 0 input channels'),
    ({'config.mimo': 'perhaps'}, 'mimo must be true or false'),
    ({'config.mimo': True, 'config.widths': [1, 2, 3]}, 'impossible|do not fit'),
    ({'config.leak': float('nan')}, 'leak must lie in'),
    ({'config.block': 'other'}, "no block 'other'"),
    ({'config.block': ['efs_res']}, 'damaged'),
    ({'config.kind': 'unet'}, 'incomplete'),
    ({'config': {'kind': 'unet', 'classes': 11, 'width': 10**6}}, 'width must lie in'),
    ({'config': {'kind': 'unet', 'classes': 11, 'width': 1024}}, 'do not fit'),
    ({'config': {'kind': 'lite', 'classes': 11, 'decoder_widths': [8], 'decoder_kernels': [[3]],
                 'encoder': [[1000, 3, 1, 1, 16]]}}, 'at most 128 blocks'),
    ({'config': {'kind': 'lite', 'classes': 11, 'decoder_widths': [8], 'decoder_kernels': [[3]],
                 'encoder': [[1, 3, 1, 10**9, 16]]}}, 'encoder must lie in'),
    ({'config': {'kind': 'lite', 'classes': 11}}, 'damaged'),
    ({'config': []}, 'damaged'),
    ({'config.classes': 10**9}, 'classes must lie in'),
    ({'config.classes': 12}, 'of 12 classes it has 11 names'),
    ({'classes.names': []}, 'has 0 names'),
    ({'classes.palette': [[1, 2, 3]]}, '1 colours'),
    ({'classes.palette': [[256, 0, 0]] * 11}, 'palette must lie in'),
    ({'classes.palette': [[10**400, 0, 0]] * 11}, 'palette must lie in'),
    ({'name': 'street\n[ERROR] everything failed'}, 'cannot be printed'),
    ({'name': 'x' * 10**5}, 'too long'),
    ({'name': 7}, 'cannot be printed'),
    ({'notes': ['none']}, 'damaged'),
    ({'mean': [0.4, 0.4, float('nan')]}, 'mean must lie in'),
    ({'mean': [0.4, 0.4]}, 'mean has another number'),
    ({'std': [0.3, 0.3, float('inf')]}, 'std must lie in'),
    ({'std': [0.3, 0.3, 0.0]}, 'std must lie in'),
    ({'nominal_step': float('nan')}, 'nominal_step must lie in'),
    ({'nominal_step': float('inf')}, 'nominal_step must lie in'),
    ({'nominal_step': 0.0}, 'nominal_step must lie in'),
    ({'nominal_step': 5e-324}, 'nominal_step must lie in'),
    ({'input_size': [10**6, 10**6]}, 'input_size must lie in'),
    ({'input_size': [64]}, 'input_size has another number'),
    ({'modality': 'lidar'}, 'modality must be one of camera, events, fusion'),
    ({'modality': ['camera']}, 'damaged'),
    ({'modalities': ['lidar']}, 'modalities must be'),
    ({'modalities': []}, 'modalities must be'),
    ({'event_bins': 10**9}, 'event_bins must lie in'),
    ({'x' * 10**5: 1}, 'damaged'),
])
def test_absurd_descriptions(saved, tmp_path, changes, sentence):
    path = tmp_path / 'absurd.safetensors'
    changed_metadata(saved, path, changes)
    check_rejected(path, sentence)


def test_a_deeply_nested_description(saved, tmp_path):
    path = tmp_path / 'deep.safetensors'
    for text in ('[' * 10**5, '{"config": ' * 10**5, '1' * 10**5, '"' + 'x' * 10**6):
        save_file(saved[1].state_dict(), path, {
            'format': 'mfs_seg_core', 'version': '1', 'description': text})
        check_rejected(path, 'damaged')


def by_hand(path, header: dict | bytes, data: bytes = b'', length: int | None = None) -> None:
    """Write a file in the layout of safetensors, with any header and any length of it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, 'little') + text + data)


@pytest.mark.parametrize('length', [0, 1, 10**6, 99_999_999, 2**31, 2**63, 2**64 - 1])
def test_absurd_length_of_the_header(tmp_path, length):
    path = tmp_path / 'long.safetensors'
    by_hand(path, {}, length=length)
    check_rejected(path, 'cannot be read as safetensors')


def test_a_long_header_is_not_read(tmp_path):
    path = tmp_path / 'long.safetensors'
    by_hand(path, b'{' + b' ' * 20_000_000 + b'}')
    check_rejected(path, 'cannot be read as safetensors')


@pytest.mark.parametrize('shape, offsets', [
    ([10**9, 10**9, 10**9], [0, 4]), ([2**62, 4], [0, 4]), ([10**12], [0, 4 * 10**12]),
    ([1], [0, 2**63]), ([1], [4, 0]), ([0], [0, 0]),
])
def test_absurd_tensors(saved, tmp_path, shape, offsets):
    path = tmp_path / 'tensors.safetensors'
    by_hand(path, {
        '__metadata__': {'format': 'mfs_seg_core', 'version': '1',
                         'description': encode(metadata_of(saved[1]))},
        'stem.conv.weight': {'dtype': 'F32', 'shape': shape, 'data_offsets': offsets}}, bytes(4))
    check_rejected(path, 'cannot be read as safetensors|do not fit')


def test_a_large_sparse_file(saved, tmp_path):
    path = tmp_path / 'sparse.safetensors'
    size = 1 << 33
    by_hand(path, {
        '__metadata__': {'format': 'mfs_seg_core', 'version': '1',
                         'description': encode(metadata_of(saved[1]))},
        'x': {'dtype': 'F32', 'shape': [size // 4], 'data_offsets': [0, size]}})
    os.truncate(path, path.stat().st_size + size)
    check_rejected(path, 'do not fit|cannot be read')


def test_numbers_that_are_not_finite(saved, tmp_path):
    network = untrained('fast')
    path = tmp_path / 'nan.safetensors'
    for value in (float('nan'), float('inf')):
        with torch.no_grad():
            network.stem.conv.weight[0, 0, 0, 0] = value
        save_weights(path, network, metadata_of(network))
        check_rejected(path, 'not finite')


def test_tensors_of_another_dtype(saved, tmp_path):
    path = tmp_path / 'double.safetensors'
    save_file({name: tensor.double() for name, tensor in saved[1].state_dict().items()}, path, {
        'format': 'mfs_seg_core', 'version': '1', 'description': encode(metadata_of(saved[1]))})
    check_rejected(path, 'do not fit.*is F64')


@pytest.mark.parametrize('name', [
    '../../etc/passwd', '/etc/passwd', '../weights/street', '', '.', '/', '/dev/zero', '/dev/stdin',
    '~/street', 'street\0', 'x' * 10_000, 'a/' * 5000, '/proc/self/mem', '/proc/self/environ'])
def test_paths_that_are_not_weights(name):
    check_rejected(name)


def test_special_files(tmp_path):
    os.mkfifo(tmp_path / 'fifo')
    (tmp_path / 'folder.safetensors').mkdir()
    (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
    (tmp_path / 'nowhere').symlink_to(tmp_path / 'not here')
    for name in ('fifo', 'folder.safetensors', 'loop', 'nowhere'):
        check_rejected(tmp_path / name, 'no weights')
