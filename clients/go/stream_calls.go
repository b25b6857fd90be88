package posewire

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
)

// The transport of a stream. One goroutine makes the calls and reads their responses, one per call
// sends requests, and one watches the time, because reading a response blocks without a timeout.

// makeCalls makes one call after the other until the session is finished.
func (s *Stream) makeCalls() {
	defer s.wait.end()
	defer close(s.stopped)
	defer s.cancel()
	defer context.AfterFunc(s.client.closing, func() { s.end(ErrClosed) })()
	for {
		delay, again := s.makeCall()
		if !again {
			return
		}
		if err := s.session.pauseErr; err != nil { // only this goroutine changes it
			s.wait.begin(err, delay)
		}
		if !s.pause(delay) {
			return
		}
	}
}

// makeCall makes one call and reads it to its end. It returns the delay before the next, if any.
func (s *Stream) makeCall() (time.Duration, bool) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	s.mu.Lock()
	if s.session.isFinished() {
		s.mu.Unlock()
		return 0, false
	}
	s.cancelCall = cancel
	callNumber := s.session.openCall()
	s.mu.Unlock()

	failure := s.transferFrames(ctx, cancel, callNumber)

	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.broadcast()
	if s.client.isClosed() {
		s.session.fail(ErrClosed)
	} else if err := s.ctx.Err(); err != nil {
		s.session.fail(errorFromContext(err)) // the caller ended the call
	}
	return s.session.endCall(failure)
}

// transferFrames returns the error that ended the call, or nil for OK.
func (s *Stream) transferFrames(
	ctx context.Context, cancel context.CancelFunc, callNumber int,
) *Error {
	call, err := s.client.service.StreamPoses(ctx)
	if err != nil {
		return errorFromCall(err)
	}
	var sender sync.WaitGroup
	var sendErr *Error
	sender.Go(func() { sendErr = s.sendRequests(ctx, call, callNumber) })
	receiveErr := s.receiveResponses(call)
	cancel()
	sender.Wait()
	if sendErr != nil {
		return sendErr
	}
	return receiveErr
}

// sendRequests returns an error that arose on this side; others come with the responses.
func (s *Stream) sendRequests(
	ctx context.Context, call posewirev1.PoseService_StreamPosesClient, callNumber int,
) *Error {
	s.mu.Lock()
	request := &posewirev1.StreamPosesRequest{
		Payload: &posewirev1.StreamPosesRequest_Config{Config: s.session.config},
	}
	s.mu.Unlock()
	for ; request != nil; request = s.waitForRequest(ctx, callNumber) {
		if err := call.Send(request); err != nil {
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return nil
			}
			return errorFromCall(err)
		}
	}
	_ = call.CloseSend() // always nil
	return nil
}

// waitForRequest returns the next request, or nil if the call has nothing more to send.
func (s *Stream) waitForRequest(
	ctx context.Context, callNumber int,
) *posewirev1.StreamPosesRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ctx.Err() == nil && !s.session.shouldHalfClose(callNumber) {
		request := s.session.nextRequest()
		s.broadcast() // there may be room for a frame, or an outcome of one that is too large
		if request != nil {
			return request
		}
		s.waitForChange(ctx.Done(), nil)
	}
	return nil
}

// receiveResponses processes all responses. It returns the error that ended the call, or nil for
// OK.
func (s *Stream) receiveResponses(call posewirev1.PoseService_StreamPosesClient) *Error {
	for {
		response, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errorFromCall(err)
		}
		if !s.process(response) {
			return nil
		}
		s.wait.end()
	}
}

// process reports whether the response keeps the contract. If not, it ends the stream.
func (s *Stream) process(response *posewirev1.StreamPosesResponse) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.broadcast()
	if err := s.session.receive(response); err != nil {
		s.session.fail(err)
		return false
	}
	return true
}

// pause waits before the next call. It reports whether there is one.
func (s *Stream) pause(delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		s.end(errorFromContext(s.ctx.Err()))
		return false
	}
}

// watch cancels a call whose server is silent for too long, and ends the stream with its context.
func (s *Stream) watch() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.ctx.Done():
			s.end(errorFromContext(s.ctx.Err()))
			return
		case <-timer.C:
			timer.Reset(s.checkTimeout())
		}
	}
}

// checkTimeout returns when to check next.
func (s *Stream) checkTimeout() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	remaining := s.session.timeToTimeout()
	if remaining > 0 {
		return remaining
	}
	s.session.timeOut()
	s.cancelCall()
	s.broadcast()
	return s.session.timeout
}

// end finishes the stream with an error, unless it is finished.
func (s *Stream) end(err error) {
	s.mu.Lock()
	s.session.fail(err)
	s.broadcast()
	s.mu.Unlock()
	s.cancel()
}
