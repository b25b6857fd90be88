// The build gives this file the compiler flags of its instruction set, where there is one.
#if defined(__AVX2__)
#define POSEWIRE_KERNELS avx2_kernels
#include "kernels.inl"
#endif
