#pragma once

namespace posewire {

/// How the value of a protobuf field is encoded: the low three bits of its key.
enum WireType : unsigned {
    kVarint = 0,
    kFixed64 = 1,
    kBytes = 2,
    kStartGroup = 3,
    kEndGroup = 4,
    kFixed32 = 5,
};

}  // namespace posewire
