// Copyright 2026 The mfs_seg_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// Compile what lies between TARGET_BEGIN(...) and TARGET_END for a set of instructions, whatever
// the flags of the compiler: one call builds the files of all sets. No template or inline function
// of the standard library may be used between them: the linker could take its copy for all.
#pragma once

#define PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define TARGET_BEGIN(names) \
    PRAGMA(clang attribute push(__attribute__((target(names))), apply_to = function))
#define TARGET_END _Pragma("clang attribute pop")
#else
#define TARGET_BEGIN(names) _Pragma("GCC push_options") PRAGMA(GCC target(names))
#define TARGET_END _Pragma("GCC pop_options")
#endif
