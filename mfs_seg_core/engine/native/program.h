// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// The program that the engine runs: a list of operations over planes of channels-last pixels.
// engine/layout.py has the same structures; mfs_op_size() and ABI guard against a difference.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mfs {

constexpr int32_t ABI = 3;
constexpr int MAX_ADDS = 3, MAX_STORES = 2, MAX_NEURONS = 4;
// Channels of one panel of packed weights, and bytes of one group of inputs in it.
constexpr int PANEL = 16, GROUP = 4;
// Values that mean and standard deviation are repeated to: pixels of 3 channels, whole registers.
constexpr int NORMALS = 48;

// Memory that a plane lies in; all but the arena belong to one stream.
enum Space : int32_t { NONE, ARENA, STATE, CAMERA, EVENTS, MASK, CONFIDENCE, CLASSES };

// Where the current of an operation comes from.
enum Source : int32_t {
    ZERO,       // nothing but what is added
    DENSE,      // convolution of spikes, all input channels to all outputs
    DEPTHWISE,  // convolution of spikes, each channel alone
    STEM,       // 3x3 convolution of real-valued pixels
    PIXELS,     // normalised pixels of a uint8 image
    TENSOR,     // channels of an event tensor, made the last dimension
};

// Element (y, x, c) of a plane lies at `offset` bytes + (y * row + x * pixel + c) elements.
struct View {
    int64_t offset;
    int32_t space, row, pixel, unused;
};

// A current that is added; with tables, it is interpolated to the size of the operation.
// A table has an Interpolation for each output row or column.
struct Add {
    View view;
    int64_t rows, columns;  // offsets into the tables in bytes; -1: same size
};

struct Interpolation {
    int32_t low, high;
    float share;  // of high
};

// A layer of neurons, or some of its channels, that takes the current of an operation.
struct Neurons {
    View state, spikes;
    int64_t leak;      // offset into the stream's decays, in floats
    float high;        // largest spike
    int32_t low;       // smallest spike; bytes hold the difference to it
    int32_t hard;      // reset to 0 after a spike, rather than by subtraction
    int32_t counter;   // place of the layer in the counters
    int32_t count;     // elements of a row that are counted
    int32_t border;    // pixels around the plane of spikes that a convolution reads
    int32_t half;      // potentials have 16 bits, not 32
    int32_t unused;
};

struct Op {
    int32_t source;
    int32_t height, width, channels;  // of the output; channels are a multiple of 16
    int32_t inputs;                   // channels of the input
    int32_t kernel, stride;
    int32_t gate;                     // sensor that must be present, 1 or 2, for a current; 0: none
    int32_t flush;                    // groups of inputs, or taps, that 16 bits can sum up
    int32_t repeat;                   // times that scale, bias and decays are repeated
    int32_t adds, stores, neurons;
    int32_t classes;                  // above 0: write the class of the highest current
    View input;                       // in CLASSES: the class of each pixel of the scores
    int64_t weights, scale, bias;     // offsets into the constants, in bytes
    Add add[MAX_ADDS];
    View store[MAX_STORES];
    int32_t store_border;
    int32_t joined;                   // row by row together with the operation before it
    Neurons neuron[MAX_NEURONS];
    View mask, confidence;
};

// Memory of one stream.
struct Stream {
    void *spaces[8];        // by Space; the arena here is this stream's part of it
    const float *decays;    // share of each potential that remains, all layers
    int64_t *counters;      // sums of spikes by layer; null: not counted
    int32_t present[2];     // camera, events
};

struct Run {
    const Op *op;
    const Stream *streams;
    const uint8_t *constants;
    const uint8_t *tables;
};

// Computes one row of one stream. `scratch` has scratch_bytes(op) bytes, aligned to 64.
using RowFunction = void (*)(const Run &, int stream, int row, uint8_t *scratch);

// Floats of the current of a tile, which stay in the first-level cache.
constexpr int TILE = 3072;

inline int round_up(int value, int multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

inline int tile_pixels(const Op &op) {
    int pixels = TILE / round_up(op.channels, PANEL) / 8 * 8;
    return pixels < 8 ? 8 : pixels;
}

struct Kernels {
    const char *name;
    bool (*supported)();
    RowFunction row;
    int taps;  // rows of a depthwise kernel that its weights are packed for
};

// A name for each set of instructions that a compiler for this machine knows, best first.
extern const Kernels *const ALL_KERNELS[];

}  // namespace mfs
