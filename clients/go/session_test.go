package posewire

import (
	"runtime"
	"testing"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/protobuf/proto"
)

func TestReplacedFramesTakeNoMemory(t *testing.T) {
	const frames, imageBytes = 10_000, 100_000
	session, _ := newTestSession(t, sessionOptions{
		config: StreamConfig{Delivery: Latest}, timeout: time.Second,
	})
	session.openCall()
	if err := session.receive(startedResponse(1, 1<<20)); err != nil {
		t.Fatal(err)
	}
	putFrame(session, imageBytes)
	sentIDs(session)
	before := heapBytes()
	for range frames {
		putFrame(session, imageBytes)
	}
	if grown := heapBytes() - before; grown > 20*imageBytes {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	if err := session.receive(resultResponse(1)); err != nil {
		t.Fatal(err)
	}
	taken := 0
	for outcome, _ := session.take(); outcome != nil; outcome, _ = session.take() {
		taken++
	}
	if taken != frames {
		t.Errorf("%d outcomes of %d frames", taken, frames)
	}
}

func heapBytes() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// Whatever a server sends, a session rejects it or goes on.
func FuzzReceive(f *testing.F) {
	for _, response := range []*posewirev1.StreamPosesResponse{
		startedResponse(2, 1<<20),
		resultResponse(1),
		errorResponse(1, 3),
		errorResponse(1, 0),
		skippedResponse(1, posewirev1.SkipReason_SKIP_REASON_DRAINING),
		drainingResponse(),
		{},
	} {
		encoded, err := proto.Marshal(response)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded, encoded)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		session, _ := newTestSession(t, sessionOptions{timeout: time.Second})
		session.openCall()
		putFrame(session, 5)
		putFrame(session, 5)
		for _, encoded := range [][]byte{first, second} {
			response := &posewirev1.StreamPosesResponse{}
			if proto.Unmarshal(encoded, response) != nil {
				return
			}
			if err := session.receive(response); err != nil {
				return
			}
			sentIDs(session)
		}
		outcome, err := session.take()
		if err != nil {
			t.Fatal(err)
		}
		if outcome != nil && outcome.FrameID != 1 {
			t.Fatalf("the first outcome is of frame %d", outcome.FrameID)
		}
		if outcome != nil && outcome.Err != nil && outcome.Err.Error() == "" {
			t.Fatal("the error has no text")
		}
	})
}
