package posewire

import (
	"fmt"
	"math"
	"time"
)

// Forever as a time for retries means that they do not end.
const Forever time.Duration = math.MaxInt64

// From the contract: the comment of PoseService on retries.
const (
	initialDelay = 200 * time.Millisecond
	maxDelay     = 10 * time.Second
	maxDoublings = 6 // more than it takes to reach maxDelay
)

// A backoff is an exponential backoff with jitter over consecutive failures. It gives up retryFor
// after the first of them.
type backoff struct {
	retryFor     time.Duration
	draw         func() float64 // in [0, 1)
	now          func() time.Time
	failures     int
	isFailing    bool
	failingSince time.Time
}

func newBackoff(retryFor time.Duration, draw func() float64, now func() time.Time) *backoff {
	return &backoff{retryFor: retryFor, draw: draw, now: now}
}

// isFresh reports whether there was no failure since the start or the last reset.
func (b *backoff) isFresh() bool { return b.failures == 0 }

// reset records a success: the next delay is the initial one again.
func (b *backoff) reset() {
	b.failures = 0
	b.isFailing = false
}

// extend counts retryFor from the next failure on, but keeps the length of the delays.
func (b *backoff) extend() { b.isFailing = false }

// nextDelay records a failure. It returns the delay before the next attempt, or false if time is
// up. The last attempt is made at the end of the time.
func (b *backoff) nextDelay(shortest time.Duration) (time.Duration, bool) {
	now := b.now()
	if !b.isFailing {
		b.isFailing = true
		b.failingSince = now
	}
	longest := min(initialDelay<<min(b.failures, maxDoublings), maxDelay)
	b.failures++
	drawn := time.Duration(b.draw() * float64(longest))
	if b.retryFor == Forever {
		return max(drawn, shortest), true
	}
	remaining := b.retryFor - now.Sub(b.failingSince)
	if remaining <= 0 || shortest > remaining {
		return 0, false
	}
	return min(max(drawn, shortest), remaining), true
}

func checkTimeout(timeout time.Duration) error {
	if timeout <= 0 {
		return fmt.Errorf("posewire: the timeout is %v; it must be positive", timeout)
	}
	return nil
}

func checkRetryFor(retryFor time.Duration) error {
	if retryFor < 0 {
		return fmt.Errorf("posewire: the time for retries is %v; it must not be negative", retryFor)
	}
	return nil
}
