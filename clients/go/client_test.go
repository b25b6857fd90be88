package posewire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

var jpeg = EncodedImage("a small image")

func failWith(code codes.Code, details ...protoadapt.MessageV1) estimateFunc {
	return func(context.Context, *posewirev1.EstimatePosesRequest) (
		*posewirev1.EstimatePosesResponse, error,
	) {
		failure, err := status.New(code, "scripted").WithDetails(details...)
		if err != nil {
			return nil, err
		}
		return nil, failure.Err()
	}
}

func hang(ctx context.Context, _ *posewirev1.EstimatePosesRequest) (
	*posewirev1.EstimatePosesResponse, error,
) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func retryAfter(delay time.Duration) *errdetails.RetryInfo {
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(delay)}
}

func TestEstimateReturnsThePoses(t *testing.T) {
	server := &scriptedServer{estimates: []estimateFunc{answerOne}}
	client := serve(t, server)
	options := EstimateOptions{MinPoseScore: new(float32(0.25)), RegionOfInterest: &Box{XMax: 5}}
	result, err := client.Estimate(t.Context(), jpeg, UseModel("small"), UseOptions(options))
	if err != nil {
		t.Fatal(err)
	}
	want := &Result{
		Poses: []Pose{{
			Score: 0.75,
			Box:   Box{1.5, 2.5, 3.5, 4.5},
			Keypoints: []Keypoint{
				{1.5, 2.5, 0.875, OriginDetected}, {3.5, 4.5, 0.25, OriginInferred},
				{Origin: OriginAbsent},
			},
			TrackID: 7,
		}},
		Model: "small", ModelVersion: "small@1", ImageWidth: 8, ImageHeight: 6,
	}
	if !reflect.DeepEqual(result, want) {
		t.Errorf("got %+v, want %+v", result, want)
	}
	request := server.requests[0]
	if !bytes.Equal(request.GetImage().GetEncoded().GetData(), jpeg) {
		t.Errorf("the image is %v", request.GetImage())
	}
	if request.GetModel() != "small" || request.GetOptions().GetMinPoseScore() != 0.25 ||
		request.GetOptions().GetRegionOfInterest().GetXMax() != 5 {
		t.Errorf("the request is %v", request)
	}
	if server.timeouts[0] <= 0 || server.timeouts[0] > defaultTimeout {
		t.Errorf("the timeout is %v", server.timeouts[0])
	}
}

func TestAnImageOfManyMegabytesIsSentAgain(t *testing.T) {
	server := &scriptedServer{estimates: []estimateFunc{failWith(codes.Unavailable), answerOne}}
	image := EncodedImage(make([]byte, 20<<20))
	if _, err := serve(t, server).Estimate(t.Context(), image); err != nil {
		t.Fatal(err)
	}
	expect(t, len(server.requests), 2)
	expect(t, len(server.requests[1].GetImage().GetEncoded().GetData()), 20<<20)
}

func TestModelsAreDescribed(t *testing.T) {
	client := serve(t, &scriptedServer{})
	models, err := client.Models(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Model{
		Name: "small", Version: "small@1", Precision: PrecisionFP16,
		InputSizes: []InputSize{{64, 48}},
		Skeleton: Skeleton{
			Keypoints: []KeypointDefinition{{"nose", 0.5}},
			Edges:     []Edge{{0, 1}},
			FlipPairs: []FlipPair{{1, 2}},
		},
		DefaultOptions: EstimateOptions{
			MaxPoses: new(uint32(30)), Refine: new(true), RegionOfInterest: &Box{XMax: 3},
		},
	}
	if !reflect.DeepEqual(models, []Model{want}) {
		t.Errorf("got %+v, want %+v", models, want)
	}
	model, err := client.Model(t.Context())
	if err != nil || !reflect.DeepEqual(*model, want) {
		t.Errorf("got %+v, %v", model, err)
	}
	var failure *Error
	_, err = client.Model(t.Context(), UseModel("large"))
	if !errors.As(err, &failure) || failure.Code != codes.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestAnErrorHasItsDetails(t *testing.T) {
	fields := []*errdetails.BadRequest_FieldViolation{{Field: "options.max_poses", Description: "0"}}
	server := &scriptedServer{estimates: []estimateFunc{failWith(codes.InvalidArgument,
		&errdetails.ErrorInfo{
			Domain: domain, Reason: "FIELD_INVALID", Metadata: map[string]string{"a": "b"},
		},
		&errdetails.BadRequest{FieldViolations: fields},
		retryAfter(time.Second),
	)}}
	_, err := serve(t, server).Estimate(t.Context(), jpeg)
	var failure *Error
	if !errors.As(err, &failure) {
		t.Fatalf("got %T %v", err, err)
	}
	violation := FieldViolation{Field: "options.max_poses", Description: "0"}
	if failure.Code != codes.InvalidArgument || failure.Reason != "FIELD_INVALID" ||
		failure.Metadata["a"] != "b" || failure.RetryAfter != time.Second || !failure.FromServer ||
		!reflect.DeepEqual(failure.Violations, []FieldViolation{violation}) {
		t.Errorf("got %+v", failure)
	}
	if want := "INVALID_ARGUMENT (FIELD_INVALID): scripted"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if converted, ok := status.FromError(err); !ok || len(converted.Details()) != 3 {
		t.Errorf("status.FromError returns %v, %v", converted, ok)
	}
	if len(server.requests) != 1 {
		t.Errorf("%d attempts", len(server.requests))
	}
}

func TestTransientErrorsAreRetried(t *testing.T) {
	for name, failure := range map[string]estimateFunc{
		"unavailable": failWith(codes.Unavailable),
		"busy":        failWith(codes.ResourceExhausted, retryAfter(0)),
		"cancelled":   failWith(codes.Canceled),
	} {
		t.Run(name, func(t *testing.T) {
			server := &scriptedServer{estimates: []estimateFunc{failure, answerOne}}
			if _, err := serve(t, server).Estimate(t.Context(), jpeg); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestOtherErrorsAreNotRetried(t *testing.T) {
	for _, code := range []codes.Code{codes.ResourceExhausted, codes.Internal, codes.NotFound} {
		server := &scriptedServer{estimates: []estimateFunc{failWith(code), answerOne}}
		_, err := serve(t, server).Estimate(t.Context(), jpeg)
		if status.Code(err) != code || len(server.requests) != 1 {
			t.Errorf("got %v after %d attempts, want %v", err, len(server.requests), code)
		}
	}
}

func TestRetriesLastThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &scriptedServer{estimates: []estimateFunc{failWith(codes.Unavailable)}}
		client := serve(t, server, WithTimeout(time.Hour))
		began := time.Now()
		_, err := client.Estimate(t.Context(), jpeg)
		if status.Code(err) != codes.Unavailable {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took < 29*time.Second || took > 31*time.Second {
			t.Errorf("gave up after %v", took)
		}
		if attempts := len(server.requests); attempts < 5 || attempts > 100 {
			t.Errorf("%d attempts", attempts)
		}
	})
}

func TestWithoutRetriesTheFirstErrorIsFinal(t *testing.T) {
	server := &scriptedServer{estimates: []estimateFunc{failWith(codes.Unavailable)}}
	_, err := serve(t, server, WithRetryFor(0)).Estimate(t.Context(), jpeg)
	if status.Code(err) != codes.Unavailable || len(server.requests) != 1 {
		t.Errorf("got %v after %d attempts", err, len(server.requests))
	}
}

func TestTheDelayIsAtLeastWhatTheServerAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := failWith(codes.ResourceExhausted, retryAfter(7*time.Second))
		client := serve(t, &scriptedServer{estimates: []estimateFunc{busy, answerOne}})
		began := time.Now()
		if _, err := client.Estimate(t.Context(), jpeg); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 7*time.Second || took > 8*time.Second {
			t.Errorf("tried again after %v", took)
		}
	})
}

func TestNoCallOutlastsItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := serve(t, &scriptedServer{estimates: []estimateFunc{hang}})
		for _, options := range [][]CallOption{nil, {CallTimeout(3 * time.Second)}} {
			want := applied(append([]CallOption{CallTimeout(defaultTimeout)}, options...)).timeout
			began := time.Now()
			_, err := client.Estimate(context.Background(), jpeg, options...)
			var failure *Error
			if !errors.As(err, &failure) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("the call took %v, want %v", took, want)
			}
		}
	})
}

func TestTheContextEndsACall(t *testing.T) {
	for name, script := range map[string]estimateFunc{
		"in the call":   hang,
		"between calls": failWith(codes.ResourceExhausted, retryAfter(20*time.Second)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := serve(t, &scriptedServer{estimates: []estimateFunc{script}})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				_, err := client.Estimate(ctx, jpeg)
				if !errors.Is(err, context.Canceled) || status.Code(err) != codes.Canceled {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestClosingTheClientEndsCalls(t *testing.T) {
	for name, script := range map[string]estimateFunc{
		"in the call":   hang,
		"between calls": failWith(codes.ResourceExhausted, retryAfter(20*time.Second)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := serve(t, &scriptedServer{estimates: []estimateFunc{script}})
				time.AfterFunc(time.Second, func() { client.Close() })
				if _, err := client.Estimate(t.Context(), jpeg); !errors.Is(err, ErrClosed) {
					t.Errorf("got %v", err)
				}
				if _, err := client.Models(t.Context()); !errors.Is(err, ErrClosed) {
					t.Errorf("got %v", err)
				}
				if err := client.Close(); err != nil {
					t.Errorf("the second Close returns %v", err)
				}
			})
		})
	}
}

// shareConn returns another client of the same connection, which it does not close.
func shareConn(t *testing.T, owner *Client, options ...Option) *Client {
	t.Helper()
	client, err := NewClient("", append(options, WithConn(owner.conn))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestClosingOneClientOfAConnectionEndsItsCallsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		owner := serve(t, &scriptedServer{estimates: []estimateFunc{hang, answerOne}})
		client := shareConn(t, owner)
		began := time.Now()
		time.AfterFunc(time.Second, func() { client.Close() })
		if _, err := client.Estimate(t.Context(), jpeg); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
		expect(t, time.Since(began), time.Second)
		if _, err := owner.Estimate(t.Context(), jpeg); err != nil {
			t.Errorf("the other client gets %v", err)
		}
	})
}

func TestAResponseMayHaveManyMegabytes(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	server := &scriptedServer{estimates: []estimateFunc{
		func(context.Context, *posewirev1.EstimatePosesRequest) (
			*posewirev1.EstimatePosesResponse, error,
		) {
			return &posewirev1.EstimatePosesResponse{ModelVersion: long}, nil
		},
	}}
	result, err := serve(t, server).Estimate(t.Context(), jpeg)
	if err != nil || result.ModelVersion != long {
		t.Errorf("got %v", err)
	}
}

func TestAConnectionOfTheCallerStaysOpen(t *testing.T) {
	conn, err := grpc.NewClient("passthrough:///nowhere",
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewClient("", WithConn(conn))
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	if err := conn.Close(); err != nil {
		t.Errorf("the client has closed the connection: %v", err)
	}
	if client, err = NewClient("", WithConn(conn)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Estimate(t.Context(), jpeg); !errors.Is(err, ErrClosed) {
		t.Errorf("on a closed connection: %v", err)
	}
}

func TestUnsuitableImagesAreNotSent(t *testing.T) {
	client := serve(t, &scriptedServer{})
	for _, image := range []Image{
		nil, EncodedImage{}, RawImage{Width: -1}, RawImage{Height: 1 << 32},
	} {
		var unsuitable *ImageError
		if _, err := client.Estimate(t.Context(), image); !errors.As(err, &unsuitable) {
			t.Errorf("%#v: got %v", image, err)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	conn := WithConn(&grpc.ClientConn{})
	for want, test := range map[string]struct {
		target  string
		options []Option
	}{
		"the target is empty":       {"", nil},
		"excludes a target":         {"host:1", []Option{conn}},
		"options of the connection": {"", []Option{conn, WithToken("a")}},
		"must be positive":          {"host:1", []Option{WithTimeout(0)}},
		"must not be negative":      {"host:1", []Option{WithRetryFor(-1)}},
		"transport level security":  {"host:1", []Option{WithToken("a")}},
		`got "dns://%zz" with`:      {"dns://%zz", nil},
	} {
		_, err := NewClient(test.target, test.options...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := NewClient("host:1", WithTLS(&tls.Config{}), WithToken("a")); err != nil {
		t.Error(err)
	}
}
