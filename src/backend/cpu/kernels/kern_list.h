/*
 * Every kernel of the CPU backend, one list per family (kernels of the same function type). A family's list makes the
 * declarations (kernels.h), fills the table (kernels_init.c) and registers the tests and benches (tests/kernels): a kernel's
 * name stands here and at its definition, nowhere else.
 *
 *     X(slot in struct gol_kernels, kernel, level)
 *
 * Rows of one processor family stand inside GOL_KERN_X86() or GOL_KERN_ARM(), which are empty on others. Within a list the levels rise, so that a later row overwrites an earlier one of the same slot. Every slot has a row of level
 * GOL_CPU_C. Kernels are named gol_<op>_<operands>_<isa>.
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_H
#define GOL_BACKEND_CPU_KERN_LIST_H

#if defined(__x86_64__)
#define GOL_KERN_X86(...) __VA_ARGS__
#else
#define GOL_KERN_X86(...)
#endif

#if defined(__aarch64__)
#define GOL_KERN_ARM(...) __VA_ARGS__
#else
#define GOL_KERN_ARM(...)
#endif

#include "backend/cpu/kernels/kern_list_attention.h"
#include "backend/cpu/kernels/kern_list_matmul.h"
#include "backend/cpu/kernels/kern_list_rows.h"
#include "backend/cpu/kernels/kern_list_ssm.h"
#include "backend/cpu/kernels/kern_list_unpack.h"

#endif
