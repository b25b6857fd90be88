package posewire

import posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"

func resultFromResponse(response *posewirev1.EstimatePosesResponse) *Result {
	return &Result{
		Poses:        posesFromMessages(response.GetPoses()),
		Model:        response.GetModel(),
		ModelVersion: response.GetModelVersion(),
		ImageWidth:   int(response.GetImageWidth()),
		ImageHeight:  int(response.GetImageHeight()),
		StageTimes:   stageTimesFromMessage(response.GetStageTimes()),
	}
}

// outcomeFromMessage converts the outcome of one frame of a stream that runs model.
func outcomeFromMessage(message *posewirev1.FrameOutcome, model string) *Outcome {
	outcome := &Outcome{FrameID: message.GetFrameId()}
	switch kind := message.GetOutcome().(type) {
	case *posewirev1.FrameOutcome_Result:
		outcome.Result = &Result{
			Poses:        posesFromMessages(kind.Result.GetPoses()),
			Model:        model,
			ModelVersion: kind.Result.GetModelVersion(),
			ImageWidth:   int(kind.Result.GetImageWidth()),
			ImageHeight:  int(kind.Result.GetImageHeight()),
			StageTimes:   stageTimesFromMessage(kind.Result.GetStageTimes()),
		}
	case *posewirev1.FrameOutcome_Error:
		outcome.Err = errorFromStatus(kind.Error.GetStatus())
	default: // a kind of outcome that is newer than this client counts as skipped
		outcome.Skipped = skipReasonFromMessage(message.GetSkipped().GetReason())
	}
	return outcome
}

func skipReasonFromMessage(reason posewirev1.SkipReason) SkipReason {
	switch reason {
	case posewirev1.SkipReason_SKIP_REASON_SUPERSEDED:
		return SkipSuperseded
	case posewirev1.SkipReason_SKIP_REASON_TOO_OLD:
		return SkipTooOld
	case posewirev1.SkipReason_SKIP_REASON_OVERLOADED:
		return SkipOverloaded
	case posewirev1.SkipReason_SKIP_REASON_DRAINING:
		return SkipDraining
	default:
		return SkipUnknown
	}
}

func posesFromMessages(messages []*posewirev1.Pose) []Pose {
	poses := make([]Pose, len(messages))
	for i, message := range messages {
		poses[i] = Pose{
			Score:     message.GetScore(),
			Box:       boxFromMessage(message.GetBox()),
			Keypoints: make([]Keypoint, len(message.GetKeypoints())),
			TrackID:   message.GetTrackId(),
		}
		for k, keypoint := range message.GetKeypoints() {
			poses[i].Keypoints[k] = Keypoint{
				X:      keypoint.GetX(),
				Y:      keypoint.GetY(),
				Score:  keypoint.GetScore(),
				Origin: originFromMessage(keypoint.GetOrigin()),
			}
		}
	}
	return poses
}

func originFromMessage(origin posewirev1.KeypointOrigin) Origin {
	switch origin {
	case posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_DETECTED:
		return OriginDetected
	case posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_INFERRED:
		return OriginInferred
	case posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_ABSENT:
		return OriginAbsent
	default:
		return OriginUnknown
	}
}

func boxFromMessage(box *posewirev1.Box) Box {
	return Box{XMin: box.GetXMin(), YMin: box.GetYMin(), XMax: box.GetXMax(), YMax: box.GetYMax()}
}

func stageTimesFromMessage(times *posewirev1.StageTimes) StageTimes {
	return StageTimes{
		ImageDecode: times.GetImageDecodeDuration().AsDuration(),
		Queue:       times.GetQueueDuration().AsDuration(),
		Letterbox:   times.GetLetterboxDuration().AsDuration(),
		Inference:   times.GetInferenceDuration().AsDuration(),
		Grouping:    times.GetGroupingDuration().AsDuration(),
		Total:       times.GetTotalDuration().AsDuration(),
	}
}

func modelFromMessage(message *posewirev1.Model) Model {
	model := Model{
		Name:           message.GetName(),
		Version:        message.GetVersion(),
		Precision:      precisionFromMessage(message.GetPrecision()),
		Skeleton:       skeletonFromMessage(message.GetSkeleton()),
		DefaultOptions: optionsFromMessage(message.GetDefaultOptions()),
	}
	for _, size := range message.GetInputSizes() {
		input := InputSize{Width: int(size.GetWidth()), Height: int(size.GetHeight())}
		model.InputSizes = append(model.InputSizes, input)
	}
	return model
}

func precisionFromMessage(precision posewirev1.Precision) Precision {
	switch precision {
	case posewirev1.Precision_PRECISION_FP32:
		return PrecisionFP32
	case posewirev1.Precision_PRECISION_FP16:
		return PrecisionFP16
	case posewirev1.Precision_PRECISION_INT8:
		return PrecisionINT8
	default:
		return PrecisionUnknown
	}
}

func skeletonFromMessage(message *posewirev1.Skeleton) Skeleton {
	var skeleton Skeleton
	for _, each := range message.GetKeypoints() {
		keypoint := KeypointDefinition{Name: each.GetName(), OKSSigma: each.GetOksSigma()}
		skeleton.Keypoints = append(skeleton.Keypoints, keypoint)
	}
	for _, each := range message.GetEdges() {
		edge := Edge{First: int(each.GetFirstKeypoint()), Second: int(each.GetSecondKeypoint())}
		skeleton.Edges = append(skeleton.Edges, edge)
	}
	for _, each := range message.GetFlipPairs() {
		pair := FlipPair{Left: int(each.GetLeftKeypoint()), Right: int(each.GetRightKeypoint())}
		skeleton.FlipPairs = append(skeleton.FlipPairs, pair)
	}
	return skeleton
}

func optionsFromMessage(message *posewirev1.EstimateOptions) EstimateOptions {
	if message == nil {
		return EstimateOptions{}
	}
	options := EstimateOptions{
		MaxPoses:         message.MaxPoses,
		MinPoseScore:     message.MinPoseScore,
		MinKeypointScore: message.MinKeypointScore,
		Refine:           message.Refine,
		FlipTest:         message.FlipTest,
	}
	if message.GetRegionOfInterest() != nil {
		options.RegionOfInterest = new(boxFromMessage(message.GetRegionOfInterest()))
	}
	return options
}
