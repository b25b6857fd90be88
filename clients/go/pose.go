package posewire

// An Origin is how a keypoint was located. All values but OriginAbsent come with a position.
type Origin int

const (
	OriginUnknown  Origin = iota // a value that is newer than this client
	OriginDetected               // at a peak of its own in the network's output
	OriginInferred               // without a peak, where the network's output best fits the person
	OriginAbsent                 // not located
)

// String returns the origin in lower case, such as "detected".
func (o Origin) String() string {
	switch o {
	case OriginDetected:
		return "detected"
	case OriginInferred:
		return "inferred"
	case OriginAbsent:
		return "absent"
	default:
		return "unknown"
	}
}

// A Box is axis-aligned, in frame space, edges included.
type Box struct{ XMin, YMin, XMax, YMax float32 }

// A Keypoint is one body point of one person. X, Y and Score are 0 if the origin is OriginAbsent.
type Keypoint struct {
	X, Y   float32
	Score  float32 // in [0, 1]
	Origin Origin
}

// HasPosition reports whether the keypoint was located.
func (k Keypoint) HasPosition() bool { return k.Origin != OriginAbsent }

// A Pose is one person. Its keypoints are in the order of the model's skeleton.
type Pose struct {
	Score     float32 // in [0, 1]
	Box       Box     // around all keypoints that have a position
	Keypoints []Keypoint

	// TrackID is the person's number in a stream with tracking. It is at least 1, or 0 for a pose
	// without a track.
	TrackID uint32
}
