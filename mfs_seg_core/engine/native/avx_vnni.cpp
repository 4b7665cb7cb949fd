// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// AVX-VNNI: products of bytes in fours, summed in 32 bits; 256-bit registers.
#if defined(__x86_64__) && (defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11)
#include <cpuid.h>
#include <immintrin.h>

#include "program.h"
#include "target.h"

namespace mfs {
namespace {

bool supported() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
           (a >> 4 & 1);
}

constexpr int MAX_PIXELS = 5, MAX_PANELS = 1, FLOATS = 8;

TARGET_BEGIN("avx2,fma,f16c,avxvnni")

#include "avx2.inc"

template <int PIXELS, int PANELS>
void dot(const uint8_t *in, int64_t step, int rows, int64_t row_step, int groups,
         const int8_t *weights, int64_t panel_step, int /*flush*/, int32_t *sums, int channels) {
    constexpr int REGISTERS = 2 * PANELS;
    __m256i sum[PIXELS][REGISTERS];
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int part = 0; part < REGISTERS; ++part) sum[p][part] = _mm256_setzero_si256();
    for (int row = 0; row < rows; ++row, in += row_step) {
        for (int g = 0; g < groups; ++g, weights += GROUP * PANEL) {
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
                    sum[p][part] = _mm256_dpbusd_avx_epi32(sum[p][part], s, w[part]);
            }
        }
    }
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int part = 0; part < REGISTERS; ++part)
            _mm256_storeu_si256(reinterpret_cast<__m256i *>(sums + p * channels + part * 8),
                                sum[p][part]);
}

#include "kernels.inc"

TARGET_END

}  // namespace

extern const Kernels AVXVNNI{"avx_vnni", supported, row, TAPS};

}  // namespace mfs
#endif
