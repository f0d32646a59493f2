/*
 * Peak loop of its twin in the encoding of AVX-512.
 */
#define VPDPBUSD  "%{evex%} vpdpbusd"
#define PEAK_INT8 peak_int8_evexvnni

#include "peak_vnni256.inc"
