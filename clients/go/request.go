package posewire

import (
	"fmt"
	"math"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// EstimateOptions are the options of an estimate; nil means the model's default. The comments in
// estimate.proto describe each option and its range.
type EstimateOptions struct {
	MaxPoses         *uint32
	MinPoseScore     *float32
	MinKeypointScore *float32
	RegionOfInterest *Box // the part of the image to search
	Refine           *bool
	FlipTest         *bool
}

// SmoothingOptions are parameters of smoothing; nil means the server's default. The comments in
// stream.proto describe each one and its range.
type SmoothingOptions struct {
	MinCutoffHz    *float32       // lower: less jitter at rest
	CutoffPerSpeed *float32       // higher: less lag of fast movements
	SpeedCutoffHz  *float32       // of the speed itself
	MaxGap         *time.Duration // a keypoint that is not located for longer begins anew
}

// A Delivery is what happens to frames that arrive faster than they can be processed.
type Delivery int

const (
	Lossless Delivery = iota // every frame is processed; Send waits
	Latest                   // a newer frame replaces one that still waits; for live cameras
)

// A StreamConfig is the settings of a stream. The zero value is a lossless stream of the server's
// default model.
//
// A field that is zero is not sent. Nothing is lost by that, because the contract gives no other
// meaning to a zero: a window has at least one frame, and a maximum age is greater than zero.
type StreamConfig struct {
	Model    string // empty: the server's default model
	Options  EstimateOptions
	Delivery Delivery

	// Window is the maximum number of frames in flight. The server's limit may be lower. 0, the
	// default: the server chooses. A negative one is an error.
	Window int

	// MaxFrameAge is how long a frame may wait for inference before it is skipped as [SkipTooOld].
	// Only with Latest. 0, the default: no limit. A negative one is an error.
	MaxFrameAge time.Duration

	Track     bool // whether poses get a track id
	Smoothing bool // whether keypoints are smoothed over the frames of a track; requires Track

	// SmoothingOptions are how keypoints are smoothed; requires Smoothing.
	SmoothingOptions SmoothingOptions

	// Timeout replaces the client's, see [WithTimeout], if it is not 0.
	Timeout time.Duration
}

// A Frame is one image of a stream.
type Frame struct {
	Image Image

	// CaptureTime is on any clock that is monotonic during the stream. Tracking and smoothing use
	// it. Set it on all frames of a stream or on none: the zero time is absent.
	CaptureTime time.Time
}

func estimateRequest(
	image Image, model string, options EstimateOptions,
) (*posewirev1.EstimatePosesRequest, error) {
	message, err := imageMessage(image)
	if err != nil {
		return nil, err
	}
	return &posewirev1.EstimatePosesRequest{
		Model: model, Options: options.message(), Image: message,
	}, nil
}

func (f Frame) request() (frameRequest, error) {
	image, err := imageMessage(f.Image)
	if err != nil {
		return frameRequest{}, err
	}
	frame := &posewirev1.Frame{Image: image}
	if !f.CaptureTime.IsZero() {
		frame.CaptureTime = timestamppb.New(f.CaptureTime)
	}
	return frameRequest{
		message: &posewirev1.StreamPosesRequest{
			Payload: &posewirev1.StreamPosesRequest_Frame{Frame: frame},
		},
		imageBytes: max(len(image.GetEncoded().GetData()), len(image.GetRaw().GetData())),
	}, nil
}

func imageMessage(image Image) (*posewirev1.Image, error) {
	if image == nil {
		return nil, &ImageError{Message: "there is no image; expected EncodedImage or RawImage"}
	}
	return image.message()
}

func (c StreamConfig) message() (*posewirev1.StreamConfig, error) {
	message := &posewirev1.StreamConfig{
		Model:            c.Model,
		Options:          c.Options.message(),
		DeliveryPolicy:   posewirev1.DeliveryPolicy_DELIVERY_POLICY_IN_ORDER_LOSSLESS,
		Track:            c.Track,
		Smoothing:        c.Smoothing,
		SmoothingOptions: c.SmoothingOptions.message(),
	}
	switch c.Delivery {
	case Lossless:
	case Latest:
		message.DeliveryPolicy = posewirev1.DeliveryPolicy_DELIVERY_POLICY_LATEST
	default:
		return nil, fmt.Errorf("posewire: the delivery is %d; expected Lossless or Latest", c.Delivery)
	}
	if c.Window < 0 || c.Window > math.MaxInt32 {
		return nil, fmt.Errorf("posewire: the window is %d frames; expected 0 to %d",
			c.Window, math.MaxInt32)
	}
	if c.Window != 0 {
		message.MaxFramesInFlight = new(uint32(c.Window))
	}
	if c.MaxFrameAge < 0 {
		return nil, fmt.Errorf("posewire: the maximum frame age is %v; expected more than 0, or 0 "+
			"for no limit", c.MaxFrameAge)
	}
	if c.MaxFrameAge != 0 {
		message.MaxFrameAge = durationpb.New(c.MaxFrameAge)
	}
	return message, nil
}

// message returns nil if no option is set.
func (o EstimateOptions) message() *posewirev1.EstimateOptions {
	if o == (EstimateOptions{}) {
		return nil
	}
	message := &posewirev1.EstimateOptions{
		MaxPoses:         o.MaxPoses,
		MinPoseScore:     o.MinPoseScore,
		MinKeypointScore: o.MinKeypointScore,
		Refine:           o.Refine,
		FlipTest:         o.FlipTest,
	}
	if region := o.RegionOfInterest; region != nil {
		message.RegionOfInterest = &posewirev1.Box{
			XMin: region.XMin, YMin: region.YMin, XMax: region.XMax, YMax: region.YMax,
		}
	}
	return message
}

// message returns nil if no option is set.
func (o SmoothingOptions) message() *posewirev1.SmoothingOptions {
	if o == (SmoothingOptions{}) {
		return nil
	}
	message := &posewirev1.SmoothingOptions{
		MinCutoffHz:    o.MinCutoffHz,
		CutoffPerSpeed: o.CutoffPerSpeed,
		SpeedCutoffHz:  o.SpeedCutoffHz,
	}
	if o.MaxGap != nil {
		message.MaxGap = durationpb.New(*o.MaxGap)
	}
	return message
}
