package posewire

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
)

// A waitLog is what onWait has reported.
type waitLog struct {
	mu   sync.Mutex
	seen []*Waiting
}

func (l *waitLog) add(waiting *Waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, waiting)
}

func (l *waitLog) reports() []*Waiting {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*Waiting{}, l.seen...)
}

func TestSeveralCallsWaitAsOne(t *testing.T) {
	now := time.Now()
	var log waitLog
	reporter := newWaitReporter(log.add, func() time.Time { return now })
	gone := newError(codes.Unavailable, "gone")
	first, second := reporter.newCall(), reporter.newCall()
	first.end()
	first.begin(gone, 200*time.Millisecond)
	now = now.Add(time.Second)
	second.begin(gone, 300*time.Millisecond)
	now = now.Add(2 * time.Second)
	first.begin(gone, 400*time.Millisecond)
	first.end()
	second.end()
	second.end() // every further response
	now = now.Add(100 * time.Second)
	first.begin(gone, time.Second)
	want := []*Waiting{
		{gone, 0, 200 * time.Millisecond},
		{gone, time.Second, 300 * time.Millisecond},
		{gone, 3 * time.Second, 400 * time.Millisecond},
		nil,
		{gone, 0, time.Second},
	}
	if got := log.reports(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAReportDuringAReportComesAfterIt(t *testing.T) {
	var log waitLog
	var other *callWait
	gone := newError(codes.Unavailable, "gone")
	reporter := newWaitReporter(func(waiting *Waiting) {
		if len(log.reports()) == 0 {
			other.begin(gone, time.Second)
			other.begin(gone, time.Minute)
			expect(t, len(log.reports()), 0)
		}
		log.add(waiting)
	}, time.Now)
	other = reporter.newCall()
	reporter.newCall().begin(gone, time.Hour)
	var delays []time.Duration
	for _, each := range log.reports() {
		delays = append(delays, each.Delay)
	}
	if want := []time.Duration{time.Hour, time.Minute}; !reflect.DeepEqual(delays, want) {
		t.Errorf("got %v, want %v", delays, want)
	}
}

func TestACallReportsThatItWaits(t *testing.T) {
	var log waitLog
	server := &scriptedServer{estimates: []estimateFunc{failWith(codes.Unavailable), answerOne}}
	client := serve(t, server, WithOnWait(log.add))
	for range 2 { // the second does not wait
		if _, err := client.Estimate(t.Context(), jpeg); err != nil {
			t.Fatal(err)
		}
	}
	expectOneWait(t, log.reports())
}

func TestAStreamReportsThatItWaits(t *testing.T) {
	var log waitLog
	refuse := func(serverStream) error {
		_, err := failWith(codes.Unavailable)(context.Background(), nil)
		return err
	}
	server := &scriptedServer{streams: []streamFunc{refuse, answerAll}}
	client := serve(t, server, WithOnWait(log.add))
	stream, err := client.Stream(t.Context(), StreamConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if err := stream.Send(t.Context(), Frame{Image: jpeg}); err != nil {
		t.Fatal(err)
	}
	if outcome, err := stream.Recv(); err != nil || outcome.Result == nil {
		t.Fatalf("got %v, %v", outcome, err)
	}
	expectOneWait(t, log.reports())
}

func expectOneWait(t *testing.T, reports []*Waiting) {
	t.Helper()
	if len(reports) != 2 || reports[0] == nil || reports[1] != nil {
		t.Fatalf("got %v", reports)
	}
	expect(t, reports[0].Err.Code, codes.Unavailable)
}

func TestGivingUpEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log waitLog
		server := &scriptedServer{estimates: []estimateFunc{failWith(codes.Unavailable)}}
		client := serve(t, server, WithOnWait(log.add), WithRetryFor(time.Second))
		var failure *Error
		if _, err := client.Estimate(t.Context(), jpeg); !errors.As(err, &failure) {
			t.Fatalf("got %v", err)
		}
		reports := log.reports()
		if len(reports) < 2 || reports[len(reports)-1] != nil {
			t.Errorf("got %v", reports)
		}
	})
}

func TestOnWaitMayCloseTheClient(t *testing.T) {
	var client *Client
	server := &scriptedServer{estimates: []estimateFunc{failWith(codes.Unavailable)}}
	onWait := func(waiting *Waiting) {
		if waiting != nil {
			_ = client.Close()
		}
	}
	client = serve(t, server, WithOnWait(onWait), WithRetryFor(Forever), WithTimeout(time.Hour))
	if _, err := client.Estimate(t.Context(), jpeg); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}
