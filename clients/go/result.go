package posewire

import "time"

// StageTimes is the time that the server spent on an image; 0 for a stage that did not run.
type StageTimes struct {
	ImageDecode time.Duration // decoding the file, or converting the pixel format
	Queue       time.Duration // waiting for a free worker, summed over all stages
	Letterbox   time.Duration // resizing and padding to the network's input
	Inference   time.Duration // running the network
	Grouping    time.Duration // converting the network's output to poses
	Total       time.Duration // in a stream, waiting for the outcomes of earlier frames included
}

// A Result is the poses in an image, best score first.
type Result struct {
	Poses        []Pose
	Model        string
	ModelVersion string
	ImageWidth   int // in pixels
	ImageHeight  int
	StageTimes   StageTimes
}

// A SkipReason is why a frame was not processed.
type SkipReason int

const (
	NotSkipped     SkipReason = iota // the outcome is a result or an error
	SkipUnknown                      // a reason, or a kind of outcome, newer than this client
	SkipSuperseded                   // a newer frame arrived while this one waited
	SkipTooOld                       // it waited longer than StreamConfig.MaxFrameAge
	SkipOverloaded                   // the server had no memory left for the frame
	SkipDraining                     // the server was draining the stream
)

// String returns the reason in lower case, such as "too old".
func (r SkipReason) String() string {
	switch r {
	case NotSkipped:
		return "not skipped"
	case SkipSuperseded:
		return "superseded"
	case SkipTooOld:
		return "too old"
	case SkipOverloaded:
		return "overloaded"
	case SkipDraining:
		return "draining"
	default:
		return "unknown"
	}
}

// An Outcome is what became of one frame: a result, an error or a skip. Exactly one of Result, Err
// and Skipped is set.
type Outcome struct {
	// FrameID counts the frames of the stream from 1.
	FrameID uint64

	// FramesSkippedBefore counts the frames of the stream that were skipped before this one.
	FramesSkippedBefore uint64

	// Result has the poses in the frame.
	Result *Result

	// Err says why the frame could not be processed. The stream continues. Do not resend the frame.
	Err *Error

	// Skipped says why the frame was not processed. That is not an error.
	Skipped SkipReason
}
