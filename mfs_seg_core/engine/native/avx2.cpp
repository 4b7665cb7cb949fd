// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// AVX2: products of bytes in pairs, summed in 16 bits.
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#include "program.h"
#include "target.h"

namespace mfs {
namespace {

bool supported() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

constexpr int MAX_PIXELS = 4, MAX_PANELS = 1, FLOATS = 8;

TARGET_BEGIN("avx2,fma,f16c")

#include "avx2.inc"

// vpmaddubsw adds the products of two neighbours, unsigned by signed, and saturates at 16 bits. A
// weight is at most 127 in size, and the `flush` pairs of sums that are added here stay within
// 32767.
template <int PIXELS, int PANELS>
void dot(const uint8_t *in, int64_t step, int rows, int64_t row_step, int groups,
         const int8_t *weights, int64_t panel_step, int flush, int32_t *sums, int channels) {
    constexpr int REGISTERS = 2 * PANELS;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i total[PIXELS][REGISTERS];
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int part = 0; part < REGISTERS; ++part) total[p][part] = _mm256_setzero_si256();
    __m256i sum[PIXELS][REGISTERS];
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int part = 0; part < REGISTERS; ++part) sum[p][part] = _mm256_setzero_si256();
    int left = flush;
    for (int row = 0; row < rows; ++row, in += row_step) {
        for (int g = 0; g < groups;) {
            const int next = groups - g < left ? groups : g + left;
            left -= next - g;
            for (; g < next; ++g, weights += GROUP * PANEL) {
                __m256i w[REGISTERS];
#pragma GCC unroll 16
                for (int part = 0; part < REGISTERS; ++part)
                    w[part] = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(
                        weights + part / 2 * panel_step + part % 2 * 32));
#pragma GCC unroll 16
                for (int p = 0; p < PIXELS; ++p) {
                    int32_t spikes;
                    __builtin_memcpy(&spikes, in + p * step + g * GROUP, GROUP);
                    const __m256i s = _mm256_set1_epi32(spikes);
#pragma GCC unroll 16
                    for (int part = 0; part < REGISTERS; ++part)
                        sum[p][part] = _mm256_add_epi16(sum[p][part],
                                                        _mm256_maddubs_epi16(s, w[part]));
                }
            }
            if (left == 0) {
                left = flush;
#pragma GCC unroll 16
                for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
                    for (int part = 0; part < REGISTERS; ++part) {
                        total[p][part] = _mm256_add_epi32(
                            total[p][part], _mm256_madd_epi16(sum[p][part], ones));
                        sum[p][part] = _mm256_setzero_si256();
                    }
            }
        }
    }
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int part = 0; part < REGISTERS; ++part)
            _mm256_storeu_si256(
                reinterpret_cast<__m256i *>(sums + p * channels + part * 8),
                _mm256_add_epi32(total[p][part], _mm256_madd_epi16(sum[p][part], ones)));
}

#include "kernels.inc"

TARGET_END

}  // namespace

extern const Kernels AVX2{"avx2", supported, row, TAPS};

}  // namespace mfs
#endif
