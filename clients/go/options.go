package posewire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	defaultTimeout  = 30 * time.Second
	defaultRetryFor = 30 * time.Second

	// Enough for 40 000 people at 0.4 kB each.
	maxReceiveBytes = 16 << 20

	// gRPC retries a call that the server never saw, for example because the connection was
	// closing, but only up to this request size. The default of 256 KiB excludes most images.
	retryBufferBytes = 32 << 20

	// Notice a frozen server or a cut cable 10 to 21 seconds later; gRPC for Go pings at most every
	// 10 seconds. The timeout leaves time for the image that is ahead of a ping on a slow link.
	pingAfter   = 11 * time.Second
	pingTimeout = 10 * time.Second
)

// An Option is a setting of a client.
type Option func(*settings)

type settings struct {
	conn        grpc.ClientConnInterface
	tls         *tls.Config
	token       string
	dialOptions []grpc.DialOption
	timeout     time.Duration
	retryFor    time.Duration
	onWait      func(*Waiting)
}

// WithConn makes the client use a connection of yours, which it does not close. The target is then
// empty, and options of the connection have no place.
func WithConn(conn grpc.ClientConnInterface) Option {
	return func(s *settings) { s.conn = conn }
}

// WithTLS encrypts the connection. A zero config trusts the system's certificate authorities.
// Without this option the connection is not encrypted.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) { s.tls = config }
}

// WithToken sends a bearer token with every call. It requires WithTLS.
func WithToken(token string) Option {
	return func(s *settings) { s.token = token }
}

// WithDialOptions passes options to gRPC, such as interceptors. They replace those of the client.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dialOptions = append(s.dialOptions, options...) }
}

// WithTimeout sets how long to wait for the server; 30 seconds by default. It is the deadline of a
// call, connecting and all retries included; an earlier deadline of the context takes precedence.
// For a stream it bounds each wait for the server, and not the whole:
//
//   - for the stream to start, each time it is opened, connecting included;
//   - for the next outcome while frames are in flight, counted from the previous message of the
//     server, or from sending a frame if none was in flight;
//   - for the end of the stream after the last outcome.
//
// The time during which the caller sends no frame does not count. A wait that is too long is an
// [*Error] with the code DeadlineExceeded, except that a stream which is reopened after a loss is
// opened again until the time of [WithRetryFor] is over.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.timeout = timeout }
}

// WithRetryFor sets how long transient errors are retried: an unavailable, busy or draining server,
// or a lost connection. 30 seconds by default, 0 for no retries, or [Forever].
//
// The time counts from the first of several consecutive failures; a result or an outcome ends the
// count. The last error is returned when the time is over. Delays grow from 0.2 to 10 seconds, with
// jitter, and are at least what the server asks for.
func WithRetryFor(retryFor time.Duration) Option {
	return func(s *settings) { s.retryFor = retryFor }
}

// WithOnWait sets a function to call while calls wait for a server that is gone or busy: with a
// [Waiting] at each pause, and with nil once the server answers or the last of the calls has given
// up. Several calls that wait are reported as one.
//
// Its calls do not overlap. It runs in a goroutine that makes a call, so it should return at once;
// if it is slow, only the newest report follows. It may close the client, but not a [Stream]: cancel
// the context of that instead.
func WithOnWait(onWait func(*Waiting)) Option {
	return func(s *settings) { s.onWait = onWait }
}

// connect returns the connection to use and, if the client owns it, how to close it.
func (s *settings) connect(target string) (grpc.ClientConnInterface, func() error, error) {
	if s.conn != nil {
		if target != "" || s.tls != nil || s.token != "" || len(s.dialOptions) > 0 {
			return nil, nil, errors.New("posewire: WithConn excludes a target and options of the " +
				"connection; expected the one or the other")
		}
		return s.conn, func() error { return nil }, nil
	}
	if target == "" {
		return nil, nil, errors.New("posewire: the target is empty; expected an address such as " +
			`"localhost:50051", or WithConn`)
	}
	if err := checkTarget(target, len(s.dialOptions) > 0); err != nil {
		return nil, nil, err
	}
	if strings.HasPrefix(target, "[") {
		target = strings.ReplaceAll(target, "%", "%25") // of a zone: gRPC parses targets as URLs
	}
	conn, err := grpc.NewClient(target, s.allDialOptions()...)
	if err != nil {
		return nil, nil, fmt.Errorf("posewire: target %q: %w", target, err)
	}
	return conn, sync.OnceValue(conn.Close), nil
}

func (s *settings) allDialOptions() []grpc.DialOption {
	creds := insecure.NewCredentials()
	if s.tls != nil {
		creds = credentials.NewTLS(s.tls)
	}
	// The backoff of the contract. By default a connection waits up to two minutes before the next
	// attempt, and every call fails until then.
	reconnect := grpcbackoff.Config{
		BaseDelay: initialDelay, Multiplier: 2, Jitter: 0.2, MaxDelay: maxDelay,
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: reconnect, MinConnectTimeout: maxDelay,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingTimeout}),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxReceiveBytes),
			grpc.MaxRetryRPCBufferSize(retryBufferBytes),
		),
	}
	if s.token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearerToken(s.token)))
	}
	return append(options, s.dialOptions...)
}

// A bearerToken authenticates every call.
type bearerToken string

func (t bearerToken) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(t)}, nil
}

func (bearerToken) RequireTransportSecurity() bool { return true }

// A CallOption is a setting of one call.
type CallOption func(*callSettings)

type callSettings struct {
	model    string
	estimate EstimateOptions
	timeout  time.Duration
	grpc     []grpc.CallOption
}

// UseModel names the model; without it the server's default model is used.
func UseModel(name string) CallOption {
	return func(s *callSettings) { s.model = name }
}

// UseOptions sets the options of the estimate.
func UseOptions(options EstimateOptions) CallOption {
	return func(s *callSettings) { s.estimate = options }
}

// CallTimeout replaces the client's timeout, see [WithTimeout].
func CallTimeout(timeout time.Duration) CallOption {
	return func(s *callSettings) { s.timeout = timeout }
}

// GRPCCallOptions passes options to gRPC.
func GRPCCallOptions(options ...grpc.CallOption) CallOption {
	return func(s *callSettings) { s.grpc = append(s.grpc, options...) }
}
