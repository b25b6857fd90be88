package posewire

import (
	"slices"
	"testing"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/grpc/codes"
	"pgregory.net/rapid"
)

// imageLimit is the servers' maximum size of an image in bytes.
const imageLimit = 8

// In any course of a stream, every frame gets exactly one outcome, in order.
func TestEveryFrameHasOneOutcome(t *testing.T) { rapid.Check(t, checkAnyCourse) }

func FuzzEveryFrameHasOneOutcome(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkAnyCourse)) }

func checkAnyCourse(t *rapid.T) {
	machine := newStreamMachine(t)
	for range rapid.IntRange(0, 80).Draw(t, "steps") {
		rapid.SampledFrom(machine.possibleActions()).Draw(t, "action").run(t)
		machine.check(t)
	}
	machine.finish(t)
}

// An action is one thing that the caller, the transport or the server does.
type action struct {
	name       string
	isPossible bool
	run        func(*rapid.T)
}

func (a action) String() string { return a.name }

func (m *streamMachine) possibleActions() []action {
	isOpen, isAllAnswered := m.call != 0, len(m.unanswered) == 0
	mayHalfClose := isOpen && m.session.shouldHalfClose(m.call)
	return slices.DeleteFunc([]action{
		{"put", !m.isSourceFinished && m.session.isPutReady(), m.put},
		{"finish source", !m.isSourceFinished && m.frames > 3, m.finishSource},
		{"take", true, m.take},
		{"open call", !isOpen && m.mayOpen, m.openCall},
		{"start", isOpen && !m.isStarted, m.start},
		{"send", isOpen && !mayHalfClose, m.send},
		{"answer", !isAllAnswered, m.answer},
		{"drain", isOpen && m.isStarted && !m.isDraining, m.drain},
		{"skip as draining", m.isDraining && !isAllAnswered, m.skipAsDraining},
		{"cut", isOpen, m.cut},
		{"time out", isOpen && m.wasStarted && !m.isStarted, m.timeOut},
		{"end with OK", mayHalfClose && m.isStarted && isAllAnswered, m.endWithOK},
	}, func(each action) bool { return !each.isPossible })
}

// A streamMachine is a session between a caller and servers that keep the contract until the call
// is cut.
type streamMachine struct {
	session          *streamSession
	isLatest         bool
	asked            int
	frames           int
	tooLarge         map[uint64]bool
	answered         map[uint64]bool
	outcomes         []*Outcome
	isSourceFinished bool
	mayOpen          bool
	wasStarted       bool

	// The current call, which the number 0 means is none:
	call                  int
	announced, window     int
	unanswered            []uint64
	isStarted, isDraining bool
	lastSent              uint64
}

func newStreamMachine(t *rapid.T) *streamMachine {
	asked := rapid.IntRange(0, 4).Draw(t, "asked window")
	delivery := rapid.SampledFrom([]Delivery{Lossless, Latest}).Draw(t, "delivery")
	session, _ := newTestSession(t, sessionOptions{
		config:   StreamConfig{Delivery: delivery, Window: asked},
		retryFor: Forever,
		timeout:  time.Second,
	})
	return &streamMachine{
		session:  session,
		isLatest: delivery == Latest,
		asked:    asked,
		tooLarge: map[uint64]bool{},
		answered: map[uint64]bool{},
		mayOpen:  true,
	}
}

// The caller

func (m *streamMachine) put(t *rapid.T) {
	m.frames++
	size := rapid.IntRange(1, imageLimit+2).Draw(t, "image bytes")
	putFrame(m.session, size)
	if size > imageLimit {
		m.tooLarge[uint64(m.frames)] = true
	}
}

func (m *streamMachine) finishSource(*rapid.T) {
	m.isSourceFinished = true
	m.session.finishSource(nil)
}

func (m *streamMachine) take(t *rapid.T) {
	outcome, err := m.session.take()
	if err != nil {
		t.Fatalf("the stream ends with %v", err)
	}
	if outcome != nil {
		m.outcomes = append(m.outcomes, outcome)
	}
}

// The transport and the server

func (m *streamMachine) openCall(t *rapid.T) {
	m.open(rapid.IntRange(1, 4).Draw(t, "window"))
}

func (m *streamMachine) open(window int) {
	m.call = m.session.openCall()
	m.announced, m.window = window, window
	if m.asked > 0 {
		m.window = min(window, m.asked)
	}
	m.unanswered = nil
	m.isStarted, m.isDraining = false, false
	m.lastSent = 0
}

func (m *streamMachine) start(t *rapid.T) {
	m.isStarted, m.wasStarted = true, true
	m.receive(t, startedResponse(uint32(m.announced), imageLimit))
}

func (m *streamMachine) send(t *rapid.T) {
	request := m.session.nextRequest()
	if request == nil {
		return
	}
	id := request.GetFrame().GetFrameId()
	switch {
	case !m.isStarted || m.isDraining:
		t.Fatalf("frame %d is sent before the start or while draining", id)
	case id <= m.lastSent:
		t.Fatalf("frame %d is sent after frame %d", id, m.lastSent)
	case m.answered[id]:
		t.Fatalf("frame %d has an outcome and is sent again", id)
	case m.tooLarge[id]:
		t.Fatalf("frame %d is too large and is sent", id)
	}
	m.lastSent = id
	m.unanswered = append(m.unanswered, id)
}

func (m *streamMachine) answer(t *rapid.T) {
	id := m.unanswered[0]
	m.unanswered = m.unanswered[1:]
	m.answered[id] = true
	responses := []*posewirev1.StreamPosesResponse{
		resultResponse(id), errorResponse(id, int32(codes.Internal)),
	}
	if m.isLatest {
		responses = append(responses,
			skippedResponse(id, posewirev1.SkipReason_SKIP_REASON_SUPERSEDED),
			skippedResponse(id, posewirev1.SkipReason_SKIP_REASON_TOO_OLD),
			skippedResponse(id, posewirev1.SkipReason_SKIP_REASON_OVERLOADED))
	}
	m.receive(t, responses[rapid.IntRange(0, len(responses)-1).Draw(t, "response")])
}

func (m *streamMachine) drain(t *rapid.T) {
	m.isDraining = true
	m.receive(t, drainingResponse())
}

func (m *streamMachine) skipAsDraining(t *rapid.T) {
	id := m.unanswered[0]
	m.unanswered = m.unanswered[1:]
	if m.isLatest {
		m.answered[id] = true
	}
	m.receive(t, skippedResponse(id, posewirev1.SkipReason_SKIP_REASON_DRAINING))
}

func (m *streamMachine) cut(t *rapid.T) {
	lost := []codes.Code{codes.Unavailable, codes.Internal, codes.Canceled}
	m.endCall(t, newError(rapid.SampledFrom(lost).Draw(t, "code"), "cut"))
}

func (m *streamMachine) timeOut(t *rapid.T) {
	m.session.timeOut()
	m.endCall(t, nil)
}

func (m *streamMachine) endWithOK(t *rapid.T) {
	m.endCall(t, nil)
}

func (m *streamMachine) endCall(t *rapid.T, err *Error) {
	_, m.mayOpen = m.session.endCall(err)
	if !m.session.shouldHalfClose(m.call) || m.session.nextRequest() != nil {
		t.Fatal("something is sent on a call that has ended")
	}
	m.call = 0
	m.unanswered = nil
	m.isDraining = false
}

func (m *streamMachine) receive(t *rapid.T, response *posewirev1.StreamPosesResponse) {
	if err := m.session.receive(response); err != nil {
		t.Fatal(err)
	}
}

// check tests what holds at any time.
func (m *streamMachine) check(t *rapid.T) {
	if m.call != 0 && len(m.unanswered) > m.window {
		t.Fatalf("%d frames are in flight in a window of %d", len(m.unanswered), m.window)
	}
	for i, outcome := range m.outcomes {
		if outcome.FrameID != uint64(i+1) {
			t.Fatalf("outcome %d is of frame %d", i+1, outcome.FrameID)
		}
	}
	// Four in flight or waiting to be taken, the oldest, which is sent without a slot, and one that
	// waits to be sent.
	if held := m.frames - len(m.outcomes); !m.isLatest && held > 6 {
		t.Fatalf("the session holds %d frames", held)
	}
}

// finish lets a server process every frame, which brings any stream to its end.
func (m *streamMachine) finish(t *rapid.T) {
	if !m.isSourceFinished {
		m.isSourceFinished = true
		m.session.finishSource(nil)
	}
	for range 4*m.frames + 20 {
		m.take(t)
		if !m.mayOpen {
			continue
		}
		if m.call == 0 {
			m.open(1)
		}
		if !m.isStarted {
			m.start(t)
		}
		if !m.session.shouldHalfClose(m.call) {
			m.send(t)
		}
		if len(m.unanswered) > 0 {
			m.answer(t)
		}
		if len(m.unanswered) == 0 && m.session.shouldHalfClose(m.call) {
			m.endCall(t, nil)
		}
	}
	m.check(t)
	if !m.session.isFinished() || len(m.outcomes) != m.frames {
		t.Fatalf("%d of %d frames have an outcome", len(m.outcomes), m.frames)
	}
	m.checkKinds(t)
}

func (m *streamMachine) checkKinds(t *rapid.T) {
	skips := uint64(0)
	for _, outcome := range m.outcomes {
		id := outcome.FrameID
		isSkipped := outcome.Skipped != NotSkipped
		switch {
		case outcome.FramesSkippedBefore != skips:
			t.Fatalf("%d frames were skipped before frame %d, not %d",
				skips, id, outcome.FramesSkippedBefore)
		case !m.isLatest && isSkipped:
			t.Fatalf("frame %d of a lossless stream was skipped: %v", id, outcome.Skipped)
		case !m.isLatest && m.tooLarge[id] && outcome.Err == nil:
			t.Fatalf("frame %d was too large and has no error", id)
		case m.answered[id] || m.tooLarge[id]:
		case outcome.Skipped != SkipSuperseded:
			t.Fatalf("frame %d was never answered and was not superseded: %v", id, outcome.Skipped)
		}
		if isSkipped {
			skips++
		}
	}
}
