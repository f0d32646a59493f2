/*
 * Before a loop of constant length whose body works on an array of vectors: written out in full, so that the array lives in
 * registers.
 */
#ifndef GOL_BACKEND_CPU_UNROLL_H
#define GOL_BACKEND_CPU_UNROLL_H

#if defined(__clang__)
#define GOL_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GOL_UNROLL _Pragma("GCC unroll 32")
#endif

/* Inside a loop: elements are addressed by constant offsets from this pointer. Of a loop that is written out in full a compiler
 * may otherwise keep a pointer for every element, most of them on the stack. */
#define GOL_BASE_POINTER(p) __asm__("" : "+r"(p))

/* A vector of x86 is worked out here. A compiler may otherwise put additions off or join them in another order, and run out of
 * registers in loops that were written to fill them. */
#define GOL_SETTLE(v) __asm__("" : "+x"(v))

#endif
