// The people in people.jpg, found by a server on this machine.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/posewire/posewire/clients/go"
)

func main() {
	image, err := os.ReadFile("people.jpg")
	if err != nil {
		log.Fatal(err)
	}
	client, err := posewire.NewClient("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.Estimate(context.Background(), posewire.EncodedImage(image))
	if err != nil {
		log.Fatal(err)
	}
	for _, pose := range result.Poses {
		nose := pose.Keypoints[0]
		fmt.Printf("score %.2f, nose at %.1f, %.1f\n", pose.Score, nose.X, nose.Y)
	}
}
