package posewire

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

type (
	serverStream = posewirev1.PoseService_StreamPosesServer
	estimateFunc = func(
		context.Context, *posewirev1.EstimatePosesRequest,
	) (*posewirev1.EstimatePosesResponse, error)
	streamFunc = func(serverStream) error
)

// A scriptedServer runs the next script for each call of a kind, and the last one for all further
// calls.
type scriptedServer struct {
	posewirev1.UnimplementedPoseServiceServer
	estimates []estimateFunc
	streams   []streamFunc

	mu       sync.Mutex
	requests []*posewirev1.EstimatePosesRequest
	timeouts []time.Duration
	sent     [][]uint64 // the frames of each stream
	configs  []*posewirev1.StreamConfig
}

func (s *scriptedServer) ListModels(
	context.Context, *posewirev1.ListModelsRequest,
) (*posewirev1.ListModelsResponse, error) {
	return &posewirev1.ListModelsResponse{Models: []*posewirev1.Model{smallModel()}}, nil
}

func (s *scriptedServer) GetModel(
	_ context.Context, request *posewirev1.GetModelRequest,
) (*posewirev1.GetModelResponse, error) {
	if request.GetModel() != "" && request.GetModel() != "small" {
		return nil, status.Errorf(codes.NotFound, "no model %s", request.GetModel())
	}
	return &posewirev1.GetModelResponse{Model: smallModel()}, nil
}

func (s *scriptedServer) EstimatePoses(
	ctx context.Context, request *posewirev1.EstimatePosesRequest,
) (*posewirev1.EstimatePosesResponse, error) {
	deadline, _ := ctx.Deadline()
	s.mu.Lock()
	s.requests = append(s.requests, request)
	s.timeouts = append(s.timeouts, time.Until(deadline))
	script := s.estimates[min(len(s.requests), len(s.estimates))-1]
	s.mu.Unlock()
	return script(ctx, request)
}

func (s *scriptedServer) StreamPoses(stream serverStream) error {
	s.mu.Lock()
	number := len(s.sent)
	s.sent = append(s.sent, nil)
	script := s.streams[min(number, len(s.streams)-1)]
	s.mu.Unlock()
	return script(&recordedStream{serverStream: stream, server: s, number: number})
}

// framesSent returns the numbers of the frames of each stream so far.
func (s *scriptedServer) framesSent() [][]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]uint64{}, s.sent...)
}

type recordedStream struct {
	serverStream
	server *scriptedServer
	number int
}

func (r *recordedStream) Recv() (*posewirev1.StreamPosesRequest, error) {
	request, err := r.serverStream.Recv()
	if err != nil {
		return nil, err
	}
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if config := request.GetConfig(); config != nil {
		r.server.configs = append(r.server.configs, config)
	} else {
		sent := &r.server.sent[r.number]
		*sent = append(*sent, request.GetFrame().GetFrameId())
	}
	return request, nil
}

// answerOne finds one person in the image.
func answerOne(
	context.Context, *posewirev1.EstimatePosesRequest,
) (*posewirev1.EstimatePosesResponse, error) {
	return &posewirev1.EstimatePosesResponse{
		Poses: []*posewirev1.Pose{smallPose()}, Model: "small", ModelVersion: "small@1",
		ImageWidth: 8, ImageHeight: 6,
	}, nil
}

// answerAll finds one person in every frame.
func answerAll(stream serverStream) error { return answer(stream, 4, -1) }

// answer starts a stream and finds one person in each of its first frames, or in all.
func answer(stream serverStream, window uint32, frames int) error {
	if err := begin(stream, window); err != nil {
		return err
	}
	return answerStarted(stream, frames)
}

// answerStarted answers frames of a stream that has been started.
func answerStarted(stream serverStream, frames int) error {
	for ; frames != 0; frames-- {
		request, err := stream.Recv()
		if err != nil {
			return nil // the client has half-closed
		}
		if err := stream.Send(resultResponse(request.GetFrame().GetFrameId())); err != nil {
			return err
		}
	}
	return nil
}

func begin(stream serverStream, window uint32) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return stream.Send(startedResponse(window, 1<<20))
}

// silent does nothing until the client cancels the call.
func silent(stream serverStream) error {
	<-stream.Context().Done()
	return nil
}

func smallModel() *posewirev1.Model {
	return &posewirev1.Model{
		Name:       "small",
		Version:    "small@1",
		Precision:  posewirev1.Precision_PRECISION_FP16,
		InputSizes: []*posewirev1.InputSize{{Width: 64, Height: 48}},
		Skeleton: &posewirev1.Skeleton{
			Keypoints: []*posewirev1.KeypointDefinition{{Name: "nose", OksSigma: 0.5}},
			Edges:     []*posewirev1.SkeletonEdge{{FirstKeypoint: 0, SecondKeypoint: 1}},
			FlipPairs: []*posewirev1.FlipPair{{LeftKeypoint: 1, RightKeypoint: 2}},
		},
		DefaultOptions: &posewirev1.EstimateOptions{
			MaxPoses: new(uint32(30)), Refine: new(true),
			RegionOfInterest: &posewirev1.Box{XMax: 3},
		},
	}
}

// serve runs the server in memory and returns a client of it. Both end with the test.
func serve(t *testing.T, server *scriptedServer, options ...Option) *Client {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	grpcServer := grpc.NewServer(
		grpc.MaxRecvMsgSize(64<<20),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second}),
	)
	posewirev1.RegisterPoseServiceServer(grpcServer, server)
	var serving sync.WaitGroup
	serving.Go(func() { _ = grpcServer.Serve(listener) })
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }
	options = append([]Option{WithDialOptions(grpc.WithContextDialer(dial))}, options...)
	client, err := NewClient("passthrough:///memory", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		grpcServer.Stop()
		serving.Wait()
	})
	return client
}

// serveAnswers runs a server that answers every frame.
func serveAnswers(t *testing.T) *Client {
	t.Helper()
	return serve(t, &scriptedServer{streams: []streamFunc{answerAll}})
}
