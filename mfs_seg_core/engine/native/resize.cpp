// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// Resize of images with anti-aliasing: a triangle filter along the rows, then along the columns,
// in fixed point. engine/resize.py makes the weights.
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace {

constexpr int CHANNELS = 3;

// Output element i is the sum of `taps` input elements from first[i] on, times weights[i][tap],
// shifted by `precision`. Taps are a multiple of two; those beyond the input have weight 0.
struct Filter {
    const int32_t *first;
    const int16_t *weights;
    int taps, precision;
};

inline uint8_t shifted(int32_t sum, int precision) {
    const int32_t value = sum >> precision;
    return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// Write one output pixel, and a byte after it that is no channel: 4 values are faster than 3.
#if defined(__SSE2__)
inline void filter_pixel(const uint8_t *in, const int16_t *weights, const Filter &filter,
                         uint8_t *out) {
    __m128i sum = _mm_set1_epi32(1 << (filter.precision - 1));
    for (int tap = 0; tap < filter.taps; tap += 2, in += 2 * CHANNELS) {
        int32_t left, right, pair;
        std::memcpy(&left, in, 4);
        std::memcpy(&right, in + CHANNELS, 4);
        std::memcpy(&pair, weights + tap, 4);
        // Both values of a channel side by side, as the multiplication adds neighbours.
        const __m128i bytes = _mm_unpacklo_epi8(_mm_cvtsi32_si128(left), _mm_cvtsi32_si128(right));
        const __m128i values = _mm_unpacklo_epi8(bytes, _mm_setzero_si128());
        sum = _mm_add_epi32(sum, _mm_madd_epi16(values, _mm_set1_epi32(pair)));
    }
    sum = _mm_sra_epi32(sum, _mm_cvtsi32_si128(filter.precision));
    const __m128i words = _mm_packs_epi32(sum, sum);
    const int32_t pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    std::memcpy(out, &pixel, 4);
}
#else
inline void filter_pixel(const uint8_t *in, const int16_t *weights, const Filter &filter,
                         uint8_t *out) {
    int32_t sums[4];
    for (int c = 0; c < 4; ++c) sums[c] = 1 << (filter.precision - 1);
    for (int tap = 0; tap < filter.taps; ++tap, in += CHANNELS)
        for (int c = 0; c < 4; ++c) sums[c] += in[c] * weights[tap];
    for (int c = 0; c < 4; ++c) out[c] = shifted(sums[c], filter.precision);
}
#endif

void filter_row(const uint8_t *in, uint8_t *out, int width, const Filter &filter) {
    for (int x = 0; x < width; ++x, out += CHANNELS)
        filter_pixel(in + filter.first[x] * CHANNELS, filter.weights + x * filter.taps, filter,
                     out);
}

void filter_column(const uint8_t *in, int64_t bytes, int rows, uint8_t *out, int y,
                   const Filter &filter) {
    constexpr int BLOCK = 64;
    const int16_t *weights = filter.weights + y * filter.taps;
    for (int64_t x = 0; x < bytes; x += BLOCK) {
        const int count = bytes - x < BLOCK ? static_cast<int>(bytes - x) : BLOCK;
        int32_t sums[BLOCK];
        for (int i = 0; i < BLOCK; ++i) sums[i] = 1 << (filter.precision - 1);
        for (int tap = 0; tap < filter.taps && filter.first[y] + tap < rows; ++tap) {
            const uint8_t *row = in + (filter.first[y] + tap) * bytes + x;
            if (count == BLOCK)
                for (int i = 0; i < BLOCK; ++i) sums[i] += row[i] * weights[tap];
            else
                for (int i = 0; i < count; ++i) sums[i] += row[i] * weights[tap];
        }
        for (int i = 0; i < count; ++i) out[x + i] = shifted(sums[i], filter.precision);
    }
}

}  // namespace

// Resize uint8 pixels [height, width, 3] to [to_height, to_width, 3].
//
// line       (width + taps of `across` + 2) * 3 bytes to work in
// between    height * to_width * 3 + 1 bytes to work in
extern "C" __attribute__((visibility("default"))) void mfs_resize(
    const uint8_t *in, int32_t width, int32_t height, uint8_t *out, int32_t to_width,
    int32_t to_height, const int32_t *across_first, const int16_t *across_weights,
    int32_t across_taps, int32_t across_precision, const int32_t *down_first,
    const int16_t *down_weights, int32_t down_taps, int32_t down_precision, uint8_t *line,
    uint8_t *between) {
    const Filter across{across_first, across_weights, across_taps, across_precision};
    const Filter down{down_first, down_weights, down_taps, down_precision};
    const int64_t bytes = int64_t(to_width) * CHANNELS, row = int64_t(width) * CHANNELS;
    // Pixels after the last one are read, with weight 0.
    std::memset(line + row, 0, (across_taps + 2) * CHANNELS);
    for (int y = 0; y < height; ++y) {
        std::memcpy(line, in + y * row, row);
        filter_row(line, between + y * bytes, to_width, across);
    }
    for (int y = 0; y < to_height; ++y)
        filter_column(between, bytes, height, out + y * bytes, y, down);
}
