// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// Resize of images with anti-aliasing, by a triangle filter along the rows, then along the columns,
// in fixed point; of masks by the nearest pixels. engine/resize.py makes weights and indices.
#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
// Of functions that run where the processor has AVX2.
#define WIDE __attribute__((target("avx2")))
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

#if defined(__SSE2__)
// Four taps at a time, two in each half of a register; the last two again by half a register.
WIDE void filter_row_wide(const uint8_t *in, uint8_t *out, int width, const Filter &filter) {
    const __m128i pairs = _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 6, 9, 7, 10, 8, 11, -1, -1);
    const __m256i halves = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m128i shift = _mm_cvtsi32_si128(filter.precision);
    const __m256i half = _mm256_zextsi128_si256(_mm_set1_epi32(1 << (filter.precision - 1)));
    for (int x = 0; x < width; ++x, out += CHANNELS) {
        const uint8_t *from = in + filter.first[x] * CHANNELS;
        const int16_t *weights = filter.weights + x * filter.taps;
        __m256i sum = half;
        int tap = 0;
        for (; tap + 4 <= filter.taps; tap += 4, from += 4 * CHANNELS) {
            const __m256i values = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(
                _mm_loadu_si128(reinterpret_cast<const __m128i *>(from)), pairs));
            const __m256i both = _mm256_permutevar8x32_epi32(
                _mm256_castsi128_si256(
                    _mm_loadl_epi64(reinterpret_cast<const __m128i *>(weights + tap))), halves);
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(values, both));
        }
        __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        if (tap < filter.taps) {
            int32_t pair;
            std::memcpy(&pair, weights + tap, 4);
            const __m128i values = _mm_cvtepu8_epi16(_mm_shuffle_epi8(
                _mm_loadl_epi64(reinterpret_cast<const __m128i *>(from)), pairs));
            four = _mm_add_epi32(four, _mm_madd_epi16(values, _mm_set1_epi32(pair)));
        }
        four = _mm_sra_epi32(four, shift);
        const __m128i words = _mm_packs_epi32(four, four);
        const int32_t pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
        std::memcpy(out, &pixel, 4);
    }
}
#endif

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

#if defined(__SSE2__)
// 32 values of two rows at a time. Unpacking and packing both work within the halves of a register.
WIDE void filter_column_wide(const uint8_t *in, int64_t bytes, int rows, uint8_t *out, int y,
                             const Filter &filter) {
    constexpr int BLOCK = 32;
    if (bytes < BLOCK) return filter_column(in, bytes, rows, out, y, filter);
    const int16_t *weights = filter.weights + y * filter.taps;
    const __m256i zero = _mm256_setzero_si256();
    const __m256i half = _mm256_set1_epi32(1 << (filter.precision - 1));
    const __m128i shift = _mm_cvtsi32_si128(filter.precision);
    for (int64_t x = 0; x < bytes; x += BLOCK) {
        // The last block computes some values a second time.
        const int64_t place = x + BLOCK <= bytes ? x : bytes - BLOCK;
        __m256i sums[4] = {half, half, half, half};
        for (int tap = 0; tap < filter.taps; tap += 2) {
            // Rows after the last one have weight 0.
            const int row = filter.first[y] + tap;
            const uint8_t *upper = in + std::min(row, rows - 1) * bytes + place;
            const uint8_t *lower = in + std::min(row + 1, rows - 1) * bytes + place;
            int32_t pair;
            std::memcpy(&pair, weights + tap, 4);
            const __m256i both = _mm256_set1_epi32(pair);
            const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(upper));
            const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(lower));
            const __m256i low = _mm256_unpacklo_epi8(a, b), high = _mm256_unpackhi_epi8(a, b);
            const __m256i values[4] = {
                _mm256_unpacklo_epi8(low, zero), _mm256_unpackhi_epi8(low, zero),
                _mm256_unpacklo_epi8(high, zero), _mm256_unpackhi_epi8(high, zero)};
            for (int i = 0; i < 4; ++i)
                sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(values[i], both));
        }
        for (__m256i &sum : sums) sum = _mm256_sra_epi32(sum, shift);
        const __m256i words = _mm256_packus_epi16(_mm256_packs_epi32(sums[0], sums[1]),
                                                  _mm256_packs_epi32(sums[2], sums[3]));
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + place), words);
    }
}
#endif

// An image, and memory to work in.
struct Job {
    const uint8_t *in;
    int width, height;
    uint8_t *out;
    int to_width, to_height;
    Filter across, down;
    uint8_t *line, *between;
};

template <decltype(filter_row) ROW, decltype(filter_column) COLUMN>
void resize(const Job &job) {
    const int64_t bytes = int64_t(job.to_width) * CHANNELS, row = int64_t(job.width) * CHANNELS;
    // Pixels after the last one of a row are read, with weight 0.
    const int64_t after = (job.across.taps + 2) * CHANNELS;
    std::memset(job.line + row, 0, after);
    for (int y = 0; y < job.height; ++y) {
        const uint8_t *in = job.in + y * row;
        if ((job.height - 1 - y) * row < after) {
            std::memcpy(job.line, in, row);
            in = job.line;
        }
        ROW(in, job.between + y * bytes, job.to_width, job.across);
    }
    for (int y = 0; y < job.to_height; ++y)
        COLUMN(job.between, bytes, job.height, job.out + y * bytes, y, job.down);
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
    const Job job{in, width, height, out, to_width, to_height,
                  {across_first, across_weights, across_taps, across_precision},
                  {down_first, down_weights, down_taps, down_precision}, line, between};
#if defined(__SSE2__)
    static const bool wide = __builtin_cpu_supports("avx2");
    if (wide) return resize<filter_row_wide, filter_column_wide>(job);
#endif
    resize<filter_row, filter_column>(job);
}

// Enlarge a mask, uint8 of rows of this width: output (y, x) is the input at (rows[y], columns[x]).
extern "C" __attribute__((visibility("default"))) void mfs_enlarge(
    const uint8_t *in, int32_t width, uint8_t *out, int32_t to_width, int32_t to_height,
    const int32_t *rows, const int32_t *columns) {
    for (int y = 0; y < to_height; ++y, out += to_width) {
        if (y > 0 && rows[y] == rows[y - 1]) {
            std::memcpy(out, out - to_width, to_width);
            continue;
        }
        const uint8_t *row = in + int64_t(rows[y]) * width;
        for (int x = 0; x < to_width; ++x) out[x] = row[columns[x]];
    }
}
