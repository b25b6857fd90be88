#include "posewire/client/stream.hpp"

#include <utility>

#include "callback_runner.hpp"
#include "stream_runner.hpp"

namespace posewire::client {

Stream::Stream(std::shared_ptr<internal::StreamRunner> runner) : runner_(std::move(runner)) {}
Stream::Stream(Stream&& other) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept = default;
Stream::~Stream() = default;

Status Stream::send(Frame&& frame, std::optional<Secs> wait) {
    return runner_->send(std::move(frame), wait);
}

void Stream::close_send() { runner_->close_send(); }

StatusOr<std::optional<Outcome>> Stream::receive(std::optional<Secs> wait) {
    return runner_->receive(wait);
}

void Stream::cancel() { runner_->cancel(); }

Stream::Iterator Stream::begin() { return Iterator(this); }

Stream::Iterator Stream::end() { return Iterator(); }

Stream::Iterator::Iterator(Stream* stream) : stream_(stream) { advance(); }

Stream::Iterator& Stream::Iterator::operator++() {
    if (current_->ok()) {
        advance();
    } else {
        stream_ = nullptr;
    }
    return *this;
}

void Stream::Iterator::advance() {
    auto received = stream_->receive();
    if (!received.ok()) {
        current_.emplace(received.status());
    } else if (received->has_value()) {
        current_.emplace(std::move(**received));
    } else {
        stream_ = nullptr;
    }
}

CallbackStream::CallbackStream(Stream stream, StreamCallbacks callbacks)
    : runner_(std::make_shared<internal::CallbackRunner>(std::move(stream.runner_),
                                                         std::move(callbacks))) {
    internal::CallbackRunner::start(runner_);
}

CallbackStream::CallbackStream(CallbackStream&& other) noexcept = default;

CallbackStream& CallbackStream::operator=(CallbackStream&& other) noexcept {
    std::swap(runner_, other.runner_);
    return *this;
}

CallbackStream::~CallbackStream() {
    if (runner_) {
        runner_->stop();
    }
}

Status CallbackStream::send(Frame&& frame, std::optional<Secs> wait) {
    return runner_->stream().send(std::move(frame), wait);
}

void CallbackStream::close_send() { runner_->stream().close_send(); }

Status CallbackStream::finish() {
    close_send();
    return runner_->wait_for_end();
}

void CallbackStream::cancel() { runner_->stream().cancel(); }

}  // namespace posewire::client
