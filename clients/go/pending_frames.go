package posewire

import (
	"slices"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
)

// A frameRequest is a frame to send, still without its frame_id, and the size of its image.
type frameRequest struct {
	message    *posewirev1.StreamPosesRequest
	imageBytes int
}

// A pendingFrame is a frame whose outcome has not been taken.
type pendingFrame struct {
	frameID   uint64
	request   frameRequest // empty once there is an outcome
	outcome   *posewirev1.FrameOutcome
	holdsSlot bool // of the window: from sending until the outcome is taken
}

// settle records the outcome and releases the image.
func (f *pendingFrame) settle(outcome *posewirev1.FrameOutcome) {
	f.outcome = outcome
	f.request = frameRequest{}
}

// pendingFrames numbers the frames and returns their outcomes in order.
//
// Frames that a newer one replaced take no memory: they are the gaps between the numbers of the
// others. What it holds is therefore bounded by the window, however slow the caller is.
type pendingFrames struct {
	toSend      []*pendingFrame
	inFlight    []*pendingFrame
	isLatest    bool
	held        []*pendingFrame // all but the replaced ones, in order
	slotsHeld   int
	lastID      uint64
	lastTakenID uint64
	skipsTaken  uint64
}

// put adds the next frame. With LATEST it replaces one that waits to be sent.
func (p *pendingFrames) put(request frameRequest) {
	if p.isLatest && len(p.toSend) > 0 {
		waiting := slices.Index(p.held, p.toSend[0])
		p.held = slices.Delete(p.held, waiting, waiting+1)
		clear(p.toSend)
		p.toSend = p.toSend[:0]
	}
	p.lastID++
	request.message.GetFrame().FrameId = p.lastID
	frame := &pendingFrame{frameID: p.lastID, request: request}
	p.held = append(p.held, frame)
	p.toSend = append(p.toSend, frame)
}

// isSendReady reports whether nextToSend has a frame.
func (p *pendingFrames) isSendReady(window int) bool {
	return len(p.toSend) > 0 && p.hasFreeSlot(window)
}

// nextToSend removes the next frame to send. It returns nil if there is none or the window is full.
func (p *pendingFrames) nextToSend(window int) *pendingFrame {
	if !p.isSendReady(window) {
		return nil
	}
	frame := popFront(&p.toSend)
	frame.holdsSlot = true
	p.slotsHeld++
	return frame
}

// requeue queues all frames without an outcome, in order; with LATEST only the newest of them.
func (p *pendingFrames) requeue() {
	p.inFlight, p.toSend = nil, nil
	for _, frame := range p.held {
		if frame.outcome == nil {
			p.releaseSlot(frame)
			p.toSend = append(p.toSend, frame)
		}
	}
	if !p.isLatest || len(p.toSend) <= 1 {
		return
	}
	newest := p.toSend[len(p.toSend)-1]
	p.toSend = []*pendingFrame{newest}
	var held []*pendingFrame
	for _, frame := range p.held {
		if frame.outcome != nil || frame == newest {
			held = append(held, frame)
		}
	}
	p.held = held
}

// isTakeReady reports whether take has an outcome.
func (p *pendingFrames) isTakeReady() bool { return p.isNextReplaced() || p.isNextSettled() }

// take returns the next outcome in order, or nil if there is none.
func (p *pendingFrames) take(model string) *Outcome {
	switch {
	case p.isNextReplaced():
		return p.takeReplaced()
	case p.isNextSettled():
		return p.takeSettled(model)
	default:
		return nil
	}
}

func (p *pendingFrames) isNextReplaced() bool {
	oldestHeld := p.lastID + 1
	if len(p.held) > 0 {
		oldestHeld = p.held[0].frameID
	}
	return p.lastTakenID+1 < oldestHeld
}

func (p *pendingFrames) isNextSettled() bool {
	return len(p.held) > 0 && p.held[0].outcome != nil
}

func (p *pendingFrames) takeReplaced() *Outcome {
	p.lastTakenID++
	p.skipsTaken++
	return &Outcome{
		FrameID:             p.lastTakenID,
		FramesSkippedBefore: p.skipsTaken - 1,
		Skipped:             SkipSuperseded,
	}
}

func (p *pendingFrames) takeSettled(model string) *Outcome {
	frame := popFront(&p.held)
	p.releaseSlot(frame)
	outcome := outcomeFromMessage(frame.outcome, model)
	outcome.FramesSkippedBefore = p.skipsTaken
	p.lastTakenID = frame.frameID
	if outcome.Skipped != NotSkipped {
		p.skipsTaken++
	}
	return outcome
}

// hasFreeSlot counts the outcomes that the caller has not taken; otherwise they would pile up when
// the caller is slow. The oldest frame is exempt, because they wait for its outcome.
func (p *pendingFrames) hasFreeSlot(window int) bool {
	return len(p.inFlight) < window && (p.slotsHeld < window || p.toSend[0] == p.held[0])
}

func (p *pendingFrames) releaseSlot(frame *pendingFrame) {
	if frame.holdsSlot {
		p.slotsHeld--
		frame.holdsSlot = false
	}
}

// popFront removes the first frame of a queue and lets go of it.
func popFront(queue *[]*pendingFrame) *pendingFrame {
	first := (*queue)[0]
	(*queue)[0] = nil
	*queue = (*queue)[1:]
	return first
}
