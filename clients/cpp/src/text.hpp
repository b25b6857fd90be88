#pragma once

#include <sstream>
#include <string>

#include "posewire/client/status.hpp"

namespace posewire::client::internal {

/// Returns a time for messages, such as "30 s" or "0.5 s".
inline std::string text(Secs secs) {
    std::ostringstream stream;
    stream << secs.count() << " s";
    return stream.str();
}

}  // namespace posewire::client::internal
