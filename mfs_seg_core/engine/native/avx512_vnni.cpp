// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// AVX-512 VNNI: products of bytes in fours, summed in 32 bits; 512-bit registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "program.h"
#include "target.h"

namespace mfs {
namespace {

bool supported() {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

constexpr int MAX_PIXELS = 8, MAX_PANELS = 3, FLOATS = 16;

#if defined(__clang__)
TARGET_BEGIN("avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
#else
TARGET_BEGIN("avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,prefer-vector-width=512")
#endif

#include "vector.inc"

inline Float largest(Float a, Float b) { return (Float)_mm512_max_ps((__m512)a, (__m512)b); }
inline Float smallest(Float a, Float b) { return (Float)_mm512_min_ps((__m512)a, (__m512)b); }
inline Float fused(Float a, Float b, Float c) {
    return (Float)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
inline Word nearest(Float x) { return (Word)_mm512_cvtps_epi32((__m512)x); }

inline Float load_half(const uint8_t *from) {
    return (Float)_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
}

inline void store_half(uint8_t *to, Float value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(to),
                        _mm512_cvtps_ph((__m512)value, _MM_FROUND_TO_NEAREST_INT));
}

inline void narrow(uint8_t *to, const Word (&values)[1]) {
    _mm_storeu_si128(reinterpret_cast<__m128i *>(to), _mm512_cvtepi32_epi8((__m512i)values[0]));
}

inline int first_largest(const float *values) {
    const __m512 a = _mm512_loadu_ps(values);
    __m512 m = _mm512_max_ps(a, _mm512_shuffle_f32x4(a, a, 0x4e));
    m = _mm512_max_ps(m, _mm512_shuffle_f32x4(m, m, 0xb1));
    m = _mm512_max_ps(m, _mm512_shuffle_ps(m, m, 0x4e));
    m = _mm512_max_ps(m, _mm512_shuffle_ps(m, m, 0xb1));
    return __builtin_ctz(_mm512_cmp_ps_mask(a, m, _CMP_EQ_OQ) | 1 << 16) & 15;
}

// Depthwise: four rows of a kernel at once, summed in 32 bits.
constexpr int TAPS = 4, TAP_PIXELS = 8;
using TapWeight = int8_t;
struct TapSpikes {
    __m512i fours;
};
using TapSums = TapSpikes;

// The order of the bytes: 4 * c + i is channel c of row i. First each lane of 128 bits takes its four
// channels of all rows, then its bytes are transposed.
alignas(64) constexpr int32_t OF_LANES[16] = {0, 4, 8,  12, 1, 5, 9,  13,
                                              2, 6, 10, 14, 3, 7, 11, 15};

inline TapSpikes gather_taps(const uint8_t *const (&rows)[TAPS], int64_t offset) {
    const auto part = [&](int i) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i *>(rows[i] + offset));
    };
    __m512i all = _mm512_castsi128_si512(part(0));
    all = _mm512_inserti32x4(all, part(1), 1);
    all = _mm512_inserti32x4(all, part(2), 2);
    all = _mm512_inserti32x4(all, part(3), 3);
    const __m512i transpose =
        _mm512_set4_epi32(0x0f0b0703, 0x0e0a0602, 0x0d090501, 0x0c080400);
    return {_mm512_shuffle_epi8(_mm512_permutexvar_epi32(_mm512_load_si512(OF_LANES), all),
                                transpose)};
}

inline TapSums add_taps(TapSums sums, TapSpikes spikes, const TapWeight *weights) {
    return {_mm512_dpbusd_epi32(sums.fours, spikes.fours, _mm512_loadu_si512(weights))};
}

inline void store_taps(int32_t *to, TapSums sums) { _mm512_storeu_si512(to, sums.fours); }

template <int PIXELS, int PANELS>
void dot(const uint8_t *in, int64_t step, int rows, int64_t row_step, int groups,
         const int8_t *weights, int64_t panel_step, int /*flush*/, int32_t *sums, int channels) {
    __m512i sum[PIXELS][PANELS];
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int panel = 0; panel < PANELS; ++panel) sum[p][panel] = _mm512_setzero_si512();
    for (int row = 0; row < rows; ++row, in += row_step) {
        for (int g = 0; g < groups; ++g, weights += GROUP * PANEL) {
            __m512i w[PANELS];
#pragma GCC unroll 16
            for (int panel = 0; panel < PANELS; ++panel)
                w[panel] = _mm512_loadu_si512(weights + panel * panel_step);
#pragma GCC unroll 16
            for (int p = 0; p < PIXELS; ++p) {
                int32_t spikes;
                __builtin_memcpy(&spikes, in + p * step + g * GROUP, GROUP);
                const __m512i s = _mm512_set1_epi32(spikes);
#pragma GCC unroll 16
                for (int panel = 0; panel < PANELS; ++panel)
                    sum[p][panel] = _mm512_dpbusd_epi32(sum[p][panel], s, w[panel]);
            }
        }
    }
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int panel = 0; panel < PANELS; ++panel)
            _mm512_storeu_si512(sums + p * channels + panel * PANEL, sum[p][panel]);
}

#include "kernels.inc"

TARGET_END

}  // namespace

extern const Kernels AVX512VNNI{"avx512_vnni", supported, row, TAPS};

}  // namespace mfs
#endif
