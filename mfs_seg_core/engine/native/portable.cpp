// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// Kernels for any machine, and the meaning of dot().
#include "program.h"

namespace mfs {
namespace {

constexpr int MAX_PIXELS = 4, MAX_PANELS = 1, FLOATS = 4;

#include "vector.inc"

#include "taps.inc"

inline Float largest(Float a, Float b) { return a > b ? a : b; }
inline Float smallest(Float a, Float b) { return a < b ? a : b; }

// Processors without such an instruction compute in double: the product is exact there, and the sum
// is rounded to an odd last bit, so that rounding it to a float is as if it were exact.
inline float fused(float a, float b, float c) {
#ifdef __FP_FAST_FMAF
    return __builtin_fmaf(a, b, c);
#else
    const double product = static_cast<double>(a) * b;
    double sum = product + c;
    const double added = sum - product;
    const double error = (product - (sum - added)) + (c - added);
    int64_t bits;
    __builtin_memcpy(&bits, &sum, 8);
    if ((error > 0 || error < 0) && !(bits & 1)) bits += (error > 0) == (sum > 0) ? 1 : -1;
    __builtin_memcpy(&sum, &bits, 8);
    return static_cast<float>(sum);
#endif
}

inline Float fused(Float a, Float b, Float c) {
    Float value;
    for (int i = 0; i < FLOATS; ++i) value[i] = fused(a[i], b[i], c[i]);
    return value;
}

// Adding 1.5 * 2^23 leaves the integer in the low bits.
inline Word nearest(Float x) {
    constexpr float SHIFT = 12582912.0f;
    return (Word)(x + SHIFT) - 0x4b400000;
}

// IEEE 754 binary16, by the arithmetic of floats: scaled so that its subnormals are normal.
inline float from_half(uint16_t half) {
    const uint32_t sign = (half & 0x8000u) << 16, rest = half & 0x7fffu;
    uint32_t bits = rest << 13;
    float value;
    __builtin_memcpy(&value, &bits, 4);
    value *= 5.192296858534828e33f;  // 2^112
    __builtin_memcpy(&bits, &value, 4);
    if (rest >= 0x7c00u) bits = 0x7f800000u | rest << 13;  // infinite, or no number
    bits |= sign;
    __builtin_memcpy(&value, &bits, 4);
    return value;
}

inline uint16_t to_half(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, 4);
    const uint32_t sign = bits >> 16 & 0x8000u;
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) return sign | 0x7e00u;
    if (bits >= 0x477ff000u) return sign | 0x7c00u;
    if (bits < 0x38800000u) {
        // Subnormal: adding 0.5 rounds to multiples of 2^-24.
        float small;
        __builtin_memcpy(&small, &bits, 4);
        small += 0.5f;
        __builtin_memcpy(&bits, &small, 4);
        return sign | (bits - 0x3f000000u);
    }
    bits += 0xfffu + (bits >> 13 & 1);
    return sign | ((bits - 0x38000000u) >> 13);
}

inline Float load_half(const uint8_t *from) {
    Float value;
    for (int i = 0; i < FLOATS; ++i) value[i] = from_half(load<uint16_t>(from + 2 * i));
    return value;
}

inline void store_half(uint8_t *to, Float value) {
    for (int i = 0; i < FLOATS; ++i) store(to + 2 * i, to_half(value[i]));
}

inline void narrow(uint8_t *to, const Word (&values)[4]) {
    for (int i = 0; i < 16; ++i) to[i] = static_cast<uint8_t>(values[i / 4][i % 4]);
}

inline int first_largest(const float *values) {
    int best = 0;
    for (int i = 1; i < 16; ++i) best = values[i] > values[best] ? i : best;
    return best;
}

// Products of the spikes of PIXELS pixels with PANELS panels of weights of 16 outputs each.
//
// in          first byte of the first pixel; `step` bytes to that of the next
// rows        runs of bytes of each pixel, `row_step` bytes apart: the rows of a kernel
// groups      groups of 4 bytes in each run
// weights     int8 [PANELS][rows * groups][16][4]; `panel_step` bytes from panel to panel
// flush       groups whose products 16 bits can sum up
// sums        int32 [PIXELS][channels], of which 16 * PANELS are written
template <int PIXELS, int PANELS>
void dot(const uint8_t *in, int64_t step, int rows, int64_t row_step, int groups,
         const int8_t *weights, int64_t panel_step, int /*flush*/, int32_t *sums, int channels) {
    for (int p = 0; p < PIXELS; ++p) {
        for (int panel = 0; panel < PANELS; ++panel) {
            int32_t sum[PANEL] = {};
            const int8_t *weight = weights + panel * panel_step;
            for (int row = 0; row < rows; ++row) {
                const uint8_t *spikes = in + p * step + row * row_step;
                for (int g = 0; g < groups; ++g, spikes += GROUP, weight += GROUP * PANEL)
                    for (int n = 0; n < PANEL; ++n)
                        for (int k = 0; k < GROUP; ++k) sum[n] += spikes[k] * weight[n * GROUP + k];
            }
            for (int n = 0; n < PANEL; ++n) sums[p * channels + panel * PANEL + n] = sum[n];
        }
    }
}

#include "kernels.inc"

bool supported() { return true; }

}  // namespace

extern const Kernels PORTABLE{"portable", supported, row, TAPS};

}  // namespace mfs
