package posewire

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"
)

// closeTimeout is far longer than a cancelled call takes to end.
const closeTimeout = 5 * time.Second

// A Stream sends frames and receives exactly one outcome for each, in the order of the frames. Its
// methods are safe for use by several goroutines.
//
// Send and receive in different goroutines, because outcomes that have not been received count
// towards the window: when it is full, Send waits. However slow the receiver is, the stream holds
// at most a window of frames and one more. With [Latest], Send does not wait: the newest frame
// replaces one that waits. The frames that it replaced take no memory, and each still has its
// outcome.
type Stream struct {
	client  *Client
	ctx     context.Context
	cancel  context.CancelFunc
	stopped chan struct{} // closed when no call is left
	wait    *callWait

	mu           sync.Mutex
	session      *streamSession
	changed      chan struct{} // closed and replaced when the session has changed
	cancelCall   context.CancelFunc
	isSendClosed bool
	isClosed     bool
	received     uint64
}

func startStream(ctx context.Context, client *Client, session *streamSession) *Stream {
	ctx, cancel := context.WithCancel(ctx)
	stream := &Stream{
		client:     client,
		ctx:        ctx,
		cancel:     cancel,
		stopped:    make(chan struct{}),
		wait:       client.waits.newCall(),
		session:    session,
		changed:    make(chan struct{}),
		cancelCall: func() {},
	}
	go stream.makeCalls()
	go stream.watch()
	return stream
}

// Send adds the next frame. Frames are numbered from 1.
//
// It waits while a frame before it waits to be sent, until ctx is done, but not longer than the
// stream's timeout for outcomes to be received: then it returns [ErrNotReceived]. After the end of
// the stream it returns the error of the stream. A frame that is refused with an error has no
// number.
func (s *Stream) Send(ctx context.Context, frame Frame) error {
	return s.send(ctx, frame, s.session.timeout)
}

// CloseSend records that there are no more frames. Recv returns io.EOF after the last outcome.
func (s *Stream) CloseSend() { s.CloseSendWithError(nil) }

// CloseSendWithError is CloseSend for a source of frames that failed: after the last outcome, Recv
// returns err.
func (s *Stream) CloseSendWithError(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isSendClosed || s.session.isFinished() {
		return
	}
	s.isSendClosed = true
	s.session.finishSource(err)
	s.broadcast()
}

// Recv returns the next outcome. After the last it returns io.EOF, or the error that ended the
// stream.
//
// While the server has nothing to answer, it waits for Send, CloseSend or Close.
func (s *Stream) Recv() (*Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.session.isTakeReady() {
		s.waitForChange(nil, nil)
	}
	outcome, err := s.session.take()
	s.received++
	s.broadcast()
	switch {
	case outcome != nil || err != nil:
		return outcome, err
	case s.isClosed:
		return nil, ErrClosed
	default:
		return nil, io.EOF
	}
}

// Outcomes yields the outcomes to the end of the stream, and an error if that is not io.EOF.
// Leaving the loop early closes the stream.
func (s *Stream) Outcomes() iter.Seq2[*Outcome, error] {
	return func(yield func(*Outcome, error) bool) {
		for {
			outcome, err := s.Recv()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(outcome, err) {
				s.Close()
				return
			}
			if err != nil {
				return
			}
		}
	}
}

// Close cancels the stream. Outcomes that have arrived can still be received.
func (s *Stream) Close() error {
	s.mu.Lock()
	s.isClosed = s.isClosed || !s.session.isFinished()
	s.session.close()
	s.broadcast()
	s.mu.Unlock()
	s.cancel()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-s.stopped:
	case <-timer.C: // an interceptor holds the call
	}
	return nil
}

// StreamFrames streams the frames of an iterator, which runs in its own goroutine, and yields their
// outcomes. An error of the iterator, and a frame that cannot be sent, end the stream after the
// outcomes of the frames before it. Leaving the loop early closes the stream.
func (c *Client) StreamFrames(
	ctx context.Context, config StreamConfig, frames iter.Seq2[Frame, error],
) iter.Seq2[*Outcome, error] {
	return func(yield func(*Outcome, error) bool) {
		stream, err := c.Stream(ctx, config)
		if err != nil {
			yield(nil, err)
			return
		}
		defer stream.Close()
		go stream.sendAll(frames)
		stream.Outcomes()(yield)
	}
}

func (s *Stream) sendAll(frames iter.Seq2[Frame, error]) {
	for frame, err := range frames {
		if err == nil {
			err = s.send(s.ctx, frame, Forever)
		}
		if err != nil {
			s.CloseSendWithError(err)
			return
		}
	}
	s.CloseSend()
}

// send waits at most patience for outcomes to be received.
func (s *Stream) send(ctx context.Context, frame Frame, patience time.Duration) error {
	request, err := frame.request()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.waitUntilPutReady(ctx, patience); err != nil {
		return err
	}
	s.session.put(request)
	s.broadcast()
	return nil
}

func (s *Stream) waitUntilPutReady(ctx context.Context, patience time.Duration) error {
	received := s.received
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for !s.isSendClosed && !s.session.isFinished() && !s.session.isPutReady() {
		if err := ctx.Err(); err != nil {
			return errorFromContext(err)
		}
		if !s.waitForChange(ctx.Done(), timer.C) {
			continue
		}
		if s.received == received && s.session.isTakeReady() && !s.session.isFinished() {
			return ErrNotReceived
		}
		received = s.received
		timer.Reset(patience)
	}
	switch {
	case s.isSendClosed:
		return ErrSendClosed
	case s.isClosed:
		return ErrClosed
	case s.session.isFinished():
		return s.session.err
	default:
		return nil
	}
}

// waitForChange releases the lock until the session has changed or done is closed. It reports
// whether instead the timer has fired.
func (s *Stream) waitForChange(done <-chan struct{}, timer <-chan time.Time) bool {
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-changed:
	case <-done:
	case <-timer:
		return true
	}
	return false
}

// broadcast wakes everything that waits for a change. The lock must be held.
func (s *Stream) broadcast() {
	close(s.changed)
	s.changed = make(chan struct{})
}
