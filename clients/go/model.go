package posewire

// A Precision is the number format of a model's weights.
type Precision int

const (
	PrecisionUnknown Precision = iota // a format that is newer than this client
	PrecisionFP32
	PrecisionFP16
	PrecisionINT8
)

// String returns the format in lower case, such as "fp32".
func (p Precision) String() string {
	switch p {
	case PrecisionFP32:
		return "fp32"
	case PrecisionFP16:
		return "fp16"
	case PrecisionINT8:
		return "int8"
	default:
		return "unknown"
	}
}

// An InputSize is a size of a network's input in pixels.
type InputSize struct{ Width, Height int }

// A KeypointDefinition is one keypoint of a skeleton.
type KeypointDefinition struct {
	Name     string  // such as "left_shoulder"; left and right are the person's own
	OKSSigma float32 // the sigma of COCO's object keypoint similarity
}

// An Edge is a line between two keypoints in a drawing, as indices of Skeleton.Keypoints.
type Edge struct{ First, Second int }

// A FlipPair is two keypoints that are mirror images, as indices of Skeleton.Keypoints.
type FlipPair struct{ Left, Right int }

// A Skeleton is the keypoints of a model's poses and how they are connected.
type Skeleton struct {
	Keypoints []KeypointDefinition
	Edges     []Edge
	FlipPairs []FlipPair
}

// A Model is a model of the server. Its version changes whenever results may change.
type Model struct {
	Name           string
	Version        string
	Precision      Precision
	InputSizes     []InputSize
	Skeleton       Skeleton
	DefaultOptions EstimateOptions
}
