// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// The functions that engine/library.py calls.
#include <algorithm>
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

size_t scratch_bytes(const Op &op) {
    return sizeof(float) * tile_pixels(op) * round_up(op.channels, PANEL);
}

// Operations whose rows depend on the same row of each other only.
struct Loop {
    Run run;
    const Op *end;
    RowFunction row;
    size_t bytes;
};

void rows(void *context, int index) {
    const Loop &loop = *static_cast<const Loop *>(context);
    uint8_t *memory = scratch.at_least(loop.bytes);
    const int height = loop.run.op->height;
    Run run = loop.run;
    for (; run.op != loop.end; ++run.op) loop.row(run, index / height, index % height, memory);
}

struct Program {
    const Op *ops, *end;
    RowFunction row;
    const uint8_t *constants, *tables;
    const Stream *streams;
    int64_t *nanoseconds;
};

// Run a program on streams; the threads of a team, where there is one, divide the rows.
void run(const Program &program, const Stream *streams, int batch, Pool *team) {
    using Clock = std::chrono::steady_clock;
    const bool timed = program.nanoseconds;
    for (const Op *op = program.ops; op != program.end;) {
        const Clock::time_point start = timed ? Clock::now() : Clock::time_point();
        Loop loop{{op, streams, program.constants, program.tables}, op + 1, program.row,
                  scratch_bytes(*op)};
        for (; !timed && loop.end != program.end && loop.end->joined; ++loop.end)
            loop.bytes = std::max(loop.bytes, scratch_bytes(*loop.end));
        const int units = batch * op->height;
        if (team)
            team->run(units, rows, &loop);
        else
            for (int index = 0; index < units; ++index) rows(&loop, index);
        if (timed)
            program.nanoseconds[op - program.ops] =
                std::chrono::nanoseconds(Clock::now() - start).count();
        op = loop.end;
    }
}

// One thread runs a stream: its planes stay in the cache of one core.
void whole_stream(void *context, int stream) {
    const Program &program = *static_cast<const Program *>(context);
    run(program, program.streams + stream, 1, nullptr);
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
// for each operation, gets their times, one after the other.
EXPORT void mfs_run(int32_t kernels, const mfs::Op *ops, int32_t count,
                    const mfs::Stream *streams, int32_t batch, const uint8_t *constants,
                    const uint8_t *tables, int32_t threads, int64_t *nanoseconds) {
    using namespace mfs;
    Program program{ops, ops + count, ALL_KERNELS[kernels]->row, constants, tables, streams,
                    nanoseconds};
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
    // Each thread runs the same number of whole streams; all threads share those that remain.
    const int whole = nanoseconds ? 0 : team ? batch / threads * threads : batch;
    if (team)
        team->run(whole, whole_stream, &program);
    else
        for (int stream = 0; stream < whole; ++stream) whole_stream(&program, stream);
    if (whole < batch) run(program, streams + whole, batch - whole, team);
}

// Wake the threads for a run that follows soon.
EXPORT void mfs_wake() {
    std::unique_lock<std::mutex> lock(mfs::pool_mutex, std::try_to_lock);
    if (lock.owns_lock() && mfs::pool) mfs::pool->wake();
}

// Forget the threads: after a fork the child has none of them.
EXPORT void mfs_after_fork() {
    // Its destructor would wait for threads that do not exist here.
    (void)mfs::pool.release();
    new (&mfs::pool_mutex) std::mutex;
}
