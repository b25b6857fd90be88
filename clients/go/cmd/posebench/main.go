//go:build unix

// Posebench measures a stream to a posewire server: how long a frame takes to its outcome, and how
// much CPU time the client spends on it.
//
//	posebench -server HOST:PORT [options] image.jpg
//
// With -echo it also measures a plain gRPC stream, without a client library, that carries the same
// bytes. `make bench-clients` compares all clients in this way.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

type options struct {
	server string
	echo   string
	path   string
	plan   plan
	isJSON bool
}

// A report is what the program prints.
type report struct {
	Client     string       `json:"client"`
	ImageBytes int          `json:"image_bytes"`
	Window     int          `json:"window"`
	Posewire   *measurement `json:"posewire"`
	Echo       *measurement `json:"echo,omitempty"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 2 for wrong arguments, 1 if a frame has no result.
func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) int {
	options, err := parseArguments(arguments, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	report, err := measureAll(ctx, options)
	if err == nil {
		err = report.print(stdout, options.isJSON)
	}
	if err != nil {
		fmt.Fprintln(stderr, "posebench:", err)
		return 1
	}
	return 0
}

func parseArguments(arguments []string, stderr io.Writer) (options, error) {
	var parsed options
	flags := flag.NewFlagSet("posebench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: posebench -server HOST:PORT [options] IMAGE")
		flags.PrintDefaults()
	}
	flags.StringVar(&parsed.server, "server", "", "`address` of the server")
	flags.StringVar(&parsed.echo, "echo", "", "`address` of a bare echo server to measure too")
	flags.IntVar(&parsed.plan.frames, "frames", 200, "`number` of frames to measure")
	flags.IntVar(&parsed.plan.warmUp, "warm-up", 20, "`number` of frames before them")
	flags.IntVar(&parsed.plan.window, "window", 1, "maximum `number` of frames in flight")
	flags.Float64Var(&parsed.plan.rate, "rate", 0,
		"maximum `frames` per second; by default as fast as the window allows")
	flags.BoolVar(&parsed.isJSON, "json", false, "print a JSON document")
	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}
	if flags.NArg() != 1 || parsed.server == "" {
		flags.Usage()
		return options{}, errors.New("the server or the image is missing")
	}
	parsed.path = flags.Arg(0)
	if err := parsed.plan.check(); err != nil {
		fmt.Fprintln(stderr, "posebench:", err)
		return options{}, err
	}
	return parsed, nil
}

func measureAll(ctx context.Context, options options) (*report, error) {
	image, err := os.ReadFile(options.path)
	if err != nil {
		return nil, err
	}
	found := &report{Client: "go", ImageBytes: len(image), Window: options.plan.window}
	if found.Posewire, err = measurePosewire(ctx, options.server, image, options.plan); err != nil {
		return nil, err
	}
	if options.echo != "" {
		if found.Echo, err = measureEcho(ctx, options.echo, image, options.plan); err != nil {
			return nil, fmt.Errorf("echo: %w", err)
		}
	}
	return found, nil
}

func (r *report) print(stdout io.Writer, isJSON bool) error {
	if isJSON {
		return json.NewEncoder(stdout).Encode(r)
	}
	text := fmt.Sprintf("posewire: %v, p50 beyond the server's time %.3f ms\n",
		r.Posewire, *r.Posewire.BeyondServerP50Millis)
	if r.Echo != nil {
		text += fmt.Sprintf("bare echo: %v\n", r.Echo)
	}
	_, err := io.WriteString(stdout, text)
	return err
}
