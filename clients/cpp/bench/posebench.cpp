// Measures a stream to a posewire server: the time of a frame, and the client's CPU time for it.
//
//     posebench --server HOST:PORT [options] IMAGE
//
// With --echo it also measures a plain gRPC stream, without a client library, that carries the same
// bytes. `make bench-clients` compares all clients in this way.

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>

#include "calls.hpp"

namespace {

using namespace posewire::bench;
using posewire::client::Status;
using posewire::client::StatusCode;
using posewire::client::StatusOr;

constexpr char kUsage[] =
    "usage: posebench --server HOST:PORT [options] IMAGE\n"
    "  --echo HOST:PORT  a bare echo server to measure too\n"
    "  --frames NUMBER   frames to measure; default 200\n"
    "  --warm-up NUMBER  frames before them; default 20\n"
    "  --window NUMBER   maximum number of frames in flight; default 1\n"
    "  --rate NUMBER     maximum frames per second; by default as fast as the window allows\n"
    "  --json            print a JSON document\n";

struct Arguments {
    std::string server;
    std::string echo;
    std::string path;
    Plan plan;
    bool is_json = false;
};

template <typename Number>
bool parse(const std::string& text, Number& number) {
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end;
}

/// Sets the option of that name, if there is one.
bool set(Arguments& arguments, const std::string& name, const char* value) {
    if (name == "--server") {
        arguments.server = value;
    } else if (name == "--echo") {
        arguments.echo = value;
    } else if (name == "--frames") {
        return parse(value, arguments.plan.frames);
    } else if (name == "--warm-up") {
        return parse(value, arguments.plan.warm_up);
    } else if (name == "--window") {
        return parse(value, arguments.plan.window);
    } else if (name == "--rate") {
        return parse(value, arguments.plan.rate);
    } else {
        return false;
    }
    return true;
}

std::optional<Arguments> parse_arguments(char** texts) {
    Arguments arguments;
    while (*++texts != nullptr) {
        const std::string text = *texts;
        if (text == "--json") {
            arguments.is_json = true;
        } else if (text.rfind("--", 0) != 0 && arguments.path.empty()) {
            arguments.path = text;
        } else if (texts[1] == nullptr || !set(arguments, text, *++texts)) {
            return std::nullopt;
        }
    }
    if (arguments.server.empty() || arguments.path.empty()) {
        return std::nullopt;
    }
    return arguments;
}

StatusOr<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content(std::istreambuf_iterator<char>(file), {});
    if (!file || content.empty()) {
        return Status(StatusCode::kInvalidArgument, "cannot read an image from " + path);
    }
    return content;
}

Status run(const Arguments& arguments) {
    const Plan& plan = arguments.plan;
    const StatusOr<std::string> image = read_file(arguments.path);
    if (!image) {
        return image.status();
    }
    const StatusOr<Measurement> posewire = measure_posewire(arguments.server, *image, plan);
    if (!posewire) {
        return posewire.status();
    }
    std::optional<Measurement> echo;
    if (!arguments.echo.empty()) {
        const StatusOr<Measurement> found = measure_echo(arguments.echo, *image, plan);
        if (!found) {
            return Status(found.status().code(), "echo: " + found.status().message());
        }
        echo = *found;
    }
    if (arguments.is_json) {
        std::printf(R"({"client":"cpp","image_bytes":%zu,"window":%d,"posewire":%s)", image->size(),
                    plan.window, posewire->to_json().c_str());
        std::printf("%s}\n", echo ? (",\"echo\":" + echo->to_json()).c_str() : "");
    } else {
        std::printf("posewire: %s, p50 beyond the server's time %.3f ms\n",
                    posewire->to_text().c_str(), *posewire->beyond_server_p50_millis);
        std::printf("%s", echo ? ("bare echo: " + echo->to_text() + "\n").c_str() : "");
    }
    return Status();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
        std::fputs(kUsage, stdout);
        return 0;
    }
    const std::optional<Arguments> arguments = parse_arguments(argv);
    if (!arguments) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    if (const Status status = arguments->plan.check(); !status.ok()) {
        std::fprintf(stderr, "posebench: %s\n", status.message().c_str());
        return 2;
    }
    if (const Status status = run(*arguments); !status.ok()) {
        std::fprintf(stderr, "posebench: %s\n", status.to_string().c_str());
        return 1;
    }
    return 0;
}
