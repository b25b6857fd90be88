// The people in one image file: estimate HOST:PORT IMAGE
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/posewire/posewire/clients/go"
	"google.golang.org/genproto/googleapis/rpc/code"
)

// The first keypoint of COCO's skeleton; Client.Model returns that of any model.
const nose = 0

func estimate(address, path string) (*posewire.Result, error) {
	image, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	// Whoever runs the program sees at once that there is no server; a service would retry.
	client, err := posewire.NewClient(address, posewire.WithRetryFor(0))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Estimate(context.Background(), posewire.EncodedImage(image))
}

func printPose(pose posewire.Pose) {
	found := 0
	for _, keypoint := range pose.Keypoints {
		if keypoint.HasPosition() {
			found++
		}
	}
	fmt.Printf("pose score %.3f, %d keypoints", pose.Score, found)
	if keypoint := pose.Keypoints[nose]; keypoint.HasPosition() {
		fmt.Printf(", nose at %.1f, %.1f", keypoint.X, keypoint.Y)
	}
	fmt.Println()
}

func run(address, path string) error {
	result, err := estimate(address, path)
	var failure *posewire.Error
	if errors.As(err, &failure) {
		return fmt.Errorf("%v: %s", code.Code(failure.Code), failure.Message)
	}
	if err != nil {
		return err
	}
	for _, pose := range result.Poses {
		printPose(pose)
	}
	fmt.Printf("inference took %.1f ms\n", result.StageTimes.Inference.Seconds()*1000)
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: estimate HOST:PORT IMAGE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "estimate:", err)
		os.Exit(1)
	}
}
