#pragma once

#include <cmath>
#include <cstddef>

namespace posewire {

/// The tags of one plane: `length` floats per cell.
class Tags {
public:
    Tags(const float* plane, int length)
        : plane_(plane), length_(static_cast<std::size_t>(length)) {}

    const float* operator[](std::size_t cell) const { return plane_ + cell * length_; }

    bool finite(std::size_t cell) const {
        const float* tag = (*this)[cell];
        for (std::size_t i = 0; i < length_; ++i) {
            if (!std::isfinite(tag[i])) return false;
        }
        return true;
    }

    std::size_t length() const { return length_; }

private:
    const float* plane_;
    std::size_t length_;
};

/// Euclidean distance of two tags.
inline float tag_distance(const float* a, const float* b, std::size_t length) {
    if (length == 1) return std::fabs(a[0] - b[0]);
    float sum = 0.0F;
    for (std::size_t i = 0; i < length; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

}  // namespace posewire
