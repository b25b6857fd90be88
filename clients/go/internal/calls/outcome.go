package main

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/posewire/posewire/clients/go"
	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/proto"
)

var closed = document{"closed": true}

// errorDocument returns the error again if it is none that the client may return.
func errorDocument(err error) (document, error) {
	var imageError *posewire.ImageError
	var protocolError *posewire.ProtocolError
	var failure *posewire.Error
	switch {
	case errors.Is(err, posewire.ErrClosed):
		return closed, nil
	case errors.As(err, &imageError):
		return document{"refused": true}, nil
	case errors.As(err, &protocolError):
		return document{"protocol": true}, nil
	case errors.As(err, &failure):
		return statusDocument(failure), nil
	}
	return nil, err
}

func statusDocument(failure *posewire.Error) document {
	violations := [][2]string{}
	for _, each := range failure.Violations {
		violations = append(violations, [2]string{each.Field, each.Description})
	}
	metadata := failure.Metadata
	if metadata == nil {
		metadata = map[string]string{}
	}
	message := ""
	if failure.FromServer { // errors of gRPC libraries read differently
		message = failure.Message
	}
	return document{
		"code":             code.Code(failure.Code).String(),
		"reason":           failure.Reason,
		"violations":       violations,
		"metadata":         metadata,
		"retry_after_secs": failure.RetryAfter.Seconds(),
		"from_server":      failure.FromServer,
		"message":          message,
	}
}

func outcomeDocument(outcome *posewire.Outcome) (document, error) {
	converted := document{"frame": outcome.FrameID, "before": outcome.FramesSkippedBefore}
	switch {
	case outcome.Result != nil:
		result, err := resultDocument(outcome.Result)
		converted["result"] = result["result"]
		return converted, err
	case outcome.Err != nil:
		converted["error"] = statusDocument(outcome.Err)
	default:
		reason := strings.ReplaceAll(outcome.Skipped.String(), " ", "_")
		converted["skipped"] = strings.ToUpper(reason)
	}
	return converted, nil
}

// resultDocument returns the result as the message that it came in, without times.
func resultDocument(result *posewire.Result) (document, error) {
	message := &posewirev1.EstimatePosesResponse{
		Model:        result.Model,
		ModelVersion: result.ModelVersion,
		ImageWidth:   uint32(result.ImageWidth),
		ImageHeight:  uint32(result.ImageHeight),
	}
	for _, pose := range result.Poses {
		message.Poses = append(message.Poses, poseMessage(&pose))
	}
	packed, err := proto.Marshal(message)
	return document{"result": hex.EncodeToString(packed)}, err
}

func poseMessage(pose *posewire.Pose) *posewirev1.Pose {
	message := &posewirev1.Pose{
		Score: pose.Score,
		Box: &posewirev1.Box{
			XMin: pose.Box.XMin, YMin: pose.Box.YMin, XMax: pose.Box.XMax, YMax: pose.Box.YMax,
		},
	}
	if pose.TrackID != 0 {
		message.TrackId = &pose.TrackID
	}
	for _, each := range pose.Keypoints {
		origin := "KEYPOINT_ORIGIN_" + strings.ToUpper(each.Origin.String())
		message.Keypoints = append(message.Keypoints, &posewirev1.Keypoint{
			X: each.X, Y: each.Y, Score: each.Score,
			Origin: posewirev1.KeypointOrigin(posewirev1.KeypointOrigin_value[origin]),
		})
	}
	return message
}

// modelsDocument returns the models as the messages that they came in.
func modelsDocument(models []posewire.Model, err error) (document, error) {
	if err != nil {
		failure, err := errorDocument(err)
		return document{"error": failure}, err
	}
	packed := []string{}
	for _, each := range models {
		content, err := proto.Marshal(modelMessage(&each))
		if err != nil {
			return nil, err
		}
		packed = append(packed, hex.EncodeToString(content))
	}
	return document{"models": packed}, nil
}

func modelMessage(model *posewire.Model) *posewirev1.Model {
	precision := "PRECISION_" + strings.ToUpper(model.Precision.String())
	options := model.DefaultOptions
	message := &posewirev1.Model{
		Name:      model.Name,
		Version:   model.Version,
		Precision: posewirev1.Precision(posewirev1.Precision_value[precision]),
		Skeleton:  &posewirev1.Skeleton{},
		DefaultOptions: &posewirev1.EstimateOptions{
			MaxPoses:         options.MaxPoses,
			MinPoseScore:     options.MinPoseScore,
			MinKeypointScore: options.MinKeypointScore,
			Refine:           options.Refine,
			FlipTest:         options.FlipTest,
		},
	}
	for _, each := range model.InputSizes {
		message.InputSizes = append(message.InputSizes, &posewirev1.InputSize{
			Width: uint32(each.Width), Height: uint32(each.Height),
		})
	}
	skeleton := message.Skeleton
	for _, each := range model.Skeleton.Keypoints {
		skeleton.Keypoints = append(skeleton.Keypoints, &posewirev1.KeypointDefinition{
			Name: each.Name, OksSigma: each.OKSSigma,
		})
	}
	for _, each := range model.Skeleton.Edges {
		skeleton.Edges = append(skeleton.Edges, &posewirev1.SkeletonEdge{
			FirstKeypoint: uint32(each.First), SecondKeypoint: uint32(each.Second),
		})
	}
	for _, each := range model.Skeleton.FlipPairs {
		skeleton.FlipPairs = append(skeleton.FlipPairs, &posewirev1.FlipPair{
			LeftKeypoint: uint32(each.Left), RightKeypoint: uint32(each.Right),
		})
	}
	return message
}
