// Posecat streams images to a posewire server and prints a JSON document per image:
//
//	posecat [options] DIRECTORY | FILE | -
//
// A directory has image files, which are sent in the order of their names. A file is one image, or
// JPEGs that follow each other (MJPEG); - reads such JPEGs from stdin. The live pictures of a
// camera, for example:
//
//	ffmpeg -v error -i /dev/video0 -f mjpeg - | posecat -latest -
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/posewire/posewire/clients/go"
)

type options struct {
	address  string
	path     string
	config   posewire.StreamConfig
	timeout  time.Duration
	retryFor time.Duration
	isTLS    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run returns the exit status: 2 for wrong arguments, 1 for a stream that failed.
func run(
	ctx context.Context, arguments []string, stdin io.Reader, stdout, stderr io.Writer,
) int {
	options, err := parseArguments(arguments, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err := stream(ctx, options, stdin, stdout); err != nil {
		fmt.Fprintln(stderr, "posecat:", err)
		return 1
	}
	return 0
}

func parseArguments(arguments []string, stderr io.Writer) (options, error) {
	var parsed options
	flags := flag.NewFlagSet("posecat", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: posecat [options] DIRECTORY | FILE | -")
		flags.PrintDefaults()
	}
	flags.StringVar(&parsed.address, "address", "127.0.0.1:50051", "`address` of the server")
	flags.StringVar(&parsed.config.Model, "model", "", "`name` of the model; the server's by default")
	flags.IntVar(&parsed.config.Window, "window", 0,
		"maximum `number` of frames in flight; the server's by default")
	flags.BoolVar(&parsed.config.Track, "track", false, "follow people from frame to frame")
	flags.DurationVar(&parsed.timeout, "timeout", 30*time.Second, "maximum wait for the server")
	flags.DurationVar(&parsed.retryFor, "retry-for", 30*time.Second,
		"how long to retry transient errors")
	flags.BoolVar(&parsed.isTLS, "tls", false, "encrypt the connection")
	isLatest := flags.Bool("latest", false, "replace frames that wait by newer ones")
	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return options{}, fmt.Errorf("%d arguments", flags.NArg())
	}
	if *isLatest {
		parsed.config.Delivery = posewire.Latest
	}
	parsed.path = flags.Arg(0)
	return parsed, nil
}

func stream(ctx context.Context, options options, stdin io.Reader, stdout io.Writer) error {
	settings := []posewire.Option{
		posewire.WithTimeout(options.timeout), posewire.WithRetryFor(options.retryFor),
	}
	if options.isTLS {
		settings = append(settings, posewire.WithTLS(&tls.Config{}))
	}
	client, err := posewire.NewClient(options.address, settings...)
	if err != nil {
		return err
	}
	defer client.Close()
	model, err := client.Model(ctx, posewire.UseModel(options.config.Model))
	if err != nil {
		return err
	}
	images := newSource(options.path, stdin)
	lines := json.NewEncoder(stdout)
	for outcome, err := range client.StreamFrames(ctx, options.config, images.frames()) {
		if err != nil {
			return err
		}
		if err := lines.Encode(recordOf(<-images.names, outcome, model.Skeleton)); err != nil {
			return err
		}
	}
	return nil
}
