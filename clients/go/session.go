package posewire

import (
	"fmt"
	"math"
	"strconv"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A streamSession is one logical stream of frames, carried by as many calls as it takes.
//
// The session does no I/O and has no lock. A transport reports events to it (a frame, a response,
// the end of a call) and asks it what to send, what to yield, when to call again, and how long to
// wait for the server. Frames keep their place and their number across calls, so outcomes arrive in
// the order of the frames.
//
// However slow the caller is, the session holds at most a window of frames that are in flight or
// whose outcome has not been taken, and one that waits to be sent.
type streamSession struct {
	config           *posewirev1.StreamConfig // with the newest resume token that the server sent
	isLatest         bool
	backoff          *backoff
	timeout          time.Duration
	now              func() time.Time
	frames           pendingFrames
	modelName        string
	wasEverStarted   bool
	isSourceFinished bool
	sourceErr        error
	finished         bool
	err              error
	pauseErr         *Error // why there is a pause after the last call; nil after OK

	// State of the current call:
	callNumber    int
	isCallOpen    bool
	waitingSince  time.Time // the last response, or when one became due
	timeoutErr    *Error
	window        int // 0 until the server has started the stream
	maxImageBytes int
	isDraining    bool
	hadOutcome    bool
}

func newStreamSession(
	config *posewirev1.StreamConfig,
	backoff *backoff,
	timeout time.Duration,
	now func() time.Time,
) *streamSession {
	isLatest := config.GetDeliveryPolicy() == posewirev1.DeliveryPolicy_DELIVERY_POLICY_LATEST
	return &streamSession{
		config:   config,
		isLatest: isLatest,
		backoff:  backoff,
		timeout:  timeout,
		now:      now,
		frames:   pendingFrames{isLatest: isLatest},
	}
}

// isPutReady reports whether to accept the next frame from the caller.
//
// At most one frame waits to be sent. With LATEST the newest frame replaces it; a lossless session
// lets the caller wait.
func (s *streamSession) isPutReady() bool {
	return !s.finished && (s.isLatest || len(s.frames.toSend) == 0)
}

// put adds the caller's next frame.
func (s *streamSession) put(request frameRequest) { s.frames.put(request) }

// finishSource records that there are no more frames. take returns err after all outcomes.
func (s *streamSession) finishSource(err error) {
	s.beginWait()
	s.isSourceFinished = true
	s.sourceErr = err
}

// openCall starts a new call and returns its number.
func (s *streamSession) openCall() int {
	s.callNumber++
	s.window = 0
	s.isDraining = false
	s.hadOutcome = false
	s.timeoutErr = nil
	s.isCallOpen = true
	s.waitingSince = s.now()
	return s.callNumber
}

// isStarted reports whether the server has started the stream of the current call.
func (s *streamSession) isStarted() bool { return s.window > 0 }

// isCallFinished reports whether that call has ended or is to be abandoned.
func (s *streamSession) isCallFinished(callNumber int) bool {
	return s.finished || callNumber != s.callNumber
}

// shouldHalfClose reports whether that call has nothing more to send.
func (s *streamSession) shouldHalfClose(callNumber int) bool {
	if s.isCallFinished(callNumber) || s.isDraining {
		return true
	}
	return s.isStarted() && s.isSourceFinished && len(s.frames.toSend) == 0
}

// nextRequest returns the frame to send now, or nil if there is none or the window is full.
func (s *streamSession) nextRequest() *posewirev1.StreamPosesRequest {
	for {
		frame := s.frames.nextToSend(s.window)
		if frame == nil {
			return nil
		}
		if 0 < s.maxImageBytes && s.maxImageBytes < frame.request.imageBytes {
			// Fail it here: the server would reject it, and could end the whole call.
			frame.settle(tooLarge(frame, s.maxImageBytes))
			continue
		}
		s.beginWait()
		s.frames.inFlight = append(s.frames.inFlight, frame)
		return frame.request.message
	}
}

// receive processes a response; it returns a ProtocolError if that breaks the contract.
func (s *streamSession) receive(response *posewirev1.StreamPosesResponse) error {
	s.waitingSince = s.now()
	switch event := response.GetEvent().(type) {
	case nil:
		return nil // the server is newer
	case *posewirev1.StreamPosesResponse_Started:
		return s.start(event.Started)
	case *posewirev1.StreamPosesResponse_Outcome:
		if !s.isStarted() {
			return protocolErrorf("the server sent an outcome before it started the stream")
		}
		return s.recordOutcome(event.Outcome)
	case *posewirev1.StreamPosesResponse_Draining:
		if !s.isStarted() {
			return protocolErrorf("the server drained the stream before it started the stream")
		}
		s.isDraining = true
		s.keepToken(event.Draining.GetResumeToken())
	}
	return nil
}

// endCall records the end of the call, with OK if err is nil. It returns the delay before the next
// call, or false if the session is finished.
func (s *streamSession) endCall(err *Error) (time.Duration, bool) {
	wasDraining := s.isDraining
	s.isCallOpen = false
	s.callNumber++ // so that nothing more is sent on the old call
	s.frames.requeue()
	wasIdle := s.isStarted() && !s.frames.isSendReady(s.window)
	s.window = 0
	if s.finished {
		return 0, false
	}
	if s.timeoutErr != nil {
		err = s.timeoutErr
	} else if err != nil && !err.mayReopen() {
		s.fail(err)
		return 0, false
	}
	s.pauseErr = err
	if s.isSourceFinished && len(s.frames.toSend) == 0 {
		s.finished = true
		return 0, false
	}
	if err == nil && !wasDraining {
		s.fail(protocolErrorf("the server ended the stream with OK before its last frame"))
		return 0, false
	}
	if wasIdle {
		s.backoff.extend() // nothing says that it did not work
	}
	return s.delayBeforeReopening(err, wasDraining, wasIdle)
}

// timeToTimeout returns how long to wait for the server before timeOut. While nothing is due, that
// is the whole time, so a transport that waits this long and asks again never misses the timeout.
func (s *streamSession) timeToTimeout() time.Duration {
	if !s.isWaiting() {
		return s.timeout
	}
	return s.timeout - s.now().Sub(s.waitingSince)
}

// timeOut records that the server was silent for too long. The transport then cancels the call.
//
// This finishes the session, but not if it was reopening a stream: it tries that again.
func (s *streamSession) timeOut() {
	what := "started no stream"
	if s.isStarted() {
		what = "sent nothing"
	}
	message := fmt.Sprintf("the server %s within %v", what, s.timeout)
	s.timeoutErr = newError(codes.DeadlineExceeded, message)
	if s.isStarted() || !s.wasEverStarted {
		s.fail(s.timeoutErr)
	}
}

// hasTimedOut reports whether timeOut was reported for the current call.
func (s *streamSession) hasTimedOut() bool { return s.timeoutErr != nil }

// fail finishes the session. take returns err after the outcomes that have arrived.
func (s *streamSession) fail(err error) {
	if !s.finished {
		s.finished = true
		s.err = err
	}
}

// close finishes the session on behalf of the caller.
func (s *streamSession) close() { s.finished = true }

// isFinished reports whether there are no more calls to make. Outcomes may be left to take.
func (s *streamSession) isFinished() bool { return s.finished }

// isTakeReady reports whether take has an outcome, an error or the end of the stream to report.
func (s *streamSession) isTakeReady() bool { return s.finished || s.frames.isTakeReady() }

// take returns the next outcome in order, or nil if there is none. After the last outcome it
// returns the error that finished the session or the source of frames.
func (s *streamSession) take() (*Outcome, error) {
	if outcome := s.frames.take(s.modelName); outcome != nil {
		return outcome, nil
	}
	switch {
	case !s.finished:
		return nil, nil
	case s.err != nil:
		return nil, s.err
	default:
		return nil, s.sourceErr
	}
}

// isWaiting reports whether a response or the end of the call is due.
func (s *streamSession) isWaiting() bool {
	if !s.isCallOpen || s.hasTimedOut() {
		return false
	}
	return !s.isStarted() || len(s.frames.inFlight) > 0 || s.shouldHalfClose(s.callNumber)
}

// beginWait starts the timeout, unless it is running.
func (s *streamSession) beginWait() {
	if !s.isWaiting() {
		s.waitingSince = s.now()
	}
}

func (s *streamSession) start(started *posewirev1.StreamStarted) error {
	if s.isStarted() {
		return protocolErrorf("the server started the stream twice")
	}
	if started.GetMaxFramesInFlight() < 1 {
		return protocolErrorf("the server started the stream with a window of 0 frames")
	}
	s.wasEverStarted = true
	window := started.GetMaxFramesInFlight()
	if s.config.MaxFramesInFlight != nil {
		window = min(window, s.config.GetMaxFramesInFlight())
	}
	s.window = int(min(window, math.MaxInt32)) // an int may have 32 bits
	s.maxImageBytes = int(min(started.GetMaxImageBytes(), math.MaxInt32))
	s.modelName = started.GetModel().GetName()
	return nil
}

func (s *streamSession) recordOutcome(outcome *posewirev1.FrameOutcome) error {
	if len(s.frames.inFlight) == 0 {
		return protocolErrorf("the server answered frame %d, but every frame sent has an outcome",
			outcome.GetFrameId())
	}
	if oldest := s.frames.inFlight[0].frameID; outcome.GetFrameId() != oldest {
		return protocolErrorf(
			"the server answered frame %d, but the oldest frame without an outcome is %d",
			outcome.GetFrameId(), oldest)
	}
	s.keepToken(outcome.GetResumeToken())
	frame := popFront(&s.frames.inFlight)
	isDrained := outcome.GetSkipped().GetReason() == posewirev1.SkipReason_SKIP_REASON_DRAINING
	if isDrained && !s.isLatest {
		return nil // without an outcome the frame is sent again
	}
	frame.settle(outcome)
	s.hadOutcome = s.hadOutcome || !isDrained
	return nil
}

// keepToken stores a token for the next call. A request of the current one may still hold the
// config, so that gets a copy.
func (s *streamSession) keepToken(token []byte) {
	if len(token) > 0 {
		s.config = proto.CloneOf(s.config)
		s.config.ResumeToken = token
	}
}

func (s *streamSession) delayBeforeReopening(
	err *Error, wasDraining, wasIdle bool,
) (time.Duration, bool) {
	if s.hadOutcome {
		s.backoff.reset()
	}
	isImmediate := wasDraining && s.backoff.isFresh()
	var shortest time.Duration
	if err != nil {
		shortest = err.RetryAfter
	}
	delay, ok := s.backoff.nextDelay(shortest)
	switch {
	case isImmediate:
		return 0, true
	case ok:
		return delay, true
	case err != nil:
		s.fail(err)
	case wasIdle:
		return maxDelay, true // an idle stream that the server drains for its age, repeatedly
	default:
		s.fail(newError(codes.Unavailable, "every stream was drained before any outcome"))
	}
	return 0, false
}

// tooLarge returns the outcome of a frame that the server would reject.
func tooLarge(frame *pendingFrame, limit int) *posewirev1.FrameOutcome {
	message := fmt.Sprintf("the image has %d bytes; the server takes at most %d",
		frame.request.imageBytes, limit)
	info := &errdetails.ErrorInfo{
		Domain:   domain,
		Reason:   "IMAGE_TOO_LARGE",
		Metadata: map[string]string{"max_image_bytes": strconv.Itoa(limit)},
	}
	failure := status.New(codes.InvalidArgument, message)
	if detailed, err := failure.WithDetails(info); err == nil {
		failure = detailed
	}
	return &posewirev1.FrameOutcome{
		FrameId: frame.frameID,
		Outcome: &posewirev1.FrameOutcome_Error{
			Error: &posewirev1.FrameError{Status: failure.Proto()},
		},
	}
}
