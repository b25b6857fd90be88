#include "posewire/client/image.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

namespace posewire::client::testing {

namespace {

Pixels pixels(const std::string& data, int width, int height, v1::PixelFormat format,
              std::size_t stride = 0) {
    Pixels result;
    result.data = data.data();
    result.width = width;
    result.height = height;
    result.format = format;
    result.row_stride_bytes = stride;
    return result;
}

}  // namespace

TEST(ImageTest, PacksPaddedRows) {
    const std::string data = "abcdef__ghijkl__";
    const auto image = raw_image(pixels(data, 2, 2, v1::PIXEL_FORMAT_BGR8, 8));
    ASSERT_TRUE(image.ok()) << image.status().to_string();
    EXPECT_EQ(image->raw().data(), "abcdefghijkl");
    EXPECT_EQ(image->raw().width(), 2U);
    EXPECT_EQ(image->raw().height(), 2U);
    EXPECT_FALSE(image->raw().has_row_stride_bytes());
}

TEST(ImageTest, DoesNotReadThePaddingOfTheLastRow) {
    const std::string data = "ab__cd";  // a sanitizer reports a read behind it
    const auto copy = std::make_unique<char[]>(data.size());
    data.copy(copy.get(), data.size());
    Pixels view = pixels(data, 2, 2, v1::PIXEL_FORMAT_GRAY8, 4);
    view.data = copy.get();
    EXPECT_EQ(raw_image(view)->raw().data(), "abcd");
}

TEST(ImageTest, PacksThePlanesOfNv12) {
    const std::string data = "YYYY__YYYY__UVUV__";
    const auto image = raw_image(pixels(data, 4, 2, v1::PIXEL_FORMAT_NV12, 6));
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(image->raw().data(), "YYYYYYYYUVUV");
}

TEST(ImageTest, PacksThePlanesOfI420) {
    const std::string data = "YYYY__YYYY__UU_VV_";
    const auto image = raw_image(pixels(data, 4, 2, v1::PIXEL_FORMAT_I420, 6));
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(image->raw().data(), "YYYYYYYYUUVV");
}

TEST(ImageTest, CopiesRowsWithoutPaddingAsTheyAre) {
    const std::string data = "YYYYYYYYUVUV";
    EXPECT_EQ(raw_image(pixels(data, 4, 2, v1::PIXEL_FORMAT_NV12))->raw().data(), data);
    EXPECT_EQ(raw_image(pixels(data, 1, 3, v1::PIXEL_FORMAT_RGBA8, 4))->raw().data(), data);
}

TEST(ImageTest, RefusesSizesThatDoNotFit) {
    const std::string data(64, 'x');
    for (const Pixels& bad : {
             Pixels(),
             pixels(data, 0, 2, v1::PIXEL_FORMAT_GRAY8),
             pixels(data, -4, 2, v1::PIXEL_FORMAT_GRAY8),
             pixels(data, 2, 0, v1::PIXEL_FORMAT_GRAY8),
             pixels(data, 4, 2, v1::PIXEL_FORMAT_BGR8, 11),
             pixels(data, 3, 2, v1::PIXEL_FORMAT_NV12),
             pixels(data, 2, 3, v1::PIXEL_FORMAT_I420),
             pixels(data, 2, 2, v1::PIXEL_FORMAT_I420, 3),
             pixels(data, 2, 2, v1::PIXEL_FORMAT_UNSPECIFIED),
             pixels(data, 1 << 30, 2, v1::PIXEL_FORMAT_RGBA8),
         }) {
        const Status status = raw_image(bad).status();
        EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
        EXPECT_EQ(status.reason(), reason::kImageUnsuitable);
    }
}

TEST(ImageTest, TakesTheContentOfAFileOver) {
    std::string content(1 << 16, 'x');
    const char* const bytes = content.data();
    EXPECT_EQ(encoded_image(std::move(content)).encoded().data().data(), bytes);
}

TEST(ImageTest, AppliesTheOrientationOfFilesUnlessToldOtherwise) {
    EXPECT_EQ(encoded_image("x").encoded().orientation_policy(), v1::ORIENTATION_POLICY_APPLY);
    EXPECT_EQ(encoded_image("x", v1::ORIENTATION_POLICY_IGNORE).encoded().orientation_policy(),
              v1::ORIENTATION_POLICY_IGNORE);
}

TEST(ImageTest, ReadsAFile) {
    const std::string path = ::testing::TempDir() + "posewire_image_test_" +
                             std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
                             std::to_string(reinterpret_cast<std::uintptr_t>(&path));
    std::ofstream(path) << "jpeg";
    EXPECT_EQ(image_from_file(path)->encoded().data(), "jpeg");
    std::ofstream(path, std::ios::trunc).close();
    EXPECT_NE(image_from_file(path).status().message().find("0 bytes"), std::string::npos);
    std::remove(path.c_str());
    const Status status = image_from_file(path).status();
    EXPECT_EQ(status.reason(), reason::kImageUnsuitable);
    EXPECT_NE(status.message().find(path), std::string::npos);
}

}  // namespace posewire::client::testing
