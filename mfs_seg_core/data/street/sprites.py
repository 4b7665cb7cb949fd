# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sprites of people, cyclists and signs, which face the camera."""

from __future__ import annotations

import cv2
import numpy as np

from mfs_seg_core.data.street.canvas import Texture

# Images per stride, and per turn of the pedals.
PHASES = 8
SKINS = [(224, 182, 154), (196, 150, 118), (150, 106, 78), (96, 66, 48)]


def _colour(colour) -> tuple[float, ...]:
    return (*np.clip(colour, 0, 255).tolist(), 255)


def _limb(image, start, end, thick: int, colour) -> None:
    cv2.line(image, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), _colour(colour),
             thick)


def _finish(rng, image: np.ndarray) -> Texture:
    """Shade one side and add noise, as of cloth."""
    side = np.linspace(*rng.permutation([0.82, 1.12]), image.shape[1])[None, :, None]
    grain = rng.normal(1, 0.06, (*image.shape[:2], 1))
    image[..., :3] = np.clip(image[..., :3] * side * grain, 0, 255)
    return Texture(image)


def _clothes(rng) -> np.ndarray:
    return rng.uniform(25, 215) * np.array([1.0, 1.0, 1.0]) + rng.normal(0, 30, 3)


class Person:
    """
    Sprites of a pedestrian.

    ``phases`` are PHASES textures of one stride, 64 x 128 texels for 0.9 x 1.8 m.
    """

    def __init__(self, rng: np.random.Generator):
        coat, legs, hair = _clothes(rng), _clothes(rng) * 0.6, rng.uniform(20, 110, 3)
        skin = np.array(SKINS[rng.integers(len(SKINS))]) * rng.uniform(0.85, 1.05)
        broad = rng.uniform(10, 14)
        long_coat = rng.random() < 0.35
        bag = rng.uniform(20, 160, 3) if rng.random() < 0.4 else None
        self.phases = []
        for phase in range(PHASES):
            swing = np.sin(2 * np.pi * phase / PHASES)
            image = np.zeros((128, 64, 4), np.uint8)
            for sign in (-1, 1):
                knee = (32 + sign * 4 + sign * swing * 5, 94)
                foot = (32 + sign * 4 + sign * swing * 10, 123 - max(0, sign * swing) * 4)
                _limb(image, (32 + sign * 4, 68), knee, 9, legs * (0.9 + 0.1 * sign))
                _limb(image, knee, foot, 7, legs * (0.9 + 0.1 * sign))
                _limb(image, foot, (foot[0] + 3, foot[1] + 1), 6, (40, 36, 34))
            for sign in (-1, 1):
                elbow = (32 + sign * (broad + 2) - sign * swing * 3, 50)
                hand = (32 + sign * (broad + 1) - sign * swing * 8, 66)
                _limb(image, (32 + sign * broad, 30), elbow, 7, coat * 0.85)
                _limb(image, elbow, hand, 6, coat * 0.85)
                _limb(image, hand, hand, 5, skin)
            hem = 82 if long_coat else 70
            torso = np.array([[32 - broad, 26], [32 + broad, 26], [32 + broad - 1, hem],
                              [32 - broad + 1, hem]])
            cv2.fillPoly(image, [torso.astype(np.int32)], _colour(coat))
            if bag is not None:
                cv2.rectangle(image, (26, 32), (38, 50), _colour(bag), -1)
            _limb(image, (32, 20), (32, 26), 6, skin)
            cv2.ellipse(image, (32, 13), (7, 9), 0, 0, 360, _colour(skin), -1)
            cv2.ellipse(image, (32, 10), (8, 7), 0, 180, 360, _colour(hair), -1)
            self.phases.append(_finish(rng, image))


class Cyclist:
    """
    Sprites of a cyclist from behind or ahead, at a slight angle.

    ``phases`` are PHASES textures of one turn of the pedals, 72 x 128 texels for 1.0 x 1.8 m.
    """

    def __init__(self, rng: np.random.Generator):
        coat, legs = _clothes(rng), _clothes(rng) * 0.6
        if rng.random() < 0.25:
            coat = np.array([214, 226, 60])
        skin = np.array(SKINS[rng.integers(len(SKINS))])
        frame, helmet = rng.uniform(20, 220, 3), rng.uniform(20, 230, 3)
        turn = rng.uniform(4, 10)
        self.phases = []
        for phase in range(PHASES):
            angle = 2 * np.pi * phase / PHASES
            image = np.zeros((128, 72, 4), np.uint8)
            front, back = (int(36 - turn), 100), (int(36 + turn), 105)
            for hub, radius in ((front, 20), (back, 22)):
                cv2.ellipse(image, hub, (int(3 + turn * 0.7), radius), 0, 0, 360,
                            _colour((34, 34, 36)), 3)
            _limb(image, front, (36 - turn, 66), 3, frame)
            _limb(image, back, (36, 76), 4, frame)
            _limb(image, (36 - turn, 76), back, 3, frame)
            _limb(image, (22, 62), (50, 62), 3, (50, 50, 54))
            for sign in (-1, 1):
                foot = (36 + sign * 7, 102 + sign * 9 * np.sin(angle))
                knee = (36 + sign * 12, 84 + sign * 6 * np.sin(angle))
                _limb(image, (36 + sign * 5, 70), knee, 9, legs * (0.9 + 0.1 * sign))
                _limb(image, knee, foot, 7, legs * (0.9 + 0.1 * sign))
                _limb(image, foot, (foot[0], foot[1] + 2), 6, (36, 34, 34))
                _limb(image, (36 + sign * 11, 36), (36 + sign * 16, 50), 7, coat * 0.85)
                _limb(image, (36 + sign * 16, 50), (36 + sign * 13, 61), 5, coat * 0.8)
            torso = np.array([[25, 30], [47, 30], [45, 72], [27, 72]])
            cv2.fillPoly(image, [torso], _colour(coat))
            cv2.ellipse(image, (36, 18), (8, 10), 0, 0, 360, _colour(skin), -1)
            cv2.ellipse(image, (36, 14), (9, 9), 0, 180, 360, _colour(helmet), -1)
            self.phases.append(_finish(rng, image))


def sign(rng: np.random.Generator, kind: str) -> Texture:
    """Draw a sign plate, 96 x 96 texels, or a signal head or a board of another shape."""
    size = {'signal': (128, 48), 'board': (64, 128)}.get(kind, (96, 96))
    image = np.zeros((*size, 4), np.uint8)
    height, width = size
    white, red, blue = (226, 226, 222), (186, 38, 36), (34, 76, 160)
    if kind == 'signal':
        cv2.rectangle(image, (4, 2), (width - 5, height - 3), _colour((30, 32, 32)), -1)
        lit = int(rng.integers(3))
        for index, lamp in enumerate([(240, 50, 40), (250, 170, 40), (60, 220, 130)]):
            bright = 1.0 if index == lit else 0.22
            cv2.circle(image, (width // 2, 22 + 42 * index), 15,
                       _colour(np.array(lamp) * bright), -1)
    elif kind == 'board':
        ground = [(36, 110, 70), (34, 76, 160), (226, 226, 222), (210, 170, 40)][rng.integers(4)]
        cv2.rectangle(image, (0, 0), (width, height), _colour(ground), -1)
        ink = (240, 240, 236) if sum(ground) < 420 else (30, 30, 34)
        cv2.rectangle(image, (3, 3), (width - 4, height - 4), _colour(ink), 2)
        for row in (16, 34, 50):
            end = int(rng.integers(60, 116))
            cv2.line(image, (12, row), (end, row), _colour(ink), 6)
    elif kind == 'triangle':
        corners = np.array([[48, 4], [93, 88], [3, 88]])
        cv2.fillPoly(image, [corners], _colour(red))
        cv2.fillPoly(image, [np.array([[48, 26], [74, 76], [22, 76]])], _colour(white))
        cv2.rectangle(image, (45, 42), (51, 68), _colour((30, 30, 30)), -1)
    elif kind == 'round':
        cv2.circle(image, (48, 48), 46, _colour(red), -1)
        cv2.circle(image, (48, 48), 33, _colour(white), -1)
        cv2.putText(image, str(rng.choice(['20', '30', '40', '50'])), (22, 62),
                    cv2.FONT_HERSHEY_SIMPLEX, 1.2, _colour((24, 24, 24)), 5)
    elif kind == 'blue':
        cv2.circle(image, (48, 48), 46, _colour(blue), -1)
        cv2.arrowedLine(image, (48, 80), (48, 18), _colour(white), 9, tipLength=0.4)
    else:
        cv2.rectangle(image, (2, 2), (93, 93), _colour(blue), -1)
        cv2.rectangle(image, (30, 18), (66, 78), _colour(white), -1)
    return _finish(rng, image)


SIGNS = ('signal', 'board', 'triangle', 'round', 'blue', 'square')
