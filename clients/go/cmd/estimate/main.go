// The people in one image file: estimate HOST:PORT IMAGE
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// The first keypoint of COCO's skeleton; GetModel returns that of any model.
const nose = 0

// Dial and WithInsecure are what grpc-go 1.33 has, which Debian 12 ships. From 1.63 on NewClient and
// insecure.NewCredentials take their place; these two stay throughout 1.x.
func estimate(address string, image []byte) (*posewirev1.EstimatePosesResponse, error) {
	connection, err := grpc.Dial(address, grpc.WithInsecure())
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	encoded := &posewirev1.EncodedImage{
		Data:              image,
		OrientationPolicy: posewirev1.OrientationPolicy_ORIENTATION_POLICY_APPLY,
	}
	source := &posewirev1.Image_Encoded{Encoded: encoded}
	request := &posewirev1.EstimatePosesRequest{Image: &posewirev1.Image{Source: source}}
	return posewirev1.NewPoseServiceClient(connection).EstimatePoses(ctx, request)
}

func hasPosition(keypoint *posewirev1.Keypoint) bool {
	return keypoint.GetOrigin() != posewirev1.KeypointOrigin_KEYPOINT_ORIGIN_ABSENT
}

func printPose(pose *posewirev1.Pose) {
	found := 0
	for _, keypoint := range pose.GetKeypoints() {
		if hasPosition(keypoint) {
			found++
		}
	}
	fmt.Printf("pose score %.3f, %d keypoints", pose.GetScore(), found)
	if keypoint := pose.GetKeypoints()[nose]; hasPosition(keypoint) {
		fmt.Printf(", nose at %.1f, %.1f", keypoint.GetX(), keypoint.GetY())
	}
	fmt.Println()
}

func run(address, path string) error {
	image, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	response, err := estimate(address, image)
	if err != nil {
		failure := status.Convert(err)
		return fmt.Errorf("%v: %s", code.Code(failure.Code()), failure.Message())
	}
	for _, pose := range response.GetPoses() {
		printPose(pose)
	}
	inference := response.GetStageTimes().GetInferenceDuration().AsDuration()
	fmt.Printf("inference took %.1f ms\n", inference.Seconds()*1000)
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
