#include "posewire/message_fields.hpp"

#include <algorithm>
#include <optional>

#include "wire_type.hpp"

namespace posewire {
namespace {

constexpr unsigned kMaxVarintBytes = 10;

struct Varint {
    std::uint64_t low = 0;
    /// Whether the ten bytes hold more than 64 bits, as they can hold 70.
    bool is_wide = false;
};

/// Reads a number and moves `at` behind it; none if it does not end within ten bytes or the
/// message.
std::optional<Varint> read_varint(std::string_view message, std::size_t& at) {
    Varint value;
    for (unsigned i = 0; i < kMaxVarintBytes && at < message.size(); ++i) {
        const auto byte = static_cast<unsigned char>(message[at++]);
        const std::uint64_t bits = byte & 0x7FU;
        value.low |= bits << (7 * i);
        value.is_wide = i + 1 == kMaxVarintBytes && bits > 1;
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

const MessageKind* find(const MessageKind& kind, const Varint& key) {
    if (key.is_wide) return nullptr;
    for (const MessageKind& each : kind.submessages) {
        if (each.field == key.low >> 3) return &each;
    }
    return nullptr;
}

struct Part {
    std::size_t begin;
    std::size_t end;
    const MessageKind* kind;
};

}  // namespace

bool has_at_most(std::size_t count, std::string_view message, const MessageKind& kind) {
    std::vector<Part> parts = {{0, message.size(), &kind}};
    while (!parts.empty()) {
        const Part part = parts.back();
        parts.pop_back();
        std::size_t at = part.begin;
        while (at < part.end) {
            if (count == 0) return false;
            --count;
            const std::optional<Varint> key = read_varint(message, at);
            if (!key) return false;
            const auto skip = [&, last = message.size()](std::uint64_t size) {
                at += static_cast<std::size_t>(std::min<std::uint64_t>(size, last - at));
            };
            switch (key->low & 7) {
                case kBytes: {
                    const std::optional<Varint> size = read_varint(message, at);
                    if (!size) return false;
                    const std::size_t begin = at;
                    skip(size->is_wide ? message.size() : size->low);
                    if (const MessageKind* inner = find(*part.kind, *key)) {
                        parts.push_back({begin, std::min(at, part.end), inner});
                    }
                    break;
                }
                case kVarint:
                    if (!read_varint(message, at)) return false;
                    break;
                case kFixed32:
                    skip(4);
                    break;
                case kFixed64:
                    skip(8);
                    break;
                case kStartGroup:
                case kEndGroup:
                    break;
                default:
                    return false;
            }
        }
    }
    return true;
}

}  // namespace posewire
