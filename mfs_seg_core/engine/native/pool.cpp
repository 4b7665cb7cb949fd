// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
#include "pool.h"

#include <chrono>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace mfs {
namespace {

// Longer than the pause between two loops of a step, much shorter than that between two steps.
constexpr std::chrono::microseconds SPIN{60};
constexpr uint64_t LEFT = 0xffffffffu;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

Pool::Pool(int threads) {
    for (int thread = 1; thread < threads; ++thread)
        workers_.emplace_back(&Pool::work, this);
}

Pool::~Pool() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    for (auto &worker : workers_) worker.join();
}

void Pool::run(int count, Unit unit, void *context) {
    if (workers_.empty() || count < 2) {
        for (int i = 0; i < count; ++i) unit(context, i);
        return;
    }
    count_ = count;
    unit_ = unit;
    context_ = context;
    done_.store(0, std::memory_order_relaxed);
    const uint64_t loop = (tickets_.load(std::memory_order_relaxed) >> 32) + 1;
    tickets_.store(loop << 32 | static_cast<uint32_t>(count));
    if (sleepers_.load() > 0) {
        std::lock_guard<std::mutex> lock(mutex_);
        wake_.notify_all();
    }
    while (take()) {
    }
    for (int turn = 0; done_.load(std::memory_order_acquire) < count; ++turn) {
        if (turn < 2000)
            pause();
        else
            std::this_thread::yield();
    }
}

bool Pool::take() {
    uint64_t ticket = tickets_.load(std::memory_order_acquire);
    do {
        if ((ticket & LEFT) == 0) return false;
    } while (!tickets_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel));
    // The loop cannot end before this unit is done, so its fields stay as they are.
    unit_(context_, count_ - static_cast<int>(ticket & LEFT));
    done_.fetch_add(1, std::memory_order_release);
    return true;
}

void Pool::work() {
    using Clock = std::chrono::steady_clock;
    auto idle_since = Clock::now();
    while (!stop_.load(std::memory_order_relaxed)) {
        if (take()) {
            while (take()) {
            }
            idle_since = Clock::now();
            continue;
        }
        for (int i = 0; i < 16; ++i) pause();
        if (Clock::now() - idle_since < SPIN) continue;
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1);
        // run() publishes its units before it reads the sleepers: one of both is seen here.
        wake_.wait(lock, [this] { return stop_.load() || (tickets_.load() & LEFT) != 0; });
        sleepers_.fetch_sub(1);
        idle_since = Clock::now();
    }
}

}  // namespace mfs
