#include "posewire/message_fields.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using posewire::has_at_most;
using posewire::MessageKind;

const MessageKind kKind = {0, {{2, {{3, {}}, {4, {{1, {}}}}}}, {1, {}}}};

/// In memory of exactly its size, so that a sanitizer sees each byte read beyond it.
bool fits(std::size_t count, std::string_view message) {
    const std::vector<char> exact(message.begin(), message.end());
    return has_at_most(count, std::string_view(exact.data(), exact.size()), kKind);
}

TEST(MessageFields, CountsThoseOfSubmessages) {
    const std::string message = {0x12, 0x06, 0x1a, 0x02, 0x08, 0x01, 0x08, 0x02};
    EXPECT_TRUE(fits(4, message));
    EXPECT_FALSE(fits(3, message));
    EXPECT_TRUE(fits(0, ""));
}

TEST(MessageFields, TakesAnyBytes) {
    std::mt19937 random(1);
    const std::string starts = "\x08\x09\x0a\x0b\x0c\x0d\x12\x1a\x22\x80\xff";
    for (int i = 0; i < 4000; ++i) {
        std::string message;
        for (std::size_t left = random() % 40; left > 0; --left) {
            const bool is_start = random() % 2 == 0;
            message += is_start ? starts[random() % starts.size()] : static_cast<char>(random());
        }
        bool has_fit = false;
        for (std::size_t count = 0; count <= message.size(); ++count) {
            const bool is_fit = fits(count, message);
            EXPECT_TRUE(is_fit || !has_fit);
            has_fit = is_fit;
        }
        EXPECT_EQ(has_fit, fits(std::numeric_limits<std::size_t>::max(), message));
    }
}

TEST(MessageFields, StopsAtTheCount) {
    std::string nested;
    for (int i = 0; i < 1'000'000; ++i) nested += std::string_view("\x12\x00", 2);
    EXPECT_FALSE(fits(256, nested));
}

}  // namespace
