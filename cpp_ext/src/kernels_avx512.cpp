// The build gives this file the compiler flags of its instruction set, where there is one.
#if defined(__AVX512F__)
#define POSEWIRE_KERNELS avx512_kernels
#include "kernels.inl"
#endif
