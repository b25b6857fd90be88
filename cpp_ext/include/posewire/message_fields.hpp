#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace posewire {

/// A kind of protobuf message: which of its fields are messages themselves.
struct MessageKind {
    /// The number of the field that holds it; unused in the outermost kind.
    std::uint64_t field = 0;
    std::vector<MessageKind> submessages;
};

/// Whether a serialized message has at most `count` fields, with those of its submessages; false
/// for bytes that are not a message. Takes any bytes, in a time that grows with `count` and not
/// with the bytes.
bool has_at_most(std::size_t count, std::string_view message, const MessageKind& kind);

}  // namespace posewire
