// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// Runs a step that support/engine_replay.py has written to a file, with all kernels that this
// processor can run and one and three threads; prints a hash of state, mask and counters of each.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "program.h"

extern "C" {
const char *mfs_kernels(int32_t);
int32_t mfs_supported(int32_t);
int32_t mfs_taps(int32_t);
void mfs_run(int32_t, const mfs::Op *, int32_t, const mfs::Stream *, int32_t, const uint8_t *,
             const uint8_t *, int32_t, int64_t *);
}

namespace {

using Memory = std::vector<uint8_t>;

Memory read(FILE *file) {
    int64_t size = 0;
    if (std::fread(&size, sizeof size, 1, file) != 1) std::exit(2);
    Memory memory(size);
    if (size && std::fread(memory.data(), size, 1, file) != 1) std::exit(2);
    return memory;
}

uint64_t hash(uint64_t sum, const Memory &memory) {
    for (uint8_t byte : memory) sum = (sum ^ byte) * 1099511628211ull;
    return sum;
}

}  // namespace

int main(int, char **arguments) {
    FILE *file = std::fopen(arguments[1], "rb");
    if (!file) return 2;
    Memory ops_of[5], constants_of[5];
    for (int taps : {1, 2, 4}) {
        ops_of[taps] = read(file);
        constants_of[taps] = read(file);
    }
    const Memory tables = read(file), decays = read(file), state = read(file),
                 arena = read(file), mask = read(file), counters = read(file);
    Memory inputs[2] = {read(file), read(file)};
    std::fclose(file);
    for (int32_t kernels = 0; mfs_kernels(kernels); ++kernels) {
        if (!mfs_supported(kernels)) continue;
        const Memory &ops = ops_of[mfs_taps(kernels)], &constants = constants_of[mfs_taps(kernels)];
        for (int threads : {1, 3}) {
            // Of their exact sizes, so that a sanitizer finds access beyond them.
            Memory own_state = state, own_arena = arena, own_mask = mask, confidence = mask,
                   own_counters = counters;
            mfs::Stream stream{};
            stream.spaces[mfs::ARENA] = own_arena.data();
            stream.spaces[mfs::STATE] = own_state.data();
            stream.spaces[mfs::CAMERA] = inputs[0].data();
            stream.spaces[mfs::EVENTS] = inputs[1].data();
            stream.spaces[mfs::MASK] = own_mask.data();
            stream.spaces[mfs::CONFIDENCE] = confidence.data();
            stream.decays = reinterpret_cast<const float *>(decays.data());
            stream.counters = reinterpret_cast<int64_t *>(own_counters.data());
            for (int i = 0; i < 2; ++i) stream.present[i] = !inputs[i].empty();
            mfs_run(kernels, reinterpret_cast<const mfs::Op *>(ops.data()),
                    static_cast<int32_t>(ops.size() / sizeof(mfs::Op)), &stream, 1,
                    constants.data(), tables.data(), threads, nullptr);
            uint64_t sum = 14695981039346656037ull;
            for (const Memory *part : {&own_state, &own_mask, &confidence, &own_counters})
                sum = hash(sum, *part);
            std::printf("%s %016llx\n", mfs_kernels(kernels),
                        static_cast<unsigned long long>(sum));
        }
    }
    return 0;
}
