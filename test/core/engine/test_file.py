# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Program files: what is written is what runs, and no file makes the engine leave its memory."""

import dataclasses

import numpy as np
import pytest
from safetensors.numpy import load, save
from support.exact_networks import exact_network
from support.hostile_programs import SHA256, content_of, mutated, signed
from support.untrained import metadata_of, untrained

from mfs_seg_core.engine import file as module
from mfs_seg_core.engine.compiler import compile_weights
from mfs_seg_core.engine.engine import Engine, EngineInput, EngineState
from mfs_seg_core.engine.file import ProgramError, load_program, program_bytes, save_program
from mfs_seg_core.engine.program import Cost, Neurons, Operation, Plane, Program
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.model.config import named_config
from mfs_seg_core.weights.file import load_weights
from mfs_seg_core.weights.header import SHIPPED, read_header

FRAME = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
EVENTS = np.random.default_rng(1).random((4, 48, 64), np.float32)


@pytest.fixture(scope='module')
def compiled():
    """Return a program of frames and events, with all kinds of operations, and its metadata."""
    config = named_config('fast', 11, widths=(8, 20, 35), kernels=((3,), (5,), (7,)), events=4)
    network = exact_network(config)
    classes = ClassSet('test', tuple('abcdefghijk'), np.zeros((11, 3), np.uint8))
    metadata = dataclasses.replace(metadata_of(network), classes=classes)
    return compile_weights(network, metadata), metadata


def step(program, size=(48, 64)):
    state = EngineState()
    engine = Engine(program)
    for _ in range(2):
        given = EngineInput(FRAME[:size[0], :size[1]],
                            EVENTS[:, :size[0], :size[1]] if program.inputs[1] else None, 0.7)
        output = engine.step([state], [given], confidence=True, rates=True)[0]
    return output, engine.read_state(state)


def rejected(path, data, sha256=SHA256):
    path.write_bytes(data)
    with pytest.raises(ProgramError) as error:
        load_program(path, sha256)
    text = str(error.value)
    assert len(text.splitlines()) == 1 and f"'{path}'" in text and 'delete it, or fetch it' in text
    return text


def test_a_file_runs_like_its_program(compiled, tmp_path):
    program, metadata = compiled
    path = tmp_path / 'new' / 'test.program'
    save_program(path, program, metadata, SHA256)
    loaded, described = load_program(path, SHA256)
    assert described.name == metadata.name and described.config == metadata.config
    (ours, our_state), (theirs, their_state) = step(program), step(loaded)
    for one, other in ((ours.mask, theirs.mask), (ours.confidence, theirs.confidence)):
        assert np.array_equal(one, other)
    assert ours.rates == theirs.rates and our_state.keys() == their_state.keys()
    assert all(np.array_equal(our_state[name], their_state[name]) for name in our_state)


def test_a_program_has_one_file(compiled, tmp_path):
    path = tmp_path / 'test.program'
    save_program(path, *compiled, SHA256)
    assert program_bytes(*load_program(path, SHA256), SHA256) == path.read_bytes()


@pytest.mark.parametrize('path', sorted(SHIPPED.glob('*.program')), ids=lambda path: path.stem)
def test_shipped_programs_are_those_of_the_compiler(path):
    """
    Compare with what the compiler makes of the weights.

    Where this fails, increase VERSION in engine/file.py, so that no program of a cache is used,
    and run ``python -m mfs_seg_core.engine`` with the names of the weights.
    """
    weights = path.with_suffix('.safetensors')
    sha256 = read_header(weights).sha256
    network, metadata = load_weights(weights)
    assert (program_bytes(*load_program(path, sha256), sha256)
            == program_bytes(compile_weights(network, metadata), metadata, sha256))


def test_weights_ship_with_their_programs():
    assert {path.stem for path in SHIPPED.glob('*.program')} == {
        'street', 'street_lite', 'camvid', 'camvid_lite'}


def test_other_weights_are_rejected(compiled, tmp_path):
    text = rejected(tmp_path / 'test.program', program_bytes(*compiled, 'b' * 64))
    assert 'was compiled from other weights' in text


def test_another_version_is_rejected(compiled, tmp_path, monkeypatch):
    data = program_bytes(*compiled, SHA256)
    monkeypatch.setattr(module, 'VERSION', 2)
    assert 'has version 1, this mfs_seg_core runs 2' in rejected(tmp_path / 'x.program', data)


def test_damaged_files_are_rejected(compiled, tmp_path):
    data, path = program_bytes(*compiled, SHA256), tmp_path / 'test.program'
    random = np.random.default_rng(0)
    for place in random.integers(0, len(data), 30):
        changed = bytearray(data)
        changed[place] ^= 1
        rejected(path, bytes(changed))
    for size in random.integers(0, len(data), 10):
        rejected(path, data[:size])
    rejected(path, save({'a': np.zeros(1)}, {'format': 'pt'}))
    with pytest.raises(FileNotFoundError):
        load_program(tmp_path / 'missing.program', SHA256)


@pytest.mark.parametrize('change, clause', [
    (lambda p: p['planes'].append(p['planes'][0]), None),
    (lambda p: p['operations'][-1].update(input=10 ** 6), 'a plane that does not exist'),
    (lambda p: p['operations'][-1].update(input=-1), 'a plane that does not exist'),
    (lambda p: p['operations'][-1].update(kernel=True), 'kernel is wrong'),
    (lambda p: p['operations'][-1].update(classes=12), 'has wrong classes'),
    (lambda p: p.update(inputs=[3, 5]), 'reads no input'),
    (lambda p: p['operations'][0].update(new=1), 'the fields of Operation.operations.0 are others'),
    (lambda p: [plane.update(border=0) for plane in p['planes']], 'the kernel of operation'),
    (lambda p: [op.update(flush=10 ** 4) for op in p['operations']], 'can overflow')])
def test_numbers_are_checked(compiled, tmp_path, change, clause):
    data = program_bytes(*compiled, SHA256)
    content = content_of(data)
    change(content['program'])
    changed = signed(content, load(data))
    if clause is None:
        # A plane that nothing uses is no danger.
        (tmp_path / 'x.program').write_bytes(changed)
        step(load_program(tmp_path / 'x.program', SHA256)[0])
    else:
        assert clause in rejected(tmp_path / 'x.program', changed)


def test_the_program_fits_its_metadata(compiled, tmp_path):
    program, _ = compiled
    other = metadata_of(untrained('fast'))
    text = rejected(tmp_path / 'x.program', program_bytes(program, other, SHA256))
    assert 'of another network than its metadata describe' in text


def test_mutated_files_are_rejected_or_run(compiled, tmp_path):
    """test_other_processors.py runs some of them under sanitizers."""
    random, path = np.random.default_rng(5), tmp_path / 'x.program'
    ran = 0
    for _ in range(150):
        data = mutated(*compiled, random)
        path.write_bytes(data)
        try:
            program, _ = load_program(path, SHA256)
        except ProgramError as error:
            assert len(str(error).splitlines()) == 1
        else:
            ran += 1
            step(program, (13, 17))
    assert 2 < ran < 100


@pytest.mark.parametrize('kind', [Program, Plane, Operation, Neurons, Cost])
def test_all_fields_can_be_written(kind):
    """A field of a new type needs a reader, and its numbers a check."""
    known = {*module.READERS, *module.ARRAYS}
    assert {field.type for field in dataclasses.fields(kind)} <= known
