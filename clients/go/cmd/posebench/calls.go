//go:build unix

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/posewire/posewire/clients/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// echoMethod is the method of the bare echo server. Its messages are plain bytes.
const echoMethod = "/posewire.bench.Echo/Echo"

func measurePosewire(
	ctx context.Context, address string, image []byte, plan plan,
) (*measurement, error) {
	client, err := posewire.NewClient(address)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	stream, err := client.Stream(ctx, posewire.StreamConfig{Window: plan.window})
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	return measure(ctx, plan, posewireCall{ctx, stream, posewire.EncodedImage(image)})
}

// A posewireCall is a stream of the client.
type posewireCall struct {
	ctx    context.Context
	stream *posewire.Stream
	image  posewire.Image
}

func (c posewireCall) send() error { return c.stream.Send(c.ctx, posewire.Frame{Image: c.image}) }

func (c posewireCall) closeSend() { c.stream.CloseSend() }

func (c posewireCall) receive() (time.Duration, error) {
	outcome, err := c.stream.Recv()
	switch {
	case err != nil:
		return 0, err
	case outcome.Err != nil:
		return 0, fmt.Errorf("frame %d: %w", outcome.FrameID, outcome.Err)
	case outcome.Result == nil:
		return 0, fmt.Errorf("frame %d: skipped: %v", outcome.FrameID, outcome.Skipped)
	}
	return outcome.Result.StageTimes.Total, nil
}

func measureEcho(
	ctx context.Context, address string, image []byte, plan plan,
) (*measurement, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, echoTimeout)
	defer cancel()
	description := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := conn.NewStream(ctx, description, echoMethod, grpc.ForceCodecV2(bytesCodec{}))
	if err != nil {
		return nil, err
	}
	found, err := measure(ctx, plan, echoCall{stream, image})
	if err != nil {
		return nil, err
	}
	found.BeyondServerP50Millis = nil // the server does nothing and reports no time
	return found, nil
}

// echoTimeout bounds a measurement of the bare echo, which has no other deadline.
const echoTimeout = 10 * time.Minute

// An echoCall is a stream of gRPC alone.
type echoCall struct {
	stream grpc.ClientStream
	image  []byte
}

func (c echoCall) send() error { return c.stream.SendMsg(c.image) }

func (c echoCall) closeSend() { _ = c.stream.CloseSend() } // always nil

func (c echoCall) receive() (time.Duration, error) {
	var answer []byte
	return 0, c.stream.RecvMsg(&answer)
}

// A bytesCodec sends and receives []byte as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(message any) (mem.BufferSlice, error) {
	data, ok := message.([]byte)
	if !ok {
		return nil, fmt.Errorf("got a %T; expected []byte", message)
	}
	return mem.BufferSlice{mem.SliceBuffer(data)}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, message any) error {
	target, ok := message.(*[]byte)
	if !ok {
		return fmt.Errorf("got a %T; expected *[]byte", message)
	}
	*target = data.Materialize()
	return nil
}

func (bytesCodec) Name() string { return "proto" }
