#include "target.hpp"

#ifdef _WIN32
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#endif

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace posewire::client::internal {

namespace {

using std::string_view;

constexpr char kWanted[] =
    "HOST:PORT, [IPV6]:PORT or unix:PATH, or a gRPC target such as dns:///HOST:PORT or xds:///NAME";
constexpr int kMaxPort = 65535;
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxSocketPath = 107;  // bytes, of sockaddr_un on Linux

/// What is wrong with a text, or nothing.
using Fault = std::optional<std::string>;

// Not those of <cctype>, which depend on the locale.
bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_hexadecimal(char c) {
    return is_digit(c) || ('a' <= c && c <= 'f') || ('A' <= c && c <= 'F');
}
bool is_alphanumeric(char c) {
    return is_digit(c) || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z');
}
bool is_visible(char c) { return '!' <= c && c <= '~'; }
bool is_blank(char c) { return ('\0' <= c && c <= ' ') || c == '\x7f'; }
bool is_in_authority(char c) { return is_visible(c) && c != '/'; }
bool is_in_label(char c) { return is_alphanumeric(c) || c == '_' || c == '-'; }
// In others, gRPC would decode escapes or look for a query.
bool is_in_socket_path(char c) {
    return is_alphanumeric(c) || string_view("._~!$&'()*+,;=:@/-").find(c) != string_view::npos;
}

template <typename Predicate>
bool all(string_view text, Predicate is_good) {
    return std::all_of(text.begin(), text.end(), is_good);
}

bool starts_with(string_view text, string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

/// Returns the part before a separator and the part after it; nothing without a separator.
std::optional<std::pair<string_view, string_view>> cut(string_view text, string_view separator) {
    const auto at = text.find(separator);
    if (at == string_view::npos) {
        return std::nullopt;
    }
    return std::pair(text.substr(0, at), text.substr(at + separator.size()));
}

/// Returns the text in quotes, with escapes for control characters.
std::string quoted(string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string result = "'";
    for (const char c : text) {
        if (is_blank(c) && c != ' ') {
            const auto byte = static_cast<unsigned char>(c);
            result += {'\\', 'x', kDigits[byte / 16], kDigits[byte % 16]};
        } else {
            result += c;
        }
    }
    return result + "'";
}

bool is_ip(int family, string_view text) {
    std::array<unsigned char, 16> bytes;
    return inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

bool is_ipv6(string_view text) {
    const auto parts = cut(text, "%");
    if (!parts) {
        return is_ip(AF_INET6, text);
    }
    const auto& [address, zone] = *parts;
    return !zone.empty() && zone.find('%') == string_view::npos && is_ip(AF_INET6, address);
}

string_view without_last_dot(string_view name) {
    return !name.empty() && name.back() == '.' ? name.substr(0, name.size() - 1) : name;
}

/// Whether resolvers read the name as an IPv4 address: 127.1, 0x7f000001, 2130706433.
bool ends_in_number(string_view name) {
    name = without_last_dot(name);
    const string_view last = name.substr(name.rfind('.') + 1);  // all of it without a dot
    if (starts_with(last, "0x") || starts_with(last, "0X")) {
        return all(last.substr(2), is_hexadecimal);
    }
    return !last.empty() && all(last, is_digit);
}

bool is_label(string_view text) {
    return !text.empty() && text.size() <= kMaxLabel && all(text, is_in_label) &&
           text.front() != '-' && text.back() != '-';
}

bool is_host(string_view text) {
    if (ends_in_number(text)) {
        return is_ip(AF_INET, text);
    }
    if (text.size() > kMaxName) {
        return false;
    }
    string_view rest = without_last_dot(text);
    while (const auto parts = cut(rest, ".")) {
        if (!is_label(parts->first)) {
            return false;
        }
        rest = parts->second;
    }
    return is_label(rest);
}

Fault bad_port(string_view port) {
    return "with the bad port " + quoted(port) + ", which is not from 0 to " +
           std::to_string(kMaxPort);
}

Fault port_fault(string_view port) {
    const bool is_number = !port.empty() && port.size() <= 5 && all(port, is_digit) &&
                           (port.size() == 1 || port.front() != '0');
    if (!is_number || std::stoi(std::string(port)) > kMaxPort) {
        return bad_port(port);
    }
    return port == "0" ? Fault("with port 0") : std::nullopt;
}

Fault socket_fault(string_view path) {
    if (starts_with(path, "//")) {
        path.remove_prefix(2);
        if (!starts_with(path, "/")) {
            return "with a relative path after unix://";
        }
    }
    if (path.empty()) {
        return "without a path";
    }
    if (!all(path, is_in_socket_path)) {
        return "with characters in the path that gRPC cannot read";
    }
    if (path.size() > kMaxSocketPath) {
        return "with a path of more than " + std::to_string(kMaxSocketPath) + " bytes";
    }
    return std::nullopt;
}

Fault ipv6_address_fault(string_view text) {
    const auto parts = cut(text.substr(1), "]");
    if (!parts || !is_ipv6(parts->first)) {
        return "with a bad IPv6 address";
    }
    const string_view rest = parts->second;
    if (rest.empty()) {
        return "without a port";
    }
    return rest.front() == ':' ? port_fault(rest.substr(1)) : bad_port(rest);
}

/// Returns what is wrong with HOST:PORT or [IPV6]:PORT.
Fault address_fault(string_view text) {
    if (starts_with(text, "[")) {
        return ipv6_address_fault(text);
    }
    if (const auto parts = cut(text, "://")) {
        return "with the scheme " + quoted(parts->first);
    }
    const auto parts = cut(text, ":");
    if (parts && parts->second.find(':') != string_view::npos) {
        return "with several colons: an IPv6 address needs brackets";
    }
    const string_view host = parts ? parts->first : text;
    if (!is_host(host)) {
        return host.empty() ? "without a host" : "with the bad host " + quoted(host);
    }
    return parts ? port_fault(parts->second) : Fault("without a port");
}

/// Whether it is a target of gRPC without an address, such as xds:///NAME.
bool is_named(string_view target) {
    const auto url = cut(target, "://");
    if (url && (url->first == "xds" || url->first == "google-c2p")) {
        const auto parts = cut(url->second, "/");
        return parts && all(parts->first, is_in_authority) && !parts->second.empty() &&
               is_in_authority(parts->second.front()) && all(parts->second, is_visible);
    }
    if (const auto parts = cut(target, ":"); parts && parts->first == "unix-abstract") {
        return !parts->second.empty() && all(parts->second, is_visible);
    }
    if (const auto parts = cut(target, ":"); parts && parts->first == "vsock") {
        const auto numbers = cut(parts->second, ":");
        return numbers && !numbers->first.empty() && all(numbers->first, is_digit) &&
               !numbers->second.empty() && all(numbers->second, is_digit);
    }
    return false;
}

/// Returns the address in dns:ADDRESS or dns://AUTHORITY/ADDRESS.
std::optional<string_view> dns_address(string_view target) {
    if (!starts_with(target, "dns:")) {
        return std::nullopt;
    }
    string_view address = target.substr(4);
    if (starts_with(address, "//")) {
        const auto parts = cut(address.substr(2), "/");
        if (!parts || !all(parts->first, is_in_authority)) {
            return std::nullopt;
        }
        address = parts->second;
    }
    return !address.empty() && address.front() != '/' ? std::optional(address) : std::nullopt;
}

Fault target_fault(string_view target) {
    if (std::any_of(target.begin(), target.end(), is_blank)) {
        return "with a blank or a control character";
    }
    if (target.empty()) {
        return "";
    }
    if (is_named(target)) {
        return std::nullopt;
    }
    if (const auto address = dns_address(target)) {
        return address_fault(*address);
    }
    if (starts_with(target, "ipv4:") || starts_with(target, "ipv6:")) {
        string_view rest = target.substr(5);
        while (const auto parts = cut(rest, ",")) {
            if (Fault fault = address_fault(parts->first)) {
                return fault;
            }
            rest = parts->second;
        }
        return address_fault(rest);
    }
    return starts_with(target, "unix:") ? socket_fault(target.substr(5)) : address_fault(target);
}

}  // namespace

Status check_target(const std::string& target) {
    const Fault fault = target_fault(target);
    if (!fault) {
        return Status();
    }
    ErrorDetails details;
    details.reason = reason::kOptionInvalid;
    return Status(StatusCode::kInvalidArgument,
                  "target: got " + quoted(target) + (fault->empty() ? "" : " ") + *fault +
                      ", want " + kWanted,
                  std::move(details));
}

}  // namespace posewire::client::internal
