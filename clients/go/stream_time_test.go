package posewire

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// How long a stream waits, and how it ends early. Time in a synctest bubble is not that of the
// machine.

func TestSilentServersTimeOut(t *testing.T) {
	swallow := func(stream serverStream) error {
		if err := begin(stream, 4); err != nil {
			return err
		}
		return silent(stream)
	}
	for name, script := range map[string]streamFunc{"no start": silent, "no outcome": swallow} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := serve(t, &scriptedServer{streams: []streamFunc{script}})
				stream := openStream(t, client, StreamConfig{Timeout: 3 * time.Second})
				began := time.Now()
				if err := stream.Send(t.Context(), Frame{Image: jpeg}); err != nil {
					t.Fatal(err)
				}
				if _, err := stream.Recv(); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				expect(t, time.Since(began), 3*time.Second)
				<-stream.stopped
			})
		})
	}
}

func TestAStreamThatIsNotStartedAgainInTimeIsReopened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lose := func(stream serverStream) error {
			_ = answer(stream, 4, 1)
			return status.Error(codes.Unavailable, "lost")
		}
		server := &scriptedServer{streams: []streamFunc{lose, silent, silent, answerAll}}
		stream := openStream(t, serve(t, server), StreamConfig{Timeout: 3 * time.Second})
		sendFrames(t, stream, 2)
		expect(t, describe(stream), []string{"1 result", "2 result"})
		expect(t, len(server.framesSent()), 4)
	})
}

func TestAnIdleStreamDoesNotTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := openStream(t, serveAnswers(t), StreamConfig{})
		time.Sleep(time.Hour)
		sendFrames(t, stream, 1)
		expect(t, describe(stream), []string{"1 result"})
	})
}

func TestAStreamThatCannotBeReopenedGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lose := func(stream serverStream) error {
			_ = answer(stream, 4, 1)
			return status.Error(codes.Unavailable, "lost")
		}
		gone := func(serverStream) error { return status.Error(codes.Unavailable, "gone") }
		client := serve(t, &scriptedServer{streams: []streamFunc{lose, gone}})
		stream := openStream(t, client, StreamConfig{})
		began := time.Now()
		sendFrames(t, stream, 2)
		expect(t, describe(stream), []string{"1 result", "UNAVAILABLE: gone"})
		if took := time.Since(began); took < 29*time.Second || took > 31*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestSendDoesNotWaitForeverForRecv(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := openStream(t, serveAnswers(t), StreamConfig{})
		sent, err := 0, error(nil)
		for ; err == nil; sent++ {
			err = stream.Send(context.Background(), Frame{Image: jpeg})
		}
		expect(t, err, ErrNotReceived)
		expect(t, sent, 6) // a window of 4, one that waits, and the one that was refused
		stream.CloseSend()
		expect(t, len(describe(stream)), 5)
	})
}

func TestSendWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := openStream(t, serveAnswers(t), StreamConfig{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := error(nil)
		for err == nil {
			err = stream.Send(ctx, Frame{Image: jpeg})
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestEndingAStreamEarly(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(*Client, *Stream, context.CancelFunc)
		want error
	}{
		"close":            {func(_ *Client, s *Stream, _ context.CancelFunc) { s.Close() }, ErrClosed},
		"close the client": {func(c *Client, _ *Stream, _ context.CancelFunc) { c.Close() }, ErrClosed},
		"cancel":           {func(_ *Client, _ *Stream, f context.CancelFunc) { f() }, context.Canceled},
	} {
		for script, serverScript := range map[string]streamFunc{
			"in a call":     silent,
			"between calls": func(serverStream) error { return status.Error(codes.Unavailable, "") },
		} {
			t.Run(name+" "+script, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client := serve(t, &scriptedServer{streams: []streamFunc{serverScript}})
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					stream, err := client.Stream(ctx, StreamConfig{})
					if err != nil {
						t.Fatal(err)
					}
					time.AfterFunc(time.Second, func() { test.end(client, stream, cancel) })
					if _, err := stream.Recv(); !errors.Is(err, test.want) {
						t.Errorf("Recv returns %v, want %v", err, test.want)
					}
					err = stream.Send(context.Background(), Frame{Image: jpeg})
					if !errors.Is(err, test.want) {
						t.Errorf("Send returns %v, want %v", err, test.want)
					}
					<-stream.stopped
				})
			})
		}
	}
}

func TestAStreamEndsWithItsConnection(t *testing.T) {
	for name, end := range map[string]func(owner, client *Client){
		"the client is closed":     func(_, client *Client) { client.Close() },
		"the connection is closed": func(owner, _ *Client) { owner.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				owner := serve(t, &scriptedServer{streams: []streamFunc{silent}})
				client := shareConn(t, owner, WithRetryFor(0))
				stream := openStream(t, client, StreamConfig{})
				time.AfterFunc(time.Second, func() { end(owner, client) })
				if _, err := stream.Recv(); !errors.Is(err, ErrClosed) {
					t.Errorf("got %v", err)
				}
				<-stream.stopped
			})
		})
	}
}

func TestClosingAStreamAfterItsEndChangesNothing(t *testing.T) {
	stream := openStream(t, serveAnswers(t), StreamConfig{})
	stream.CloseSend()
	for range 2 {
		if _, err := stream.Recv(); err != io.EOF {
			t.Errorf("got %v", err)
		}
		stream.Close()
	}
}

func TestLeavingTheLoopClosesTheStream(t *testing.T) {
	stream := openStream(t, serveAnswers(t), StreamConfig{})
	if err := stream.Send(t.Context(), Frame{Image: jpeg}); err != nil {
		t.Fatal(err)
	}
	for range stream.Outcomes() {
		break
	}
	<-stream.stopped
	if _, err := stream.Recv(); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestAStreamOfAClosedClientIsRefused(t *testing.T) {
	client := serve(t, &scriptedServer{})
	client.Close()
	if _, err := client.Stream(t.Context(), StreamConfig{}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestASlowConsumerHoldsTheSourceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := serveAnswers(t)
		read, taken := 0, 0
		frames := func(yield func(Frame, error) bool) {
			for ; read < 20 && yield(Frame{Image: jpeg}, nil); read++ {
			}
		}
		for _, err := range client.StreamFrames(t.Context(), StreamConfig{}, frames) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if taken++; read-taken > 6 {
				t.Fatalf("%d frames are read and %d outcomes are taken", read, taken)
			}
		}
		expect(t, taken, 20)
	})
}
