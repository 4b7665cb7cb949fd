// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// Fused passes of a training step over float32 pixels, channels last: batch norm and neurons,
// forward and backward, the weight gradient of depthwise convolutions, and the loss.
// engine/training.py has the same structures; mfs_training_sizes() guards against a difference.
#pragma once

#include <cstdint>

namespace mfs {

// Registers of channels in a unit of a depthwise convolution: with fewer, each pixel is a short
// piece of memory far from the next, which processors fetch slowly.
constexpr int64_t GROUP_REGISTERS = 4;

// Elements of a unit of work, about: two or three planes of them stay in the second-level cache.
constexpr int64_t BLOCK = 16384;

// A norm, a layer of neurons, or a norm and the neurons that take its output.
//
// Memory of [streams][elements], elements being pixels x channels, unless a comment says otherwise.
struct Layer {
    int64_t streams, elements;
    int32_t channels;
    int32_t decays;      // rows of `decay`: 1, or one for each stream
    int32_t hard;        // reset to 0 after a spike, rather than by subtraction
    float low, high;     // smallest and largest spike
    int32_t unused;
    const float *input;  // of the norm; of the neurons where there is no norm
    // [channels]; the norm is input * scale + shift. Backward: the gradient of `input` is
    // gradient * factor + input * scale + shift. Null: no norm.
    const float *scale, *shift, *factor;
    const float *mean;        // [channels], of the input
    const float *potential;   // before the step; null: rest
    const float *decay;       // [decays][channels]
    float *output;            // spikes, or the output of the norm
    float *next;              // potential after the step
    uint8_t *mask;            // INSIDE and KEPT; null: no neurons
    const float *gradient;    // of the output
    const float *next_gradient;  // of the potential after the step; null: 0
    float *input_gradient;
    float *potential_gradient;  // null: not needed
    float *decay_gradient;      // [streams][channels]; null: not needed
    float *sums;                // [2][channels]
    float *rates;               // [streams], mean size of a spike; null: not needed
};

// Bits of a mask, which the backward pass needs in place of the charged potential.
constexpr int32_t INSIDE = 1;  // the surrogate gradient of the spike is 1
constexpr int32_t KEPT = 2;    // the reset left the potential, or subtracted from it

// Depthwise convolution of stride 1 with "same" padding. Images: [images][height][width][channels].
struct Depthwise {
    int32_t images, height, width, channels;
    int32_t kernel, unused;  // kernel: 3, 5 or 7
    const float *input;
    const float *gradient;   // of the output
    float *weight_gradient;  // [channels][kernel][kernel]
};

// Sum over pixels of weight[label] * cross-entropy, and its gradient.
struct CrossEntropy {
    int64_t pixels;
    int32_t classes, ignored;  // `ignored`: label of pixels without a class
    const float *scores;       // [pixels][classes]
    const uint8_t *labels;     // [pixels]
    const float *weights;      // [classes]
    float *gradient;           // [pixels][classes]
    double *sums;              // [LOSS_SUMS]: loss, weights, pixels with an unknown label
};

constexpr int64_t LOSS_PIXELS = 2048, LOSS_SUMS = 3;

// Elements after which the arrays of a channel repeat in whole registers.
int64_t period(int64_t channels);
// Elements of a unit, a multiple of the period; the last unit of a stream may have fewer.
int64_t unit_elements(int64_t channels);
// Units of a stream.
int64_t units(const Layer &layer);

// Functions of a unit: `scratch` has 5 periods of floats; `partial` takes its share of the result,
// the number of floats [rows][channels] that the caller adds up.
using LayerUnit = void (*)(const Layer &, int64_t unit, float *scratch, float *partial);
// Those of a convolution: a unit is a group of channels of an image; `scratch` has room for their
// input with its padding, and for the gradient of the output.
using DepthwiseUnit = void (*)(const Depthwise &, int64_t unit, float *scratch, float *partial);

// `scratch` has classes * floats; `partial` has LOSS_SUMS.
using LossUnit = void (*)(const CrossEntropy &, int64_t unit, float *scratch, double *partial);

struct TrainingKernels {
    const char *name;
    bool (*supported)();
    LayerUnit moments;   // partial [2][channels]: mean, and sum of squared deviations from it
    LayerUnit forward;   // partial [1][channels]: sums of the sizes of spikes
    LayerUnit sums;      // partial [2][channels]: sums of g and of g * (input - mean), where g is
                         // the gradient of the output of the norm
    LayerUnit backward;  // partial [1][channels]: sums of g * potential
    DepthwiseUnit depthwise_weights;  // partial [kernel * kernel][GROUP_REGISTERS * floats]
    LossUnit cross_entropy;
    int floats;          // in a register
};

}  // namespace mfs
