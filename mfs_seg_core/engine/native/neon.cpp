// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// NEON, in every 64-bit ARM: products of signed bytes, summed in 16 bits.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "program.h"

namespace mfs {
namespace {

bool supported() { return true; }

constexpr int MAX_PIXELS = 4, MAX_PANELS = 1, FLOATS = 4;

#include "neon.inc"

// Spikes are at most 127, so they are signed bytes too. Each 16-bit number here sums one product
// where vpmaddubsw sums two: `flush` groups are safe.
template <int PIXELS, int PANELS>
void dot(const uint8_t *in, int64_t step, int rows, int64_t row_step, int groups,
         const int8_t *weights, int64_t panel_step, int flush, int32_t *sums, int channels) {
    for (int panel = 0; panel < PANELS; ++panel) {
        const int8_t *weight = weights + panel * panel_step;
        for (int p = 0; p < PIXELS; ++p) {
            int32x4_t total[8];
            int16x8_t sum[8];
            for (int i = 0; i < 8; ++i) {
                total[i] = vdupq_n_s32(0);
                sum[i] = vdupq_n_s16(0);
            }
            const uint8_t *pixel = in + p * step;
            const int8_t *w = weight;
            int left = flush;
            for (int row = 0; row < rows; ++row) {
                for (int g = 0; g < groups; ++g, w += GROUP * PANEL) {
                    int32_t spikes;
                    __builtin_memcpy(&spikes, pixel + row * row_step + g * GROUP, GROUP);
                    const int8x8_t s = vreinterpret_s8_s32(vdup_n_s32(spikes));
                    for (int i = 0; i < 8; ++i) sum[i] = vmlal_s8(sum[i], vld1_s8(w + 8 * i), s);
                    if (--left == 0) {
                        left = flush;
                        for (int i = 0; i < 8; ++i) {
                            total[i] = vpadalq_s16(total[i], sum[i]);
                            sum[i] = vdupq_n_s16(0);
                        }
                    }
                }
            }
            int32_t *out = sums + p * channels + panel * PANEL;
            for (int i = 0; i < 8; i += 2) {
                const int32x4_t a = vpadalq_s16(total[i], sum[i]);
                const int32x4_t b = vpadalq_s16(total[i + 1], sum[i + 1]);
                vst1q_s32(out + 2 * i, vpaddq_s32(a, b));
            }
        }
    }
}

#include "kernels.inc"

}  // namespace

extern const Kernels NEON{"neon", supported, row, TAPS};

}  // namespace mfs
#endif
