// Package exampleserver is a server for examples and tests, which runs no network.
package exampleserver

import (
	"context"
	"log"
	"net"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Start starts a server that sees one person in every image of more than 5 bytes. It returns its
// address and how to stop it.
func Start() (string, func()) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	posewirev1.RegisterPoseServiceServer(server, exampleService{})
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), server.Stop
}

type exampleService struct {
	posewirev1.UnimplementedPoseServiceServer
}

var exampleModel = &posewirev1.Model{
	Name: "demo",
	Skeleton: &posewirev1.Skeleton{
		Keypoints: []*posewirev1.KeypointDefinition{{Name: "nose"}, {Name: "left_eye"}},
	},
}

var examplePoses = []*posewirev1.Pose{{
	Score: 0.9,
	Box:   &posewirev1.Box{XMin: 10, YMin: 20, XMax: 30, YMax: 60},
	Keypoints: []*posewirev1.Keypoint{
		{X: 20, Y: 25, Score: 0.9, Origin: posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_DETECTED},
		{Origin: posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_ABSENT},
	},
}}

func (exampleService) ListModels(
	context.Context, *posewirev1.ListModelsRequest,
) (*posewirev1.ListModelsResponse, error) {
	return &posewirev1.ListModelsResponse{Models: []*posewirev1.Model{exampleModel}}, nil
}

func (exampleService) GetModel(
	context.Context, *posewirev1.GetModelRequest,
) (*posewirev1.GetModelResponse, error) {
	return &posewirev1.GetModelResponse{Model: exampleModel}, nil
}

func (exampleService) EstimatePoses(
	_ context.Context, request *posewirev1.EstimatePosesRequest,
) (*posewirev1.EstimatePosesResponse, error) {
	if err := check(request.GetImage()); err != nil {
		return nil, err.Err()
	}
	return &posewirev1.EstimatePosesResponse{Model: "demo", Poses: examplePoses}, nil
}

func (exampleService) StreamPoses(stream posewirev1.PoseService_StreamPosesServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	started := &posewirev1.StreamStarted{Model: exampleModel, MaxFramesInFlight: 4}
	response := &posewirev1.StreamPosesResponse{
		Event: &posewirev1.StreamPosesResponse_Started{Started: started},
	}
	for {
		if err := stream.Send(response); err != nil {
			return err
		}
		request, err := stream.Recv()
		if err != nil {
			return nil
		}
		outcome := outcomeOf(request.GetFrame())
		response = &posewirev1.StreamPosesResponse{
			Event: &posewirev1.StreamPosesResponse_Outcome{Outcome: outcome},
		}
	}
}

func outcomeOf(frame *posewirev1.Frame) *posewirev1.FrameOutcome {
	outcome := &posewirev1.FrameOutcome{FrameId: frame.GetFrameId()}
	if err := check(frame.GetImage()); err != nil {
		failure := &posewirev1.FrameError{Status: err.Proto()}
		outcome.Outcome = &posewirev1.FrameOutcome_Error{Error: failure}
	} else {
		result := &posewirev1.FrameResult{Poses: examplePoses}
		outcome.Outcome = &posewirev1.FrameOutcome_Result{Result: result}
	}
	return outcome
}

func check(image *posewirev1.Image) *status.Status {
	if len(image.GetEncoded().GetData())+len(image.GetRaw().GetData()) > 5 {
		return nil
	}
	violation := &errdetails.BadRequest_FieldViolation{Field: "image.encoded.data"}
	failure, err := status.New(codes.InvalidArgument, "not an image").WithDetails(
		&errdetails.ErrorInfo{Domain: "posewire", Reason: "IMAGE_UNDECODABLE"},
		&errdetails.BadRequest{
			FieldViolations: []*errdetails.BadRequest_FieldViolation{violation},
		})
	if err != nil {
		log.Fatal(err)
	}
	return failure
}
