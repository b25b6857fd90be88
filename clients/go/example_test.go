package posewire_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log"
	"time"

	"github.com/posewire/posewire/clients/go"
	"github.com/posewire/posewire/clients/go/internal/exampleserver"
)

// The bytes of an image file.
var jpeg = posewire.EncodedImage("stands for a JPEG file")

func Example() {
	address, stop := exampleserver.Start()
	defer stop()

	client, err := posewire.NewClient(address)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := client.Estimate(context.Background(), jpeg)
	if err != nil {
		log.Fatal(err)
	}
	for _, pose := range result.Poses {
		if nose := pose.Keypoints[0]; nose.HasPosition() {
			fmt.Printf("score %.2f, nose at %.1f, %.1f\n", pose.Score, nose.X, nose.Y)
		}
	}
	// Output: score 0.90, nose at 20.0, 25.0
}

func ExampleClient_Estimate() {
	address, stop := exampleserver.Start()
	defer stop()
	client, err := posewire.NewClient(address, posewire.WithTimeout(5*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	result, err := client.Estimate(context.Background(), jpeg,
		posewire.UseModel("demo"),
		posewire.UseOptions(posewire.EstimateOptions{MinPoseScore: new(float32(0.3))}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(result.Poses), "people,", result.Model)
	// Output: 1 people, demo
}

func ExampleClient_Models() {
	address, stop := exampleserver.Start()
	defer stop()
	client, err := posewire.NewClient(address)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	models, err := client.Models(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, model := range models {
		fmt.Println(model.Name, model.Skeleton.Keypoints[0].Name)
	}
	// Output: demo nose
}

func ExampleClient_Stream() {
	address, stop := exampleserver.Start()
	defer stop()
	client, err := posewire.NewClient(address)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx := context.Background()
	stream, err := client.Stream(ctx, posewire.StreamConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	go func() {
		defer stream.CloseSend()
		for _, data := range []string{"a frame", "bad", "another frame"} {
			if stream.Send(ctx, posewire.Frame{Image: posewire.EncodedImage(data)}) != nil {
				return // Recv returns the error of the stream
			}
		}
	}()
	for {
		outcome, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		switch {
		case outcome.Result != nil:
			fmt.Println("frame", outcome.FrameID, "has", len(outcome.Result.Poses), "people")
		case outcome.Err != nil:
			fmt.Println("frame", outcome.FrameID, "failed:", outcome.Err)
		default:
			fmt.Println("frame", outcome.FrameID, "was skipped:", outcome.Skipped)
		}
	}
	// Output:
	// frame 1 has 1 people
	// frame 2 failed: INVALID_ARGUMENT (IMAGE_UNDECODABLE): not an image
	// frame 3 has 1 people
}

func ExampleClient_StreamFrames() {
	address, stop := exampleserver.Start()
	defer stop()
	client, err := posewire.NewClient(address)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	frames := func(yield func(posewire.Frame, error) bool) {
		for range 3 {
			if !yield(posewire.Frame{Image: jpeg}, nil) {
				return
			}
		}
	}
	config := posewire.StreamConfig{Delivery: posewire.Lossless, Track: true}
	for outcome, err := range client.StreamFrames(context.Background(), config, frames) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(outcome.FrameID, outcome.Result != nil)
	}
	// Output:
	// 1 true
	// 2 true
	// 3 true
}

func ExampleError() {
	address, stop := exampleserver.Start()
	defer stop()
	client, err := posewire.NewClient(address)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	_, err = client.Estimate(context.Background(), posewire.EncodedImage("text"))
	var failure *posewire.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Code, failure.Reason, failure.Violations[0].Field)
	}
	// Output: InvalidArgument IMAGE_UNDECODABLE image.encoded.data
}

func ExampleFromImage() {
	raw := posewire.FromImage(image.NewGray(image.Rect(0, 0, 64, 48)))
	fmt.Println(raw.Width, raw.Height, raw.Format == posewire.GRAY8)
	// Output: 64 48 true
}
