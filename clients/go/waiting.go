package posewire

import (
	"sync"
	"time"
)

// A Waiting is a pause before the next attempt of a call or a stream.
type Waiting struct {
	Err    *Error        // why the call or stream waits
	Waited time.Duration // since the first failure after which no call got through
	Delay  time.Duration // the length of the pause
}

// A waitReporter joins the pauses of all calls of a client into one report.
type waitReporter struct {
	onWait func(*Waiting) // nil: nothing is reported
	now    func() time.Time

	mu          sync.Mutex
	calls       map[*callWait]struct{} // that wait
	since       time.Time
	report      *Waiting
	hasReport   bool // for onWait
	isReporting bool
}

func newWaitReporter(onWait func(*Waiting), now func() time.Time) *waitReporter {
	return &waitReporter{onWait: onWait, now: now, calls: map[*callWait]struct{}{}}
}

// A callWait is the pauses of one call or stream.
type callWait struct {
	reporter *waitReporter
}

func (r *waitReporter) newCall() *callWait { return &callWait{r} }

// begin records a pause before the next attempt.
func (c *callWait) begin(err *Error, delay time.Duration) {
	r := c.reporter
	if r.onWait == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.calls) == 0 {
		r.since = r.now()
	}
	r.calls[c] = struct{}{}
	r.notify(&Waiting{Err: err, Waited: r.now().Sub(r.since), Delay: delay})
}

// end records that the server has answered, or that there is no further attempt.
func (c *callWait) end() {
	r := c.reporter
	if r.onWait == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, isWaiting := r.calls[c]; !isWaiting {
		return
	}
	delete(r.calls, c)
	if len(r.calls) == 0 {
		r.notify(nil)
	}
}

// notify calls onWait without the lock, so that it may use the client. While it runs, it replaces
// the report that is next.
func (r *waitReporter) notify(report *Waiting) {
	r.report, r.hasReport = report, true
	if r.isReporting {
		return
	}
	r.isReporting = true
	defer func() { r.isReporting = false }()
	for r.hasReport {
		next := r.report
		r.report, r.hasReport = nil, false
		r.call(next)
	}
}

func (r *waitReporter) call(report *Waiting) {
	r.mu.Unlock()
	defer r.mu.Lock()
	r.onWait(report)
}
