// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// A pool of threads for loops of short, independent units.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace mfs {

// Threads take units one by one, so a thread that lost its core delays one unit, not a share of
// the loop. Between the loops of a step the threads spin for some microseconds, then sleep.
class Pool {
public:
    using Unit = void (*)(void *context, int unit);

    explicit Pool(int threads);
    ~Pool();

    // Run units 0..count-1 on all threads; return when all are done.
    void run(int count, Unit unit, void *context);
    int threads() const { return static_cast<int>(workers_.size()) + 1; }

private:
    void work();
    bool take();

    // Number of the loop in the upper half, units left to take in the lower: one exchange takes a
    // unit of the current loop and of no other.
    std::atomic<uint64_t> tickets_{0};
    std::atomic<int> done_{0};
    int count_ = 0;
    Unit unit_ = nullptr;
    void *context_ = nullptr;

    std::atomic<int> sleepers_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::thread> workers_;
};

}  // namespace mfs
