package posewire

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const draining = posewirev1.SkipReason_SKIP_REASON_DRAINING

func openStream(t *testing.T, client *Client, config StreamConfig) *Stream {
	t.Helper()
	stream, err := client.Stream(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stream.Close() })
	return stream
}

// sendFrames sends frames in a goroutine of its own and half-closes the stream.
func sendFrames(t *testing.T, stream *Stream, frames int) {
	var sending sync.WaitGroup
	sending.Go(func() {
		for range frames {
			if err := stream.Send(t.Context(), Frame{Image: jpeg}); err != nil {
				t.Error(err)
				return
			}
		}
		stream.CloseSend()
	})
	t.Cleanup(sending.Wait)
}

// describe returns outcomes as texts such as "1 result", and how the stream ends if not with
// io.EOF.
func describe(stream *Stream) []string {
	var texts []string
	for outcome, err := range stream.Outcomes() {
		switch {
		case err != nil:
			texts = append(texts, err.Error())
		case outcome.Err != nil:
			texts = append(texts, fmt.Sprintf("%d %s", outcome.FrameID, outcome.Err.Code))
		case outcome.Skipped != NotSkipped:
			texts = append(texts, fmt.Sprintf("%d %s", outcome.FrameID, outcome.Skipped))
		default:
			texts = append(texts, fmt.Sprintf("%d result", outcome.FrameID))
		}
	}
	return texts
}

func expect[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryFrameOfAStreamHasItsOutcome(t *testing.T) {
	server := &scriptedServer{streams: []streamFunc{answerAll}}
	stream := openStream(t, serve(t, server), StreamConfig{
		Model: "small", Window: 3, Track: true, Smoothing: true,
		SmoothingOptions: SmoothingOptions{
			CutoffPerSpeed: new(float32(0)), MaxGap: new(125 * time.Millisecond),
		},
	})
	sendFrames(t, stream, 20)
	for id := range uint64(20) {
		outcome, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if outcome.FrameID != id+1 || outcome.Result == nil || outcome.Result.Model != "small" {
			t.Errorf("outcome %d is %+v", id+1, outcome)
		}
	}
	for range 2 {
		if _, err := stream.Recv(); err != io.EOF {
			t.Errorf("the stream ends with %v", err)
		}
	}
	config := server.configs[0]
	if config.GetModel() != "small" || config.GetMaxFramesInFlight() != 3 || !config.GetTrack() ||
		!config.GetSmoothing() || config.MaxFrameAge != nil || config.Options != nil {
		t.Errorf("the config is %v", config)
	}
	smoothing := config.GetSmoothingOptions()
	if smoothing.CutoffPerSpeed == nil || smoothing.MinCutoffHz != nil ||
		smoothing.GetMaxGap().AsDuration() != 125*time.Millisecond {
		t.Errorf("the smoothing options are %v", smoothing)
	}
	expect(t, stream.Send(t.Context(), Frame{Image: jpeg}), ErrSendClosed)
}

func TestADrainedStreamGoesOnAtOnce(t *testing.T) {
	drain := func(stream serverStream) error {
		if err := begin(stream, 3); err != nil {
			return err
		}
		for range 3 {
			if _, err := stream.Recv(); err != nil {
				return err
			}
		}
		if err := stream.Send(drainingResponse()); err != nil {
			return err
		}
		if _, err := stream.Recv(); err != io.EOF {
			return status.Error(codes.FailedPrecondition, "the client did not half-close")
		}
		for _, response := range []*posewirev1.StreamPosesResponse{
			resultResponse(1), skippedResponse(2, draining), skippedResponse(3, draining),
		} {
			if err := stream.Send(response); err != nil {
				return err
			}
		}
		return nil
	}
	server := &scriptedServer{streams: []streamFunc{drain, answerAll}}
	stream := openStream(t, serve(t, server, WithRetryFor(0)), StreamConfig{})
	sendFrames(t, stream, 4)
	expect(t, describe(stream), []string{"1 result", "2 result", "3 result", "4 result"})
	expect(t, server.framesSent(), [][]uint64{{1, 2, 3}, {2, 3, 4}})
}

func TestALostStreamIsReopened(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.Internal, codes.Canceled} {
		t.Run(code.String(), func(t *testing.T) {
			lose := func(stream serverStream) error {
				if err := answer(stream, 2, 1); err != nil {
					return err
				}
				if _, err := stream.Recv(); err != nil {
					return err
				}
				return status.Error(code, "lost")
			}
			server := &scriptedServer{streams: []streamFunc{lose, answerAll}}
			stream := openStream(t, serve(t, server), StreamConfig{})
			sendFrames(t, stream, 3)
			expect(t, describe(stream), []string{"1 result", "2 result", "3 result"})
			expect(t, server.framesSent()[1], []uint64{2, 3})
		})
	}
}

func TestAFinalStatusEndsTheStreamAfterItsOutcomes(t *testing.T) {
	fail := func(stream serverStream) error {
		if err := answer(stream, 4, 1); err != nil {
			return err
		}
		return status.Error(codes.FailedPrecondition, "no more")
	}
	stream := openStream(t, serve(t, &scriptedServer{streams: []streamFunc{fail}}), StreamConfig{})
	if err := stream.Send(t.Context(), Frame{Image: jpeg}); err != nil {
		t.Fatal(err)
	}
	expect(t, describe(stream), []string{"1 result", "FAILED_PRECONDITION: no more"})
	expect(t, status.Code(stream.Send(t.Context(), Frame{Image: jpeg})), codes.FailedPrecondition)
}

func TestAServerThatBreaksTheContractIsLeft(t *testing.T) {
	wrong := func(stream serverStream) error {
		if err := begin(stream, 4); err != nil {
			return err
		}
		if err := stream.Send(resultResponse(7)); err != nil {
			return err
		}
		return silent(stream)
	}
	stream := openStream(t, serve(t, &scriptedServer{streams: []streamFunc{wrong}}), StreamConfig{})
	_, err := stream.Recv()
	var broken *ProtocolError
	if !errors.As(err, &broken) {
		t.Errorf("got %v", err)
	}
}

func TestAFrameThatIsTooLargeFailsWithoutBeingSent(t *testing.T) {
	server := &scriptedServer{streams: []streamFunc{answerAll}}
	stream := openStream(t, serve(t, server), StreamConfig{})
	big := Frame{Image: RawImage{Data: make([]byte, 1<<20+1), Width: 1, Height: 1, Format: GRAY8}}
	for _, frame := range []Frame{big, {Image: jpeg, CaptureTime: time.Unix(5, 0)}} {
		if err := stream.Send(t.Context(), frame); err != nil {
			t.Fatal(err)
		}
	}
	stream.CloseSend()
	expect(t, describe(stream), []string{"1 InvalidArgument", "2 result"})
	expect(t, server.framesSent(), [][]uint64{{2}})
}

func TestTheNewestFrameReplacesOneThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow := func(stream serverStream) error {
			if err := begin(stream, 1); err != nil {
				return err
			}
			<-release
			return answerStarted(stream, -1)
		}
		server := &scriptedServer{streams: []streamFunc{slow}}
		stream := openStream(t, serve(t, server), StreamConfig{Delivery: Latest})
		for range 5 {
			synctest.Wait() // until the first frame is in flight
			if err := stream.Send(t.Context(), Frame{Image: jpeg}); err != nil {
				t.Fatal(err)
			}
		}
		stream.CloseSend()
		close(release)
		expect(t, describe(stream), []string{
			"1 result", "2 superseded", "3 superseded", "4 superseded", "5 result",
		})
		expect(t, server.framesSent(), [][]uint64{{1, 5}})
	})
}

func TestStreamConfigsAreChecked(t *testing.T) {
	client := serve(t, &scriptedServer{})
	for _, config := range []StreamConfig{
		{Window: -1}, {Delivery: 7}, {Timeout: -1}, {Delivery: Latest, MaxFrameAge: -1},
	} {
		if _, err := client.Stream(t.Context(), config); err == nil {
			t.Errorf("%+v is accepted", config)
		}
	}
}

func TestStreamFrames(t *testing.T) {
	broken := errors.New("the camera is broken")
	frames := func(count int, err error) iter.Seq2[Frame, error] {
		return func(yield func(Frame, error) bool) {
			for range count {
				if !yield(Frame{Image: jpeg}, nil) {
					return
				}
			}
			if err != nil {
				yield(Frame{}, err)
			}
		}
	}
	client := serve(t, &scriptedServer{streams: []streamFunc{answerAll}})
	for name, test := range map[string]struct {
		frames iter.Seq2[Frame, error]
		want   error
	}{
		"to the end":      {frames(9, nil), nil},
		"a broken source": {frames(9, broken), broken},
	} {
		t.Run(name, func(t *testing.T) {
			results, last := 0, error(nil)
			for outcome, err := range client.StreamFrames(t.Context(), StreamConfig{}, test.frames) {
				if last = err; outcome != nil {
					results++
				}
			}
			expect(t, results, 9)
			expect(t, last, test.want)
		})
	}
	for range client.StreamFrames(t.Context(), StreamConfig{}, frames(100, nil)) {
		break
	}
}

func TestManyGoroutinesShareAClient(t *testing.T) {
	server := &scriptedServer{
		streams: []streamFunc{answerAll}, estimates: []estimateFunc{answerOne},
	}
	client := serve(t, server)
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if _, err := client.Estimate(t.Context(), jpeg); err != nil {
				t.Error(err)
			}
			stream := openStream(t, client, StreamConfig{})
			sendFrames(t, stream, 30)
			expect(t, len(describe(stream)), 30)
		})
	}
	calls.Wait()
}
