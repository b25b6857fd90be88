//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"
)

// maxFrames bounds the memory for the times.
const maxFrames = 1_000_000

// A plan is what to measure.
type plan struct {
	frames, warmUp, window int
	rate                   float64 // frames per second; 0: as fast as the window allows
}

func (p plan) check() error {
	if p.frames < 1 || p.frames > maxFrames || p.warmUp < 0 || p.warmUp > maxFrames {
		return fmt.Errorf("got %d frames after %d to warm up; expected 1 to %d after 0 to %d",
			p.frames, p.warmUp, maxFrames, maxFrames)
	}
	if p.window < 1 || p.window > maxFrames {
		return fmt.Errorf("the window is %d; expected 1 to %d", p.window, maxFrames)
	}
	if p.rate != 0 && (p.rate < 1 || p.rate > maxFrames) {
		return fmt.Errorf("the rate is %v frames/s; expected 1 to %d, or 0", p.rate, maxFrames)
	}
	return nil
}

// ticks returns a channel that says when to send a frame, or nil, and how to stop it.
func (p plan) ticks() (<-chan time.Time, func()) {
	if p.rate == 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(time.Duration(float64(time.Second) / p.rate))
	return ticker.C, ticker.Stop
}

// A measurement is what one stream took.
type measurement struct {
	Frames                int      `json:"frames"`
	P50Millis             float64  `json:"p50_millis"`
	P90Millis             float64  `json:"p90_millis"`
	P99Millis             float64  `json:"p99_millis"`
	BeyondServerP50Millis *float64 `json:"beyond_server_p50_millis,omitempty"`
	CPUMillisPerFrame     float64  `json:"cpu_millis_per_frame"`
	FramesPerSec          float64  `json:"frames_per_sec"`
}

func (m *measurement) String() string {
	return fmt.Sprintf(
		"%d frames, p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, CPU %.3f ms/frame, %.1f frames/s",
		m.Frames, m.P50Millis, m.P90Millis, m.P99Millis, m.CPUMillisPerFrame, m.FramesPerSec)
}

// A call is a stream to measure. send and receive run in a goroutine each.
type call interface {
	send() error
	closeSend()
	// receive waits for the outcome of one frame. It returns the server's own time for it, if known.
	receive() (time.Duration, error)
}

// measure sends the frames of the plan, at most a window of them ahead of their outcomes.
func measure(ctx context.Context, plan plan, call call) (*measurement, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	total := plan.warmUp + plan.frames
	slots := make(chan struct{}, plan.window)
	starts := make(chan time.Time, plan.window)
	sendErr := make(chan error, 1)
	go func() {
		defer call.closeSend()
		ticks, stop := plan.ticks()
		defer stop()
		for range total {
			if ticks != nil {
				<-ticks
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			starts <- time.Now()
			if err := call.send(); err != nil {
				sendErr <- err
				return
			}
		}
	}()
	trips := make([]time.Duration, total)
	beyond := make([]time.Duration, total)
	began, cpu := time.Now(), cpuTime()
	for i := range total {
		if i == plan.warmUp {
			began, cpu = time.Now(), cpuTime()
		}
		serverTime, err := call.receive()
		if errors.Is(err, io.EOF) {
			err = endedEarly(sendErr)
		}
		if err != nil {
			return nil, err
		}
		trips[i] = time.Since(<-starts)
		beyond[i] = trips[i] - serverTime
		<-slots
	}
	spent, elapsed := cpuTime()-cpu, time.Since(began)
	return summarize(trips[plan.warmUp:], beyond[plan.warmUp:], spent, elapsed), nil
}

// endedEarly returns why a stream without an error ended before its last outcome.
func endedEarly(sendErr <-chan error) error {
	select {
	case err := <-sendErr:
		return err
	default:
		return errors.New("the server ended the stream before the last outcome")
	}
}

func summarize(trips, beyond []time.Duration, cpu, elapsed time.Duration) *measurement {
	count := float64(len(trips))
	slices.Sort(trips)
	slices.Sort(beyond)
	return &measurement{
		Frames:                len(trips),
		P50Millis:             percentile(trips, 50),
		P90Millis:             percentile(trips, 90),
		P99Millis:             percentile(trips, 99),
		BeyondServerP50Millis: new(percentile(beyond, 50)),
		CPUMillisPerFrame:     millis(cpu) / count,
		FramesPerSec:          count / elapsed.Seconds(),
	}
}

// percentile returns the time that `percent` of the sorted times do not exceed.
func percentile(sorted []time.Duration, percent int) float64 {
	return millis(sorted[(len(sorted)*percent+99)/100-1])
}

func millis(duration time.Duration) float64 {
	return float64(duration.Nanoseconds()) / 1e6
}

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // only for a wrong argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
