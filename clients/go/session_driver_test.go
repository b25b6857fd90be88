package posewire

import (
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
)

// What tests drive a session with, as a transport would, without I/O.

// A fakeClock goes only when a test advances it.
type fakeClock struct{ time time.Time }

func (c *fakeClock) now() time.Time { return c.time }

func (c *fakeClock) advance(duration time.Duration) { c.time = c.time.Add(duration) }

type sessionOptions struct {
	config   StreamConfig
	retryFor time.Duration
	timeout  time.Duration
}

// newTestSession returns a session whose random delays are the longest possible.
func newTestSession(t interface {
	Helper()
	Fatal(...any)
}, options sessionOptions) (*streamSession, *fakeClock) {
	t.Helper()
	config, err := options.config.message()
	if err != nil {
		t.Fatal(err)
	}
	clock := &fakeClock{time: time.Unix(100, 0)}
	longest := func() float64 { return 1 }
	backoff := newBackoff(options.retryFor, longest, clock.now)
	return newStreamSession(config, backoff, options.timeout, clock.now), clock
}

func putFrame(session *streamSession, imageBytes int) {
	request, err := Frame{Image: EncodedImage(make([]byte, imageBytes))}.request()
	if err != nil {
		panic(err)
	}
	session.put(request)
}

// sentIDs returns the numbers of all frames that can be sent now.
func sentIDs(session *streamSession) []uint64 {
	sent := []uint64{}
	for request := session.nextRequest(); request != nil; request = session.nextRequest() {
		sent = append(sent, request.GetFrame().GetFrameId())
	}
	return sent
}

func startedResponse(window, maxImageBytes uint32) *posewirev1.StreamPosesResponse {
	started := &posewirev1.StreamStarted{
		Model:             &posewirev1.Model{Name: "small", Version: "small@1"},
		MaxFramesInFlight: window,
		MaxImageBytes:     maxImageBytes,
		MaxImagePixels:    1 << 20,
	}
	return &posewirev1.StreamPosesResponse{
		Event: &posewirev1.StreamPosesResponse_Started{Started: started},
	}
}

func drainingResponse() *posewirev1.StreamPosesResponse {
	draining := &posewirev1.StreamPosesResponse_Draining{Draining: &posewirev1.StreamDraining{}}
	return &posewirev1.StreamPosesResponse{Event: draining}
}

func resultResponse(frameID uint64) *posewirev1.StreamPosesResponse {
	result := &posewirev1.FrameResult{
		Poses:        []*posewirev1.Pose{smallPose()},
		ModelVersion: "small@1",
		ImageWidth:   8,
		ImageHeight:  6,
	}
	return outcomeResponse(&posewirev1.FrameOutcome{
		FrameId: frameID, Outcome: &posewirev1.FrameOutcome_Result{Result: result},
	})
}

func errorResponse(frameID uint64, code int32) *posewirev1.StreamPosesResponse {
	failure := &posewirev1.FrameError{Status: &statuspb.Status{Code: code, Message: "scripted"}}
	return outcomeResponse(&posewirev1.FrameOutcome{
		FrameId: frameID, Outcome: &posewirev1.FrameOutcome_Error{Error: failure},
	})
}

func skippedResponse(frameID uint64, reason posewirev1.SkipReason) *posewirev1.StreamPosesResponse {
	skipped := &posewirev1.FrameSkipped{Reason: reason}
	return outcomeResponse(&posewirev1.FrameOutcome{
		FrameId: frameID, Outcome: &posewirev1.FrameOutcome_Skipped{Skipped: skipped},
	})
}

func outcomeResponse(outcome *posewirev1.FrameOutcome) *posewirev1.StreamPosesResponse {
	return &posewirev1.StreamPosesResponse{
		Event: &posewirev1.StreamPosesResponse_Outcome{Outcome: outcome},
	}
}

// smallPose has three keypoints, one of each origin.
func smallPose() *posewirev1.Pose {
	return &posewirev1.Pose{
		Score: 0.75,
		Box:   &posewirev1.Box{XMin: 1.5, YMin: 2.5, XMax: 3.5, YMax: 4.5},
		Keypoints: []*posewirev1.Keypoint{
			{X: 1.5, Y: 2.5, Score: 0.875, Origin: posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_DETECTED},
			{X: 3.5, Y: 4.5, Score: 0.25, Origin: posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_INFERRED},
			{Origin: posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_ABSENT},
		},
		TrackId: new(uint32(7)),
	}
}
