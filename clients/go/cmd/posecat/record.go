package main

import (
	"fmt"
	"math"
	"time"

	"github.com/posewire/posewire/clients/go"
	"google.golang.org/genproto/googleapis/rpc/code"
)

// A record is one line of the output, with the fields of `posewire predict --json`.
type record struct {
	Source       string             `json:"source"`
	Frame        uint64             `json:"frame"`
	Outcome      string             `json:"outcome"`
	Code         string             `json:"code,omitempty"`
	Reason       string             `json:"reason,omitempty"`
	Message      string             `json:"message,omitempty"`
	Model        string             `json:"model,omitempty"`
	ModelVersion string             `json:"model_version,omitempty"`
	Width        int                `json:"width,omitempty"`
	Height       int                `json:"height,omitempty"`
	Poses        []pose             `json:"poses,omitzero"`
	StageMillis  map[string]float64 `json:"stage_millis,omitempty"`
}

type pose struct {
	Score     float64             `json:"score"`
	Box       [4]float64          `json:"box"`
	TrackID   uint32              `json:"track_id,omitempty"`
	Keypoints map[string]keypoint `json:"keypoints"`
}

type keypoint struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Score  float64 `json:"score"`
	Origin string  `json:"origin"`
}

func recordOf(source string, outcome *posewire.Outcome, skeleton posewire.Skeleton) record {
	line := record{Source: source, Frame: outcome.FrameID}
	switch {
	case outcome.Err != nil:
		line.Outcome = "error"
		line.Code = code.Code(outcome.Err.Code).String()
		line.Reason = outcome.Err.Reason
		line.Message = outcome.Err.Message
	case outcome.Result == nil:
		line.Outcome = "skipped"
		line.Reason = outcome.Skipped.String()
	default:
		result := outcome.Result
		line.Outcome = "result"
		line.Model, line.ModelVersion = result.Model, result.ModelVersion
		line.Width, line.Height = result.ImageWidth, result.ImageHeight
		line.Poses = make([]pose, len(result.Poses))
		for i, each := range result.Poses {
			line.Poses[i] = poseOf(each, skeleton)
		}
		line.StageMillis = stageMillis(result.StageTimes)
	}
	return line
}

func poseOf(each posewire.Pose, skeleton posewire.Skeleton) pose {
	box := each.Box
	named := map[string]keypoint{}
	for k, point := range each.Keypoints {
		name := fmt.Sprintf("keypoint_%d", k)
		if k < len(skeleton.Keypoints) {
			name = skeleton.Keypoints[k].Name
		}
		if point.HasPosition() {
			named[name] = keypoint{
				X: rounded(point.X, 2), Y: rounded(point.Y, 2), Score: rounded(point.Score, 4),
				Origin: point.Origin.String(),
			}
		}
	}
	return pose{
		Score: rounded(each.Score, 4),
		Box: [4]float64{
			rounded(box.XMin, 2), rounded(box.YMin, 2), rounded(box.XMax, 2), rounded(box.YMax, 2),
		},
		TrackID:   each.TrackID,
		Keypoints: named,
	}
}

func stageMillis(times posewire.StageTimes) map[string]float64 {
	millis := map[string]float64{}
	for stage, spent := range map[string]time.Duration{
		"image_decode": times.ImageDecode,
		"queue":        times.Queue,
		"letterbox":    times.Letterbox,
		"inference":    times.Inference,
		"grouping":     times.Grouping,
		"total":        times.Total,
	} {
		if spent > 0 {
			millis[stage] = float64(spent.Microseconds()) / 1000
		}
	}
	return millis
}

// rounded is exact: a float32 times a power of ten this small fits a float64.
func rounded(value float32, digits int) float64 {
	scale := math.Pow10(digits)
	return math.RoundToEven(float64(value)*scale) / scale
}
