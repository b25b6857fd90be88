// Runs tests/clients/calls.yaml, which describes the calls: calls TABLE FOLDER SERVERS

#include <condition_variable>
#include <cstddef>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "outcome.hpp"
#include "posewire/client.hpp"
#include "table.hpp"

namespace posewire::client::calls {

namespace {

constexpr char kName[] = "cpp";

/// Asks the test to do something, and waits until it is done.
void ask(const std::string& what) {
    Document line;
    (*line.mutable_fields())["ask"].set_string_value(what);
    print(line);
    std::string done;
    if (!std::getline(std::cin, done)) {
        refuse("the test has ended before " + what);
    }
}

Document error_document(const Status& error) {
    const Document document = document_of(error);
    return document_with("error", &document);
}

/// Allows the sender of a paced stream one frame after the other.
class Pace {
public:
    void go_on() {
        const std::lock_guard lock(mutex_);
        ++allowed_;
        changed_.notify_all();
    }

    void finish() {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
        changed_.notify_all();
    }

    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return allowed_ > 0 || is_over_; });
        --allowed_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int allowed_ = 0;
    bool is_over_ = false;
};

class Caller {
public:
    Caller(const YAML::Node& call, std::string folder, const std::string& target)
        : call_(call),
          folder_(std::move(folder)),
          client_(target, client_options(call, folder_)),
          ask_(call["ask"] ? call["ask"]["what"].as<std::string>() : ""),
          ask_after_outcomes_(call["ask"] ? call["ask"]["after_outcomes"].as<std::size_t>(0) : 0),
          asks_after_frames_(call["ask"] && call["ask"]["after_frames"].as<bool>(false)) {}

    Document run() {
        const auto kind = call_["call"].as<std::string>("estimate");
        if (kind == "models") {
            const auto response = client_.models();
            return response ? document_of({response->models().begin(), response->models().end()})
                            : error_document(response.status());
        }
        if (kind == "model") {
            const auto model = client_.model(call_["model"].as<std::string>(""));
            return model ? document_of(std::vector{*model}) : error_document(model.status());
        }
        if (kind == "stream") {
            return run_stream();
        }
        if (kind != "estimate") {
            refuse("unknown call: " + kind);
        }
        return estimate();
    }

private:
    Document estimate() {
        auto image = image_of(call_["image"], folder_);
        if (!image) {
            return error_document(image.status());
        }
        v1::EstimatePosesRequest request;
        *request.mutable_image() = *std::move(image);
        request.set_model(call_["model"].as<std::string>(""));
        if (call_["options"]) {
            *request.mutable_options() = estimate_options(call_["options"]);
        }
        if (!ask_.empty()) {
            ask(ask_);
        }
        std::thread closer;
        if (call_["close_when_called"].as<bool>(false)) {
            closer = std::thread([this] {
                ask("wait until called");
                client_.close();
            });
        }
        auto response = client_.estimate(request);
        if (closer.joinable()) {
            closer.join();
        }
        return response ? document_of(*std::move(response)) : error_document(response.status());
    }

    Document run_stream() {
        Stream stream = client_.stream(stream_config(call_));
        std::vector<Document> outcomes;
        std::optional<Document> end;
        std::thread sender([&] { send_frames(stream); });
        for (StatusOr<Outcome>& outcome : stream) {
            if (!outcome) {
                end = document_of(outcome.status());
                break;
            }
            outcomes.push_back(document_of(*outcome));
            act_after(outcomes.size(), stream);
            pace_.go_on();
        }
        pace_.finish();
        sender.join();
        Document document = document_with("end", end ? &*end : nullptr);
        auto& list = *(*document.mutable_fields())["outcomes"].mutable_list_value();
        for (Document& each : outcomes) {
            *list.add_values()->mutable_struct_value() = std::move(each);
        }
        return document;
    }

    void act_after(std::size_t outcomes, Stream& stream) {
        if (outcomes == ask_after_outcomes_) {
            ask(ask_);
        }
        if (outcomes == cancel_after_outcomes_) {
            stream.cancel();
        }
        if (outcomes == close_after_outcomes_) {
            client_.close();
        }
    }

    /// Errors of the stream come with its outcomes.
    void send_frames(Stream& stream) {
        bool is_first = true;
        for (const YAML::Node& spec : frames_) {
            if (is_paced_ && !std::exchange(is_first, false)) {
                pace_.wait();
            }
            auto image = image_of(spec, folder_);
            if (!image) {
                refuse(image.status().to_string());
            }
            if (!stream.send({*std::move(image), std::nullopt}).ok()) {
                return;
            }
        }
        if (asks_after_frames_) {
            ask(ask_);
        }
        stream.close_send();
    }

    const YAML::Node call_;
    const std::string folder_;
    const Client client_;
    const std::string ask_;
    const std::size_t ask_after_outcomes_;
    const bool asks_after_frames_;
    const std::size_t cancel_after_outcomes_ = call_["cancel_after_outcomes"].as<std::size_t>(0);
    const std::size_t close_after_outcomes_ = call_["close_after_outcomes"].as<std::size_t>(0);
    const bool is_paced_ = call_["paced"].as<bool>(false);
    const std::vector<YAML::Node> frames_ =
        call_["frames"] ? call_["frames"].as<std::vector<YAML::Node>>() : std::vector<YAML::Node>();
    Pace pace_;
};

}  // namespace

int run(const std::string& table, const std::string& folder, const std::string& servers) {
    const YAML::Node targets = YAML::LoadFile(servers);
    for (const YAML::Node& call : read_calls(table)) {
        if (contains(call["without"], kName)) {
            continue;
        }
        const auto server = call["server"].as<std::string>("real");
        const Document outcome = Caller(call, folder, targets[server].as<std::string>()).run();
        Document line = document_with("outcome", &outcome);
        (*line.mutable_fields())["call"].set_string_value(call["name"].as<std::string>());
        print(line);
    }
    return 0;
}

}  // namespace posewire::client::calls

int main(int count, char** arguments) {
    if (count != 4) {
        posewire::client::calls::refuse("usage: calls TABLE FOLDER SERVERS");
    }
    return posewire::client::calls::run(arguments[1], arguments[2], arguments[3]);
}
