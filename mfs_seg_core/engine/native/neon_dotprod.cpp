// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// NEON with the dot product of ARMv8.2: products of bytes in fours, summed in 32 bits.
#if defined(__aarch64__) && defined(__linux__)
#include <arm_neon.h>
#include <sys/auxv.h>

#include "program.h"
#include "target.h"

namespace mfs {
namespace {

bool supported() {
    constexpr unsigned long ASIMDDP = 1ul << 20;
    return getauxval(AT_HWCAP) & ASIMDDP;
}

constexpr int MAX_PIXELS = 4, MAX_PANELS = 1, FLOATS = 4;

#if defined(__clang__)
TARGET_BEGIN("dotprod")
#else
TARGET_BEGIN("arch=armv8.2-a+dotprod")
#endif

#include "neon.inc"

// Spikes are at most 127, so they are signed bytes too.
template <int PIXELS, int PANELS>
void dot(const uint8_t *in, int64_t step, int rows, int64_t row_step, int groups,
         const int8_t *weights, int64_t panel_step, int /*flush*/, int32_t *sums, int channels) {
    int32x4_t sum[PIXELS][4 * PANELS];
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int i = 0; i < 4 * PANELS; ++i) sum[p][i] = vdupq_n_s32(0);
    for (int row = 0; row < rows; ++row, in += row_step) {
        for (int g = 0; g < groups; ++g, weights += GROUP * PANEL) {
            int8x16_t w[4 * PANELS];
#pragma GCC unroll 16
            for (int i = 0; i < 4 * PANELS; ++i)
                w[i] = vld1q_s8(weights + i / 4 * panel_step + i % 4 * 16);
#pragma GCC unroll 16
            for (int p = 0; p < PIXELS; ++p) {
                int32_t spikes;
                __builtin_memcpy(&spikes, in + p * step + g * GROUP, GROUP);
                const int8x16_t s = vreinterpretq_s8_s32(vdupq_n_s32(spikes));
#pragma GCC unroll 16
                for (int i = 0; i < 4 * PANELS; ++i) sum[p][i] = vdotq_s32(sum[p][i], w[i], s);
            }
        }
    }
#pragma GCC unroll 16
    for (int p = 0; p < PIXELS; ++p)
#pragma GCC unroll 16
        for (int i = 0; i < 4 * PANELS; ++i)
            vst1q_s32(sums + p * channels + 4 * i, sum[p][i]);
}

#include "kernels.inc"

TARGET_END

}  // namespace

extern const Kernels NEON_DOT{"neon_dotprod", supported, row, TAPS};

}  // namespace mfs
#endif
