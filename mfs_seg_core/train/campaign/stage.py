# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a campaign and of its stages: a YAML file, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mfs_seg_core.data.clips.modality_dropout import SHARES
from mfs_seg_core.train.campaign.street_settings import StreetSettings
from mfs_seg_core.train.settings import MODELS, WITHOUT_EVENTS
from mfs_seg_core.util.settings_file import read_mapping, typed

# Settings of a stage that have an effect on one kind of data only.
CAMVID_ONLY = ('train_splits', 'without_drives', 'val_split', 'val_drives', 'copy_paste')
STREET_ONLY = ('carry', 'dim', 'camera')


@dataclass(frozen=True)
class Stage:
    """
    Settings of one training run on CamVid or Street, in the memory of one device.

    :param name: name of the stage and of its weights.
    :param model: network: 'unet', or a named configuration.
    :param start: weights to start from: a stage before, a file or shipped weights, or a file of an
        encoder (``mfs-seg imagenet``); empty: random. A spiking network that starts from its
        artificial twin is converted first.
    :param teacher: stage whose class scores are learned too; empty: none.
    :param train_splits: lists of images to train on (CamVid).
    :param without_drives: drives to leave out of them (CamVid).
    :param val_split: list of images to validate on (CamVid).
    :param val_drives: drives of it to validate on; empty: all (CamVid).
    :param size: width and height of whole frames, in pixels.
    :param crop: width and height of the windows to train on, in pixels.
    :param frames: number of steps in training, through frames of a moving camera (CamVid) or of a
        sequence (Street); each has a loss.
    :param carry: keep the state from clip to clip of a sequence (Street); else, clips start from
        rest.
    :param epochs: number of passes through the training images.
    :param seconds: length of the stage if that ends before ``epochs``; 0: no limit. The learning
        rate follows whichever is further.
    :param batch_size: images per optimiser step.
    :param learning_rate: peak learning rate of AdamW: linear warm-up over 5 % of the stage, then a
        cosine.
    :param encoder_rate: learning rate of the encoder and the stem, in learning rates.
    :param weight_decay: weight decay of AdamW, of convolutions only.
    :param scale: range of the magnification of a window.
    :param colour: strength of the changes of colour; 0: none.
    :param dim: share of the bright streams, by day or with motion blur, that get the noise of dim
        light (Street).
    :param camera: share of the streams with the camera alone; the other kinds share the rest
        (Street).
    :param copy_paste: share of the images on which objects of rare classes of another image are
        pasted (CamVid).
    :param ema: share of the averaged weights that remains after an optimiser step.
    :param distil: weight of the teacher's scores in the loss, 0..1; the labels have the rest.
    :param temperature: temperature of the teacher's scores.
    :param scale_weights: weight of the loss at 1/4, 1/2 and full scale.
    :param levels: D of a spiking network; 0: that of the configuration.
    :param leak: leak of the neurons at the start; below 0: that of the weights to start from, else
        that of the configuration.
    :param signed: signed neurons (lite).
    :param per_channel: convert a twin with one scale for each channel; False: for each layer.
    :param validate_every: number of epochs from one validation to the next.
    :param lane: stages of one lane run one after another in one process; on a GPU, lanes run side
        by side.
    :param checkpoint_s: seconds from one checkpoint to the next.
    :param seed: seed of initial weights, order and augmentation.
    :param notes: facts to store in the weights: licence, data.
    """

    name: str
    model: str
    start: str = ''
    teacher: str = ''
    train_splits: tuple[str, ...] = ('train',)
    without_drives: tuple[str, ...] = ()
    val_split: str = 'val'
    val_drives: tuple[str, ...] = ()
    size: tuple[int, int] = (480, 360)
    crop: tuple[int, int] = (480, 360)
    frames: int = 1
    carry: bool = False
    epochs: int = 100
    seconds: float = 0.0
    batch_size: int = 32
    learning_rate: float = 2e-3
    encoder_rate: float = 0.25
    weight_decay: float = 0.02
    scale: tuple[float, float] = (0.5, 2.0)
    colour: float = 1.0
    dim: float = 0.0
    camera: float = SHARES['camera']
    copy_paste: float = 0.0
    ema: float = 0.998
    distil: float = 0.0
    temperature: float = 2.0
    scale_weights: tuple[float, float, float] = (0.3, 0.3, 1.0)
    levels: int = 0
    leak: float = -1.0
    signed: bool = True
    per_channel: bool = True
    validate_every: int = 50
    lane: str = 'main'
    checkpoint_s: float = 60.0
    seed: int = 0
    notes: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Campaign:
    """
    Stages in order.

    :param name: name of the campaign, and of the folder of its results.
    :param stages: settings of the stages.
    :param street: sequences of Street, which the stages are trained on; None: CamVid.
    """

    name: str
    stages: tuple[Stage, ...]
    street: StreetSettings | None = None

    def needs(self, stage: Stage) -> list[str]:
        """Return the names of the stages whose weights a stage needs."""
        names = {each.name for each in self.stages}
        return [name for name in (stage.start, stage.teacher) if name in names]


def read_campaign(path: str | Path) -> Campaign:
    """
    Read and check a campaign.

    The file has ``name``, ``stages`` (a list of settings of :class:`Stage`) and optionally
    ``common``, settings that all stages share unless they set them, and ``street``, settings of
    :class:`~mfs_seg_core.train.campaign.street_settings.StreetSettings`.

    :param path: path of the YAML file.
    :returns: the campaign.
    :raises ValueError: the file is no YAML, or a setting is unknown, missing or invalid.
    """
    values = read_mapping(path)
    if not values.get('name') or not values.get('stages'):
        raise ValueError(f'{path} holds no campaign: give it a name and a list of stages')
    common, stages = values.get('common') or {}, []
    for number, own in enumerate(values['stages'], 1):
        where = f'{path}, stage {number}'
        if not isinstance(own, dict):
            raise ValueError(f'{where}: write one "key: value" per line')
        stage = typed(where, Stage, {**common, **own})
        _check(where, stage, [each.name for each in stages])
        stages.append(stage)
    names = [stage.name for stage in stages]
    for number, stage in enumerate(stages):
        # A stage would wait for one of its own lane that comes after it.
        if stage.start in names[number:]:
            raise ValueError(f'{path}, stage {number + 1}: it starts from {stage.start!r}, which '
                             'is no stage before: choose from '
                             f'{", ".join(names[:number]) or "none"}, or change the order')
    street = None
    if 'street' in values:
        street = typed(f'{path}, street', StreetSettings, values['street'] or {})
        _check_street(str(path), street, stages)
    else:
        _refuse(stages, STREET_ONLY, str(path), 'CamVid, which has no sequences',
                'remove it, or add the section street')
    return Campaign(str(values['name']), tuple(stages), street)


def _check_street(where: str, street: StreetSettings, stages: list[Stage]) -> None:
    street.check(where)
    if len(sizes := {stage.size for stage in stages}) > 1:
        raise ValueError(f'{where}: the stages have {len(sizes)} sizes: frames of Street are drawn '
                         'in one')
    _refuse(stages, CAMVID_ONLY, where, 'Street', 'remove it')
    for stage in stages:
        if stage.model in WITHOUT_EVENTS:
            raise ValueError(f'{where}: stage {stage.name!r}: the model {stage.model!r} takes no '
                             'events: choose fast or a kind of lite')
        if stage.frames > street.length:
            raise ValueError(f'{where}: stage {stage.name!r} has clips of {stage.frames} frames, '
                             f'sequences have {street.length}: set fewer frames')
        if stage.batch_size > street.sequences:
            raise ValueError(f'{where}: stage {stage.name!r} takes {stage.batch_size} sequences at '
                             f'a time of {street.sequences}: set a smaller batch_size')


def _refuse(stages: list[Stage], names: tuple[str, ...], where: str, data: str, remedy: str
            ) -> None:
    for stage in stages:
        for name in names:
            if getattr(stage, name) != getattr(Stage, name):
                raise ValueError(f'{where}: stage {stage.name!r}: {name} has no effect on {data}: '
                                 f'{remedy}')


def _check(where: str, stage: Stage, before: list[str]) -> None:
    if stage.model not in MODELS:
        raise ValueError(f'{where}: model must be one of {", ".join(MODELS)}, not '
                         f'{stage.model!r}')
    if stage.name in before:
        raise ValueError(f'{where}: the name {stage.name!r} occurs twice: choose another')
    if stage.teacher and stage.teacher not in before:
        raise ValueError(f'{where}: the teacher {stage.teacher!r} is no stage before: choose from '
                         f'{", ".join(before) or "none"}')
    for name in ('frames', 'epochs', 'batch_size', 'validate_every'):
        if getattr(stage, name) < 1:
            raise ValueError(f'{where}: {name} must be at least 1, not {getattr(stage, name)}')
    for name in ('dim', 'camera'):
        if not 0 <= getattr(stage, name) <= 1:
            raise ValueError(f'{where}: {name} is a share of the streams, 0 to 1, not '
                             f'{getattr(stage, name)}')
    if not 0 < stage.scale[0] <= stage.scale[1]:
        raise ValueError(f'{where}: scale must be two numbers above 0, the smaller one first')
