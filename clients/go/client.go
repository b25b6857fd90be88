package posewire

import (
	"context"
	"math/rand/v2"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
)

// A Client calls a posewire server. It is safe for use by several goroutines. Close it after use.
type Client struct {
	conn      grpc.ClientConnInterface
	service   posewirev1.PoseServiceClient
	closeConn func() error
	timeout   time.Duration
	retryFor  time.Duration
	waits     *waitReporter
	closing   context.Context // done once the client is closed
	close     context.CancelFunc
}

// NewClient returns a client of the server at target, which is HOST:PORT, [IPV6]:PORT, unix:PATH or a
// gRPC target such as dns:///HOST:PORT. It connects at the first call.
//
// A port is required. Schemes other than dns and unix need a resolver that is registered with gRPC or
// given by [WithDialOptions].
func NewClient(target string, options ...Option) (*Client, error) {
	settings := settings{timeout: defaultTimeout, retryFor: defaultRetryFor}
	for _, apply := range options {
		apply(&settings)
	}
	if err := checkTimeout(settings.timeout); err != nil {
		return nil, err
	}
	if err := checkRetryFor(settings.retryFor); err != nil {
		return nil, err
	}
	conn, closeConn, err := settings.connect(target)
	if err != nil {
		return nil, err
	}
	closing, cancel := context.WithCancel(context.Background())
	return &Client{
		conn:      conn,
		service:   posewirev1.NewPoseServiceClient(conn),
		closeConn: closeConn,
		timeout:   settings.timeout,
		retryFor:  settings.retryFor,
		waits:     newWaitReporter(settings.onWait, time.Now),
		closing:   closing,
		close:     cancel,
	}, nil
}

// Close ends all calls and streams with [ErrClosed] and closes the connection, unless it is yours.
func (c *Client) Close() error {
	c.close()
	return c.closeConn()
}

// Estimate returns the poses in one image.
func (c *Client) Estimate(
	ctx context.Context, image Image, options ...CallOption,
) (*Result, error) {
	settings := applied(options)
	request, err := estimateRequest(image, settings.model, settings.estimate)
	if err != nil {
		return nil, err
	}
	response, err := call(ctx, c, c.service.EstimatePoses, request, settings)
	if err != nil {
		return nil, err
	}
	return resultFromResponse(response), nil
}

// Models lists the models of the server.
func (c *Client) Models(ctx context.Context, options ...CallOption) ([]Model, error) {
	request := &posewirev1.ListModelsRequest{}
	response, err := call(ctx, c, c.service.ListModels, request, applied(options))
	if err != nil {
		return nil, err
	}
	models := make([]Model, len(response.GetModels()))
	for i, message := range response.GetModels() {
		models[i] = modelFromMessage(message)
	}
	return models, nil
}

// Model describes one model: that of [UseModel], or the server's default.
func (c *Client) Model(ctx context.Context, options ...CallOption) (*Model, error) {
	settings := applied(options)
	request := &posewirev1.GetModelRequest{Model: settings.model}
	response, err := call(ctx, c, c.service.GetModel, request, settings)
	if err != nil {
		return nil, err
	}
	return new(modelFromMessage(response.GetModel())), nil
}

// Stream opens a stream of frames. It returns at once: what the server says about the config comes
// from Recv. Cancelling ctx ends the stream. Unless it is received to its end, close the stream or
// cancel ctx, so that its goroutines end.
//
// If the connection is lost or the server drains, the client opens a new stream and sends the
// frames without an outcome again.
func (c *Client) Stream(ctx context.Context, config StreamConfig) (*Stream, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	message, err := config.message()
	if err != nil {
		return nil, err
	}
	timeout := c.timeout
	if config.Timeout != 0 {
		timeout = config.Timeout
	}
	if err := checkTimeout(timeout); err != nil {
		return nil, err
	}
	backoff := newBackoff(c.retryFor, rand.Float64, time.Now)
	session := newStreamSession(message, backoff, timeout, time.Now)
	return startStream(ctx, c, session), nil
}

// isClosed reports whether the client or the connection is closed. Without asking, a closed
// connection looks like a server that is stopping.
func (c *Client) isClosed() bool {
	if conn, ok := c.conn.(interface{ GetState() connectivity.State }); ok {
		return c.closing.Err() != nil || conn.GetState() == connectivity.Shutdown
	}
	return c.closing.Err() != nil
}

func applied(options []CallOption) callSettings {
	var settings callSettings
	for _, apply := range options {
		apply(&settings)
	}
	return settings
}

// call makes a unary call and retries transient errors, within one deadline.
func call[Request, Response any](
	ctx context.Context,
	c *Client,
	method func(context.Context, Request, ...grpc.CallOption) (Response, error),
	request Request,
	settings callSettings,
) (Response, error) {
	var none Response
	if settings.timeout == 0 {
		settings.timeout = c.timeout
	}
	if err := checkTimeout(settings.timeout); err != nil {
		return none, err
	}
	attempts, cancel := context.WithTimeout(ctx, settings.timeout)
	defer cancel()
	defer context.AfterFunc(c.closing, cancel)()
	backoff := newBackoff(c.retryFor, rand.Float64, time.Now)
	wait := c.waits.newCall()
	defer wait.end()
	for {
		if c.isClosed() {
			return none, ErrClosed
		}
		response, err := method(attempts, request, settings.grpc...)
		if err == nil {
			return response, nil
		}
		failure := errorFromCall(err)
		if failure.Code == codes.Canceled && ctx.Err() != nil {
			return none, errorFromContext(ctx.Err())
		}
		if err := waitToRetry(attempts, backoff, wait, failure); err != nil && !c.isClosed() {
			return none, err
		}
	}
}

// waitToRetry waits before the next attempt. It returns an error if there is none.
func waitToRetry(
	ctx context.Context, backoff *backoff, wait *callWait, failure *Error,
) error {
	if !failure.IsTransient() {
		return failure
	}
	delay, ok := backoff.nextDelay(failure.RetryAfter)
	if deadline, _ := ctx.Deadline(); !ok || delay >= time.Until(deadline) {
		return failure
	}
	wait.begin(failure, delay)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errorFromContext(ctx.Err())
	}
}
