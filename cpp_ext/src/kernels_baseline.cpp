#define POSEWIRE_KERNELS baseline_kernels
#include "kernels.inl"
