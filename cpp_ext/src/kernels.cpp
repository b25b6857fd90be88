#include "kernels.hpp"

namespace posewire {

extern const Kernels baseline_kernels;
#if defined(POSEWIRE_X86_KERNELS)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

namespace {

const Kernels& choose() {
#if defined(POSEWIRE_X86_KERNELS)
    if (__builtin_cpu_supports("avx512f")) return avx512_kernels;
    if (__builtin_cpu_supports("avx2")) return avx2_kernels;
#endif
    return baseline_kernels;
}

}  // namespace

const Kernels& kernels() {
    static const Kernels& chosen = choose();
    return chosen;
}

}  // namespace posewire
