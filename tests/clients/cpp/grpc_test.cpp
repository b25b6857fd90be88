// What only a real connection has: addresses, tokens, messages of any size, lost servers.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "grpc_server.hpp"
#include "posewire/client/grpc_connection.hpp"
#include "server_test.hpp"

namespace posewire::client::testing {

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

/// A port that accepts connections and answers nothing.
class BlackHole {
public:
    BlackHole() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof(address);
        EXPECT_EQ(::bind(socket_, generic, size), 0);
        EXPECT_EQ(::listen(socket_, 8), 0);
        EXPECT_EQ(::getsockname(socket_, generic, &size), 0);
        port_ = ntohs(address.sin_port);
    }
    BlackHole(const BlackHole&) = delete;
    BlackHole& operator=(const BlackHole&) = delete;
    ~BlackHole() { ::close(socket_); }

    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
    int socket_;
    int port_ = 0;
};

Options with_timeout(Secs timeout) {
    Options options;
    options.timeout = timeout;
    return options;
}

google::rpc::Status answer(const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) {
    return ok();
}

}  // namespace

TEST(GrpcTest, DescribesModels) {
    GrpcServer server;
    const Client client(server.address());
    const auto models = client.models();
    ASSERT_TRUE(models.ok()) << models.status().to_string();
    EXPECT_EQ(models->default_model(), "demo");
    EXPECT_EQ(client.model()->name(), "demo");
    const Status status = client.model("other").status();
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_EQ(status.reason(), "MODEL_NOT_FOUND");
}

TEST(GrpcTest, ACallEndsAtItsDeadline) {
    GrpcServer server;
    Event release;
    server.add([=](const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) {
        release.wait();
        return ok();
    });
    const Client client(server.address(), with_timeout(100ms));
    EXPECT_EQ(client.estimate(encoded_image("x")).status().code(), StatusCode::kDeadlineExceeded);
    release.set();
}

TEST(GrpcTest, CallsToABlackHoleEndAtTheirDeadline) {
    const BlackHole hole;
    const Client client(hole.address(), with_timeout(200ms));
    EXPECT_EQ(client.models().status().code(), StatusCode::kDeadlineExceeded);
    Stream stream = client.stream();
    ASSERT_TRUE(stream.send(frame()).ok());
    EXPECT_EQ(stream.receive().status().code(), StatusCode::kDeadlineExceeded);
}

TEST(GrpcTest, ClosingEndsACallInProgress) {
    GrpcServer server;
    Event reached;
    Event release;
    server.add([=](const v1::EstimatePosesRequest&, v1::EstimatePosesResponse&) {
        reached.set();
        release.wait();
        return ok();
    });
    const Client client(server.address());
    std::thread closer([&] {
        reached.wait();
        client.close();
    });
    EXPECT_EQ(client.estimate(encoded_image("x")).status().reason(), reason::kClientClosed);
    release.set();
    closer.join();
}

TEST(GrpcTest, SendsALargeImageAndItsToken) {
    GrpcServer server;
    server.add(answer);
    Options options;
    options.token = "secret";
    options.allow_token_without_tls = true;
    const Client client(server.address(), options);
    ASSERT_TRUE(client.estimate(encoded_image(std::string(8 << 20, 'x'))).ok());
    EXPECT_EQ(server.tokens(), std::vector<std::string>{"Bearer secret"});
}

TEST(GrpcTest, DoesNotSendATokenWithoutEncryption) {
    GrpcServer server;
    server.add(answer);
    const Client client(server.address());
    CallOptions options;
    options.token = "secret";
    const Status status = client.estimate(encoded_image("x"), options).status();
    EXPECT_EQ(status.reason(), reason::kOptionInvalid);
    EXPECT_NE(status.message().find("without encryption"), std::string::npos);
    Stream stream = client.stream({}, options);
    EXPECT_EQ(stream.receive().status().reason(), reason::kOptionInvalid);
    EXPECT_TRUE(server.tokens().empty());
}

TEST(GrpcTest, ABadTargetFailsEveryCall) {
    const Client client("localhost");
    EXPECT_EQ(client.models().status().reason(), reason::kOptionInvalid);
    Stream stream = client.stream();
    EXPECT_EQ(stream.receive().status().reason(), reason::kOptionInvalid);
}

TEST(GrpcTest, RefusesHalfAnIdentity) {
    Options options;
    options.tls.emplace();
    options.tls->private_key = "key";
    EXPECT_EQ(Client("127.0.0.1:1", options).models().status().reason(), reason::kOptionInvalid);
}

TEST(GrpcTest, AServerWithoutTlsIsUnavailableToAClientWithIt) {
    GrpcServer server;
    Options options;
    options.tls.emplace();
    options.retry_for = 0s;
    EXPECT_EQ(Client(server.address(), options).models().status().code(), StatusCode::kUnavailable);
}

TEST(GrpcTest, UsesAChannelOfTheCaller) {
    GrpcServer server;
    const Client client(
        make_connection(grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials())));
    EXPECT_TRUE(client.models().ok());
}

TEST(GrpcTest, AStreamSurvivesAServerThatIsKilledAndRestarted) {
    GrpcServer server;
    Event in_flight;
    server.add([=](ServerCall& call) {
        start(call, 2);
        receive_frame(call);
        call.send(result_for(1));
        receive_frame(call);
        receive_frame(call);
        in_flight.set();
        call.wait_until_cancelled();
        return ok();
    });
    server.add([](ServerCall& call) {
        start(call, 2);
        EXPECT_EQ(answer_all(call), (std::vector<std::uint64_t>{2, 3, 4}));
        return ok();
    });
    const Client client(server.address());
    Stream stream = client.stream();
    std::thread sender([&] {
        for (int count = 0; count < 4; ++count) {
            EXPECT_TRUE(stream.send(frame()).ok());
        }
        stream.close_send();
    });
    const auto first = stream.receive();
    ASSERT_TRUE(first.ok() && first->has_value());
    in_flight.wait();
    server.kill();
    server.restart();
    for (std::uint64_t number = 2; number <= 4; ++number) {
        const auto outcome = stream.receive();
        ASSERT_TRUE(outcome.ok() && outcome->has_value()) << outcome.status().to_string();
        EXPECT_EQ((*outcome)->frame_id, number);
        EXPECT_NE((*outcome)->result(), nullptr);
    }
    sender.join();
    EXPECT_FALSE(stream.receive()->has_value());
}

TEST(GrpcTest, ACallSurvivesAServerThatIsRestarted) {
    GrpcServer server;
    server.add(answer);
    const Client client(server.address());
    ASSERT_TRUE(client.models().ok());
    server.kill();
    std::thread starter([&] {
        std::this_thread::sleep_for(300ms);
        server.restart();
    });
    EXPECT_TRUE(client.estimate(encoded_image("x")).ok());
    starter.join();
}

}  // namespace posewire::client::testing
