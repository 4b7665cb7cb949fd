// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// The functions that engine/library.py calls.
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>

#include "pool.h"
#include "program.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace mfs {

extern const Kernels PORTABLE;
#if defined(__x86_64__)
extern const Kernels AVX2, AVX512VNNI;
#if defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11
extern const Kernels AVXVNNI;
#endif
#elif defined(__aarch64__)
extern const Kernels NEON;
#if defined(__linux__)
extern const Kernels NEON_DOT;
#endif
#endif

// Best first.
const Kernels *const ALL_KERNELS[] = {
#if defined(__x86_64__)
    &AVX512VNNI,
#if defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11
    &AVXVNNI,
#endif
    &AVX2,
#elif defined(__aarch64__)
#if defined(__linux__)
    &NEON_DOT,
#endif
    &NEON,
#endif
    &PORTABLE, nullptr};

namespace {

std::mutex pool_mutex;
std::unique_ptr<Pool> pool;

// Memory of one thread for the currents of a tile.
struct Scratch {
    uint8_t *memory = nullptr;
    size_t size = 0;
    ~Scratch() { std::free(memory); }

    uint8_t *at_least(size_t bytes) {
        if (bytes > size) {
            std::free(memory);
            size = (bytes + 4095) / 4096 * 4096;
            memory = static_cast<uint8_t *>(std::aligned_alloc(4096, size));
        }
        return memory;
    }
};

thread_local Scratch scratch;

struct Loop {
    Run run;
    RowFunction row;
    size_t bytes;
};

void unit(void *context, int index) {
    const Loop &loop = *static_cast<const Loop *>(context);
    uint8_t *memory = scratch.at_least(loop.bytes);
    const int height = loop.run.op->height;
    loop.row(loop.run, index / height, index % height, memory);
}

}  // namespace
}  // namespace mfs

EXPORT int32_t mfs_abi() { return mfs::ABI; }
EXPORT int64_t mfs_op_size() { return sizeof(mfs::Op); }
EXPORT int64_t mfs_stream_size() { return sizeof(mfs::Stream); }

// Name of the kernels at an index, best first; null after the last.
EXPORT const char *mfs_kernels(int32_t index) {
    return mfs::ALL_KERNELS[index] ? mfs::ALL_KERNELS[index]->name : nullptr;
}

EXPORT int32_t mfs_supported(int32_t index) { return mfs::ALL_KERNELS[index]->supported(); }

// Rows of a depthwise kernel that its weights are packed for.
EXPORT int32_t mfs_taps(int32_t index) { return mfs::ALL_KERNELS[index]->taps; }

// Run a program on streams, which all have planes of the same sizes. `nanoseconds`, null or one
// for each operation, gets their times.
EXPORT void mfs_run(int32_t kernels, const mfs::Op *ops, int32_t count,
                    const mfs::Stream *streams, int32_t batch, const uint8_t *constants,
                    const uint8_t *tables, int32_t threads, int64_t *nanoseconds) {
    using Clock = std::chrono::steady_clock;
    using namespace mfs;
    // A second caller at the same time works with its own thread alone.
    std::unique_lock<std::mutex> lock(pool_mutex, std::try_to_lock);
    Pool *team = nullptr;
    if (lock.owns_lock() && threads > 1) {
        try {
            if (!pool || pool->threads() != threads) pool.reset(new Pool(threads));
            team = pool.get();
        } catch (const std::exception &) {
            // The system has no more threads: this one does the work.
            pool.reset();
        }
    }
    for (int32_t i = 0; i < count; ++i) {
        const Op &op = ops[i];
        const Clock::time_point start = nanoseconds ? Clock::now() : Clock::time_point();
        Loop loop{{&op, streams, constants, tables}, ALL_KERNELS[kernels]->row,
                  sizeof(float) * tile_pixels(op) * round_up(op.channels, PANEL)};
        const int units = batch * op.height;
        if (team)
            team->run(units, unit, &loop);
        else
            for (int index = 0; index < units; ++index) unit(&loop, index);
        if (nanoseconds)
            nanoseconds[i] = std::chrono::nanoseconds(Clock::now() - start).count();
    }
}

// Forget the threads: after a fork the child has none of them.
EXPORT void mfs_after_fork() {
    // Its destructor would wait for threads that do not exist here.
    (void)mfs::pool.release();
    new (&mfs::pool_mutex) std::mutex;
}
