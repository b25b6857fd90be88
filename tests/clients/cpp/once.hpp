#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace posewire::client::testing {

/// A value that one thread sets and another waits for. Copies share it, so that a script may
/// outlive the test that waits.
template <typename T>
class Once {
public:
    void set(T value) const {
        const std::lock_guard lock(state_->mutex);
        state_->value = std::move(value);
        state_->changed.notify_all();
    }

    T get() const {
        std::unique_lock lock(state_->mutex);
        state_->changed.wait(lock, [this] { return state_->value.has_value(); });
        return *state_->value;
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::optional<T> value;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

class Event : private Once<bool> {
public:
    void set() const { Once::set(true); }
    void wait() const { get(); }
};

}  // namespace posewire::client::testing
