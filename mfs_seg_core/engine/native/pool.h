// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// A pool of threads for loops of short, independent units.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace mfs {

// Each thread has a share of the units of a loop, and takes them one by one; one that has finished
// its share takes from the shares of the others. So a thread mostly works on the rows that it wrote
// in the loop before, which are in the cache of its core, and a thread that lost its core delays
// one unit and not its share. Between the loops of a step the threads spin for some microseconds,
// then sleep.
class Pool {
public:
    using Unit = void (*)(void *context, int unit);

    explicit Pool(int threads);
    ~Pool();

    // Run units 0..count-1 on all threads; return when all are done.
    void run(int count, Unit unit, void *context);
    // Wake the threads for a run() that follows soon: that takes some tens of microseconds.
    void wake();
    int threads() const { return threads_; }

private:
    // Number of the loop in the upper half, units left to take in the lower: one exchange takes a
    // unit of the current loop and of no other. On a line of the cache of its own.
    struct alignas(64) Share {
        std::atomic<uint64_t> tickets{0};
    };

    void work(int thread);
    void notify();
    void leave_processor();
    bool take_all(int thread);
    bool take(int share);
    bool left() const;
    int first(int share) const { return static_cast<int>(int64_t(count_) * share / threads_); }

    const int threads_;
    const std::unique_ptr<Share[]> shares_;
    std::atomic<int> done_{0};
    int count_ = 0;
    Unit unit_ = nullptr;
    void *context_ = nullptr;

    std::atomic<int> sleepers_{0};
    std::atomic<uint32_t> calls_{0};
    int processor_ = -1;  // of the caller that last woke the threads
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::thread> workers_;
};

}  // namespace mfs
