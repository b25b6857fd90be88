#pragma once

#include <functional>
#include <iterator>
#include <memory>
#include <optional>

#include "posewire/client/image.hpp"
#include "posewire/client/outcome.hpp"

namespace posewire::client {

namespace internal {
class CallbackRunner;
class StreamRunner;
}  // namespace internal

/// A stream of frames: exactly one outcome per frame, in order. Movable. One thread may send while
/// another one receives; a single thread may do both if it sends no more than a window ahead.
///
/// At most a window of frames are in flight or have an outcome that was not received, and one more
/// waits to be sent. If the connection is lost or the server drains, the stream is opened again and
/// the frames without an outcome are resent. With LATEST a newer frame replaces the one that waits,
/// which takes no memory and still has its outcome, a skip.
class Stream {
public:
    class Iterator;

    explicit Stream(std::shared_ptr<internal::StreamRunner> runner);
    Stream(Stream&& other) noexcept;
    Stream& operator=(Stream&& other) noexcept;

    /// Cancels the stream unless it has ended.
    ~Stream();

    /// Adds the next frame. A lossless stream waits until it has room, at most `wait` (by default
    /// the stream's timeout): then the status is DEADLINE_EXCEEDED with the reason WAIT_EXPIRED,
    /// the frame is left as it was, and the stream goes on. With LATEST this never waits.
    ///
    /// Any other error means that the stream has ended; `receive` returns the remaining outcomes
    /// and the error of the stream.
    Status send(Frame&& frame, std::optional<Secs> wait = std::nullopt);

    /// Says that there are no more frames.
    void close_send();

    /// Returns the next outcome, nothing after the last one, or the error that ended the stream.
    ///
    /// While no frame is in flight this waits for another thread to send one, without a limit
    /// unless `wait` is set: then the status is DEADLINE_EXCEEDED with the reason WAIT_EXPIRED, and
    /// the stream goes on.
    StatusOr<std::optional<Outcome>> receive(std::optional<Secs> wait = std::nullopt);

    /// Ends the stream at once. Outcomes that have arrived can still be received.
    void cancel();

    /// Iterate over the outcomes: `for (StatusOr<Outcome>& outcome : stream)`. An error is the
    /// last.
    Iterator begin();
    Iterator end();

private:
    friend class CallbackStream;

    std::shared_ptr<internal::StreamRunner> runner_;
};

/// An input iterator over the outcomes of a stream.
class Stream::Iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = StatusOr<Outcome>;
    using difference_type = std::ptrdiff_t;
    using pointer = value_type*;
    using reference = value_type&;

    Iterator() = default;
    explicit Iterator(Stream* stream);

    reference operator*() { return *current_; }
    pointer operator->() { return &*current_; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return stream_ == other.stream_; }
    bool operator!=(const Iterator& other) const { return !(*this == other); }

private:
    void advance();

    Stream* stream_ = nullptr;  // null at the end
    std::optional<value_type> current_;
};

/// What a CallbackStream calls, in a thread of its own and one at a time.
struct StreamCallbacks {
    /// The next outcome, in order. While it runs, the window holds the frames back.
    std::function<void(Outcome)> on_outcome;
    /// The end, after the last outcome: OK, or the error that ended the stream. May be empty.
    std::function<void(const Status&)> on_end;
};

/// A stream that reports its outcomes to callbacks. Movable. The callbacks may send, cancel, and
/// destroy this object, but not call `finish`.
class CallbackStream {
public:
    CallbackStream(Stream stream, StreamCallbacks callbacks);
    CallbackStream(CallbackStream&& other) noexcept;
    CallbackStream& operator=(CallbackStream&& other) noexcept;

    /// Cancels the stream unless it has ended, and waits for a callback that runs, unless it is
    /// called from one.
    ~CallbackStream();

    /// As in Stream.
    Status send(Frame&& frame, std::optional<Secs> wait = std::nullopt);

    /// As in Stream.
    void close_send();

    /// Says that there are no more frames, waits for the last callback and returns the status of
    /// the stream.
    Status finish();

    /// As in Stream.
    void cancel();

private:
    std::shared_ptr<internal::CallbackRunner> runner_;
};

}  // namespace posewire::client
