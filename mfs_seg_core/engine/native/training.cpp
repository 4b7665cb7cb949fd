// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// The functions that engine/training.py calls: units of training.inc on several threads, and the
// sums of their shares. Units depend on the size of a layer alone, and their shares are added in
// order, so that the result is the same for any number of threads.
#include "training.h"

#include <atomic>
#include <cstddef>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "target.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace mfs {

int64_t period(int64_t channels) {
    // Whole registers of any size, and long enough that a sum is not read right after its write.
    int64_t size = channels;
    while (size % 16 || size < 64) size += channels;
    return size;
}

int64_t unit_elements(int64_t channels) {
    const int64_t size = period(channels);
    return (BLOCK + size - 1) / size * size;
}

int64_t units(const Layer &layer) {
    const int64_t length = unit_elements(layer.channels);
    return (layer.elements + length - 1) / length;
}

namespace {

namespace portable {

constexpr int FLOATS = 4;
typedef float Four __attribute__((vector_size(16)));
inline Four multiply_add(Four a, Four b, Four c) { return a * b + c; }
#include "training.inc"

bool supported() { return true; }

}  // namespace portable

#if defined(__x86_64__)
namespace avx2 {

TARGET_BEGIN("avx2,fma")

constexpr int FLOATS = 8;
inline __m256 fused(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
#define multiply_add(a, b, c) (Float) fused((__m256)(a), (__m256)(b), (__m256)(c))
#include "training.inc"
#undef multiply_add

TARGET_END

bool supported() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

}  // namespace avx2

namespace avx512 {

#if defined(__clang__)
TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq")
#else
TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,prefer-vector-width=512")
#endif

constexpr int FLOATS = 16;
inline __m512 fused(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
#define multiply_add(a, b, c) (Float) fused((__m512)(a), (__m512)(b), (__m512)(c))
#include "training.inc"
#undef multiply_add

TARGET_END

bool supported() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           avx2::supported();
}

}  // namespace avx512
#endif

#define KERNELS(name) \
    {#name, name::supported, name::moments, name::forward, name::sums, name::backward, \
     name::depthwise_weights, \
     name::cross_entropy, name::FLOATS}

// Best first.
constexpr TrainingKernels TRAINING_KERNELS[] = {
#if defined(__x86_64__)
    KERNELS(avx512),
    KERNELS(avx2),
#endif
    KERNELS(portable),
};
constexpr int COUNT = sizeof TRAINING_KERNELS / sizeof *TRAINING_KERNELS;

// GOMP_parallel of the OpenMP that torch runs on. Threads of our own would compete with those of
// torch, which spin for a while after each loop.
using Parallel = void (*)(void (*)(void *), void *, unsigned threads, unsigned flags);
Parallel parallel = nullptr;

// Memory that each thread keeps from call to call: fresh pages cost more than the work on them.
float *scratch_of(int64_t floats) {
    thread_local std::vector<float> memory;
    if (memory.size() < static_cast<size_t>(floats)) memory.resize(static_cast<size_t>(floats));
    return memory.data();
}

template <class Function> struct Loop {
    const Function &unit;
    int64_t count, floats;
    std::atomic<int64_t> next{0};

    static void work(void *context) {
        Loop &loop = *static_cast<Loop *>(context);
        float *scratch = scratch_of(loop.floats);
        for (int64_t i; (i = loop.next.fetch_add(1)) < loop.count;) loop.unit(i, scratch);
    }
};

// Call unit(index, scratch) for each index, with `floats` floats of scratch for each thread.
template <class Function>
void for_each(int64_t count, int32_t threads, int64_t floats, const Function &unit) {
    Loop<Function> loop{unit, count, floats};
    if (parallel && threads > 1 && count > 1)
        parallel(Loop<Function>::work, &loop, static_cast<unsigned>(threads), 0);
    else
        Loop<Function>::work(&loop);
}

// Run the units of a layer; return their shares, each of `rows` rows of channels. The second of two
// passes runs in `reverse`, over what the first one has left in the caches.
std::vector<float> run(const Layer &layer, LayerUnit unit, int32_t threads, int rows,
                       bool reverse = false) {
    const int64_t share = rows * layer.channels, count = layer.streams * units(layer);
    std::vector<float> partial(static_cast<size_t>(share * count));
    for_each(count, threads, 5 * period(layer.channels), [&](int64_t i, float *scratch) {
        const int64_t index = reverse ? count - 1 - i : i;
        unit(layer, index, scratch, partial.data() + index * share);
    });
    return partial;
}

// Run the units of a convolution; return their shares, each of `taps` for all channels of a unit.
std::vector<float> run(const Depthwise &layer, DepthwiseUnit unit, int floats, int32_t threads,
                       int64_t taps) {
    const int64_t group = GROUP_REGISTERS * floats, border = layer.kernel - 1;
    const int64_t count = layer.images * ((layer.channels + group - 1) / group);
    std::vector<float> partial(static_cast<size_t>(taps * group * count));
    const int64_t padded = (layer.height + border) * (layer.width + border);
    for_each(count, threads, (padded + layer.height * layer.width) * group,
                  [&](int64_t i, float *scratch) {
                      unit(layer, i, scratch, partial.data() + i * taps * group);
                  });
    return partial;
}

}  // namespace
}  // namespace mfs

EXPORT void mfs_training_sizes(int64_t *sizes) {
    sizes[0] = sizeof(mfs::Layer);
    sizes[1] = sizeof(mfs::Depthwise);
    sizes[2] = sizeof(mfs::CrossEntropy);
}

// Name of the kernels at an index, best first; null after the last.
EXPORT const char *mfs_training_kernels(int32_t index) {
    return index < mfs::COUNT ? mfs::TRAINING_KERNELS[index].name : nullptr;
}

EXPORT int32_t mfs_training_supported(int32_t index) {
    return mfs::TRAINING_KERNELS[index].supported();
}

// Set the function that starts threads; null: each call works with its own thread alone.
EXPORT void mfs_training_threads(mfs::Parallel parallel) { mfs::parallel = parallel; }

// Mean and variance of the input, into `sums`.
EXPORT void mfs_training_moments(int32_t kernels, const mfs::Layer *layer, int32_t threads) {
    const int64_t channels = layer->channels, per_stream = mfs::units(*layer);
    const int64_t length = mfs::unit_elements(channels);
    const auto partial = mfs::run(*layer, mfs::TRAINING_KERNELS[kernels].moments, threads, 2);
    std::vector<double> mean(channels), squares(channels);
    double seen = 0;
    for (int64_t i = 0; i < layer->streams * per_stream; ++i) {
        const int64_t rest = layer->elements - i % per_stream * length;
        const double count = static_cast<double>((rest < length ? rest : length) / channels);
        const float *share = partial.data() + i * 2 * channels;
        const double part = count / (seen + count);
        for (int64_t c = 0; c < channels; ++c) {
            const double difference = share[c] - mean[c];
            squares[c] += share[channels + c] + difference * difference * seen * part;
            mean[c] += difference * part;
        }
        seen += count;
    }
    for (int64_t c = 0; c < channels; ++c) {
        layer->sums[c] = static_cast<float>(mean[c]);
        layer->sums[channels + c] = static_cast<float>(squares[c] / seen);
    }
}

// Norm, neurons, or both.
EXPORT void mfs_training_forward(int32_t kernels, const mfs::Layer *layer, int32_t threads) {
    const auto partial = mfs::run(*layer, mfs::TRAINING_KERNELS[kernels].forward, threads,
                                  layer->rates ? 1 : 0, true);
    if (!layer->rates) return;
    const int64_t share = mfs::units(*layer) * layer->channels;
    for (int64_t stream = 0; stream < layer->streams; ++stream) {
        double total = 0;
        for (int64_t i = 0; i < share; ++i) total += partial[stream * share + i];
        layer->rates[stream] = static_cast<float>(total / static_cast<double>(layer->elements));
    }
}

// Sums over pixels that the gradient of a norm needs, into `sums`.
EXPORT void mfs_training_sums(int32_t kernels, const mfs::Layer *layer, int32_t threads) {
    const int64_t share = 2 * layer->channels;
    const auto partial = mfs::run(*layer, mfs::TRAINING_KERNELS[kernels].sums, threads, 2);
    std::vector<double> total(share);
    for (size_t i = 0; i < partial.size(); i += share)
        for (int64_t c = 0; c < share; ++c) total[c] += partial[i + c];
    for (int64_t c = 0; c < share; ++c) layer->sums[c] = static_cast<float>(total[c]);
}

// Gradients of input, potential and decay.
EXPORT void mfs_training_backward(int32_t kernels, const mfs::Layer *layer, int32_t threads) {
    const int64_t channels = layer->channels, per_stream = mfs::units(*layer);
    const auto partial = mfs::run(*layer, mfs::TRAINING_KERNELS[kernels].backward, threads,
                             layer->decay_gradient ? 1 : 0, true);
    if (!layer->decay_gradient) return;
    for (int64_t stream = 0; stream < layer->streams; ++stream) {
        float *to = layer->decay_gradient + stream * channels;
        const float *from = partial.data() + stream * per_stream * channels;
        for (int64_t c = 0; c < channels; ++c) {
            double total = 0;
            for (int64_t i = 0; i < per_stream; ++i) total += from[i * channels + c];
            to[c] = static_cast<float>(total);
        }
    }
}

// Gradient of the weights of a depthwise convolution.
EXPORT void mfs_training_depthwise_weights(int32_t kernels, const mfs::Depthwise *layer,
                                           int32_t threads) {
    const auto &chosen = mfs::TRAINING_KERNELS[kernels];
    const int64_t taps = layer->kernel * layer->kernel;
    const int64_t group = mfs::GROUP_REGISTERS * chosen.floats, share = taps * group;
    const int64_t groups = (layer->channels + group - 1) / group;
    const auto partial = mfs::run(*layer, chosen.depthwise_weights, chosen.floats, threads, taps);
    for (int64_t c = 0; c < layer->channels; ++c) {
        for (int64_t tap = 0; tap < taps; ++tap) {
            double total = 0;
            for (int64_t image = 0; image < layer->images; ++image)
                total += partial[(image * groups + c / group) * share + tap * group + c % group];
            layer->weight_gradient[c * taps + tap] = static_cast<float>(total);
        }
    }
}

// Weighted cross-entropy, and its gradient.
EXPORT void mfs_training_cross_entropy(int32_t kernels, const mfs::CrossEntropy *loss,
                                       int32_t threads) {
    const auto &chosen = mfs::TRAINING_KERNELS[kernels];
    const int64_t count = (loss->pixels + mfs::LOSS_PIXELS - 1) / mfs::LOSS_PIXELS;
    std::vector<double> partial(static_cast<size_t>(count * mfs::LOSS_SUMS));
    mfs::for_each(count, threads, loss->classes * chosen.floats,
                       [&](int64_t i, float *scratch) {
                           chosen.cross_entropy(*loss, i, scratch,
                                                partial.data() + i * mfs::LOSS_SUMS);
                       });
    for (int64_t i = 0; i < mfs::LOSS_SUMS; ++i) loss->sums[i] = 0;
    for (size_t i = 0; i < partial.size(); ++i) loss->sums[i % mfs::LOSS_SUMS] += partial[i];
}
