/*
 * Peak loop of AVX-VNNI.
 */
#define VPDPBUSD  "%{vex%} vpdpbusd"
#define PEAK_INT8 peak_int8_avxvnni

#include "peak_vnni256.inc"
