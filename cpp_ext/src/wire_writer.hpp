#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "wire_type.hpp"

namespace posewire {

inline void put_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
    out.push_back(static_cast<char>(value));
}

inline void put_key(std::string& out, unsigned field, WireType type) {
    put_varint(out, (std::uint64_t{field} << 3) | type);
}

/// Leaves out 0, as protobuf does.
inline void put_number(std::string& out, unsigned field, std::uint64_t value) {
    if (value == 0) return;
    put_key(out, field, kVarint);
    put_varint(out, value);
}

/// Leaves out 0, as protobuf does, but not -0.
inline void put_float(std::string& out, unsigned field, float value) {
    std::uint32_t bits = 0;
    static_assert(sizeof bits == sizeof value);
    std::memcpy(&bits, &value, sizeof bits);
    if (bits == 0) return;
    put_key(out, field, kFixed32);
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>((bits >> shift) & 0xFF));
    }
}

/// Writes a message, even an empty one.
inline void put_message(std::string& out, unsigned field, std::string_view message) {
    put_key(out, field, kBytes);
    put_varint(out, message.size());
    out += message;
}

}  // namespace posewire
