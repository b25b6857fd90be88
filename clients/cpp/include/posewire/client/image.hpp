#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "posewire/client/status.hpp"
#include "posewire/v1/image.pb.h"

namespace posewire::client {

/// Returns the message for an image file in JPEG, PNG, WebP or BMP format. It takes the bytes over
/// and copies nothing. With APPLY, coordinates refer to the image as a viewer shows it, turned as
/// its EXIF metadata says; with IGNORE to the pixels as stored.
v1::Image encoded_image(std::string file_content,
                        v1::OrientationPolicy orientation = v1::ORIENTATION_POLICY_APPLY);

/// Reads an image file. An unreadable or empty one is INVALID_ARGUMENT with the reason
/// IMAGE_UNSUITABLE.
StatusOr<v1::Image> image_from_file(
    const std::string& path, v1::OrientationPolicy orientation = v1::ORIENTATION_POLICY_APPLY);

/// Pixels in the caller's memory, such as a cv::Mat or a camera's buffer.
struct Pixels {
    const void* data = nullptr;
    int width = 0;
    int height = 0;
    v1::PixelFormat format = v1::PIXEL_FORMAT_BGR8;
    /// From the start of one row to the start of the next; for NV12 and I420 that of the luma
    /// plane. 0: rows are not padded.
    std::size_t row_stride_bytes = 0;
};

/// Copies the pixels into the message, once and without the padding of their rows, so `data` can be
/// reused afterwards. Sizes that do not fit together are INVALID_ARGUMENT with the reason
/// IMAGE_UNSUITABLE.
StatusOr<v1::Image> raw_image(const Pixels& pixels);

/// An image of a stream and its capture time.
struct Frame {
    v1::Image image;
    /// On any monotonic clock. Tracking and smoothing use the times. Set them on all frames of a
    /// stream or on none.
    std::optional<std::chrono::nanoseconds> capture_time;
};

}  // namespace posewire::client
