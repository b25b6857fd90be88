#include "posewire/client/image.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

namespace posewire::client {

namespace {

constexpr std::uint64_t kMaxRowBytes = INT32_MAX;

Status unsuitable(std::string message) {
    ErrorDetails details;
    details.reason = reason::kImageUnsuitable;
    return Status(StatusCode::kInvalidArgument, std::move(message), std::move(details));
}

bool is_planar(v1::PixelFormat format) {
    return format == v1::PIXEL_FORMAT_NV12 || format == v1::PIXEL_FORMAT_I420;
}

/// Returns the bytes of a pixel in the first plane; 0 for an unknown format.
std::uint64_t bytes_per_pixel(v1::PixelFormat format) {
    switch (format) {
        case v1::PIXEL_FORMAT_BGR8:
        case v1::PIXEL_FORMAT_RGB8:
            return 3;
        case v1::PIXEL_FORMAT_BGRA8:
        case v1::PIXEL_FORMAT_RGBA8:
            return 4;
        case v1::PIXEL_FORMAT_GRAY8:
        case v1::PIXEL_FORMAT_NV12:
        case v1::PIXEL_FORMAT_I420:
            return 1;
        default:
            return 0;
    }
}

std::string size_text(const Pixels& pixels) {
    return std::to_string(pixels.width) + " x " + std::to_string(pixels.height);
}

Status check(const Pixels& pixels, std::uint64_t row_bytes) {
    if (pixels.data == nullptr || pixels.width < 1 || pixels.height < 1) {
        return unsuitable("the image has " + size_text(pixels) +
                          " pixels; expected data and at least 1 x 1");
    }
    if (row_bytes == 0) {
        return unsuitable("the pixel format is " + std::to_string(pixels.format) +
                          "; expected a value of PixelFormat");
    }
    if (row_bytes > kMaxRowBytes) {
        return unsuitable("a row has " + std::to_string(row_bytes) + " bytes; at most " +
                          std::to_string(kMaxRowBytes) + " can be sent");
    }
    if (is_planar(pixels.format) &&
        (pixels.width % 2 != 0 || pixels.height % 2 != 0 || pixels.row_stride_bytes % 2 != 0)) {
        return unsuitable("the image has " + size_text(pixels) + " pixels and a row stride of " +
                          std::to_string(pixels.row_stride_bytes) +
                          "; NV12 and I420 need even numbers");
    }
    if (pixels.row_stride_bytes != 0 && pixels.row_stride_bytes < row_bytes) {
        return unsuitable("the row stride is " + std::to_string(pixels.row_stride_bytes) +
                          "; the pixels of a row take " + std::to_string(row_bytes) + " bytes");
    }
    return Status();
}

/// Appends rows without their padding and returns where they end.
const char* append_rows(std::string& data, const char* rows, std::size_t count, std::size_t bytes,
                        std::size_t stride) {
    if (bytes == stride) {
        data.append(rows, count * bytes);
    } else {
        for (std::size_t row = 0; row < count; ++row) {
            data.append(rows + row * stride, bytes);
        }
    }
    return rows + count * stride;
}

}  // namespace

v1::Image encoded_image(std::string file_content, v1::OrientationPolicy orientation) {
    v1::Image image;
    image.mutable_encoded()->set_data(std::move(file_content));
    image.mutable_encoded()->set_orientation_policy(orientation);
    return image;
}

StatusOr<v1::Image> image_from_file(const std::string& path, v1::OrientationPolicy orientation) {
    std::ifstream file(path, std::ios::binary);
    std::string content(std::istreambuf_iterator<char>(file), {});
    if (!file) {
        return unsuitable("cannot read " + path);
    }
    if (content.empty()) {
        return unsuitable("the file " + path + ": 0 bytes; expected a whole image file");
    }
    return encoded_image(std::move(content), orientation);
}

StatusOr<v1::Image> raw_image(const Pixels& pixels) {
    const std::uint64_t row_bytes = pixels.width < 1 ? 0
                                                     : static_cast<std::uint64_t>(pixels.width) *
                                                           bytes_per_pixel(pixels.format);
    if (const Status status = check(pixels, row_bytes); !status.ok()) {
        return status;
    }
    const std::size_t width = row_bytes;
    const std::size_t height = static_cast<std::size_t>(pixels.height);
    const std::size_t stride = pixels.row_stride_bytes == 0 ? width : pixels.row_stride_bytes;
    v1::Image image;
    v1::RawImage& raw = *image.mutable_raw();
    raw.set_width(static_cast<std::uint32_t>(pixels.width));
    raw.set_height(static_cast<std::uint32_t>(pixels.height));
    raw.set_pixel_format(pixels.format);
    std::string& data = *raw.mutable_data();
    data.reserve(is_planar(pixels.format) ? width * height / 2 * 3 : width * height);
    const char* rows = static_cast<const char*>(pixels.data);
    rows = append_rows(data, rows, height, width, stride);
    if (pixels.format == v1::PIXEL_FORMAT_NV12) {
        append_rows(data, rows, height / 2, width, stride);
    } else if (pixels.format == v1::PIXEL_FORMAT_I420) {
        append_rows(data, rows, height, width / 2, stride / 2);  // U, then V
    }
    return image;
}

}  // namespace posewire::client
