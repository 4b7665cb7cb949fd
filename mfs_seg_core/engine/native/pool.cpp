// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
#include "pool.h"

#include <chrono>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace mfs {
namespace {

// Longer than the pause between two loops of a step, much shorter than that between two steps.
constexpr std::chrono::microseconds SPIN{60};
// Longer than from wake() to run().
constexpr std::chrono::microseconds CALL{200};
constexpr uint64_t LEFT = 0xffffffffu;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

Pool::Pool(int threads) : threads_(threads), shares_(new Share[threads]) {
    for (int thread = 1; thread < threads; ++thread)
        workers_.emplace_back(&Pool::work, this, thread);
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
    if (threads_ == 1 || count < 2) {
        for (int i = 0; i < count; ++i) unit(context, i);
        return;
    }
    count_ = count;
    unit_ = unit;
    context_ = context;
    done_.store(0, std::memory_order_relaxed);
    const uint64_t loop = (shares_[0].tickets.load(std::memory_order_relaxed) >> 32) + 1;
    for (int share = threads_ - 1; share >= 0; --share)
        shares_[share].tickets.store(loop << 32 |
                                     static_cast<uint32_t>(first(share + 1) - first(share)));
    notify();
    take_all(0);
    for (int turn = 0; done_.load(std::memory_order_acquire) < count; ++turn) {
        if (turn < 2000)
            pause();
        else
            std::this_thread::yield();
    }
}

void Pool::wake() {
    calls_.fetch_add(1);
    notify();
}

void Pool::notify() {
    if (sleepers_.load() == 0) return;
    leave_processor();
    // A thread that has found nothing to do waits before the mutex is free, and misses no call.
    { std::lock_guard<std::mutex> lock(mutex_); }
    wake_.notify_all();
}

// Keep the other threads off the processor of the caller. Linux may wake them on it, and takes some
// milliseconds to move them, which is longer than a step.
void Pool::leave_processor() {
#if defined(__linux__)
    const int processor = sched_getcpu();
    if (processor == processor_) return;
    processor_ = processor;
    cpu_set_t others;
    if (sched_getaffinity(0, sizeof others, &others) != 0) return;
    if (processor >= 0 && processor < CPU_SETSIZE && CPU_COUNT(&others) > 1)
        CPU_CLR(processor, &others);
    for (auto &worker : workers_)
        pthread_setaffinity_np(worker.native_handle(), sizeof others, &others);
#endif
}

// Take units until none is left, first those of the thread's own share; return whether there were.
bool Pool::take_all(int thread) {
    int taken = 0;
    for (int i = 0; i < threads_; ++i)
        while (take((thread + i) % threads_)) ++taken;
    // The loop cannot end before this.
    if (taken) done_.fetch_add(taken, std::memory_order_release);
    return taken > 0;
}

bool Pool::take(int share) {
    std::atomic<uint64_t> &tickets = shares_[share].tickets;
    uint64_t ticket = tickets.load(std::memory_order_acquire);
    do {
        if ((ticket & LEFT) == 0) return false;
    } while (!tickets.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel));
    // The loop cannot end before this unit is done, so its fields stay as they are.
    unit_(context_, first(share + 1) - static_cast<int>(ticket & LEFT));
    return true;
}

bool Pool::left() const {
    for (int share = 0; share < threads_; ++share)
        if (shares_[share].tickets.load() & LEFT) return true;
    return false;
}

void Pool::work(int thread) {
    using Clock = std::chrono::steady_clock;
    auto sleep_at = Clock::now() + SPIN;
    uint32_t calls = calls_.load();
    while (!stop_.load(std::memory_order_relaxed)) {
        if (take_all(thread)) {
            sleep_at = Clock::now() + SPIN;
            continue;
        }
        pause();
        if (Clock::now() < sleep_at) continue;
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1);
        // run() publishes its units, and wake() its call, before they read the sleepers: one of
        // both is seen here.
        wake_.wait(lock, [&] { return stop_.load() || left() || calls_.load() != calls; });
        sleepers_.fetch_sub(1);
        calls = calls_.load();
        sleep_at = Clock::now() + CALL;
    }
}

}  // namespace mfs
