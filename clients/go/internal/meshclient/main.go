// Command meshclient is tests/mesh/client.py in Go: a client with several callers, until SIGTERM.
//
//	meshclient [flags] ADDRESS[,ADDRESS...]
package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"log"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/posewire/posewire/clients/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	_ "google.golang.org/grpc/health" // for the health checks of the service config
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// connectTime is more than connecting to the other servers takes after the first has answered.
const connectTime = 500 * time.Millisecond

func main() {
	streams := flag.Int("streams", 0, "callers with a stream")
	unary := flag.Int("unary", 0, "callers of unary calls")
	interval := flag.Float64("interval", 0, "seconds between the frames of a caller")
	config := flag.String("service-config", "", "JSON, for several addresses")
	flag.Parse()
	stopped, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	client, err := newClient(strings.Split(flag.Arg(0), ","), *config)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Models(context.Background()); err != nil {
		log.Fatal(err)
	}
	time.Sleep(connectTime)
	var callers sync.WaitGroup
	start := func(kind string, count int, run func(*caller)) {
		for number := range count {
			each := &caller{
				name: fmt.Sprintf("%s-%d", kind, number), client: client, stopped: stopped,
				interval: time.Duration(*interval * float64(time.Second)),
			}
			callers.Go(func() { run(each) })
			// One after another, so that each takes its turn of the servers.
			time.Sleep(50 * time.Millisecond)
		}
	}
	start("stream", *streams, (*caller).stream)
	start("unary", *unary, (*caller).estimate)
	callers.Wait()
}

func newClient(addresses []string, config string) (*posewire.Client, error) {
	if len(addresses) == 1 {
		return posewire.NewClient(addresses[0])
	}
	list := manual.NewBuilderWithScheme("list")
	var state resolver.State
	for _, each := range addresses {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: each})
	}
	list.InitialState(state)
	// Those that docs/deployment.md recommends. gRPC pings at most every 10 seconds.
	return posewire.NewClient("list:///servers", posewire.WithDialOptions(
		grpc.WithResolvers(list),
		grpc.WithDefaultServiceConfig(config),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 2 * time.Second,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 200 * time.Millisecond, Multiplier: 2, MaxDelay: 2 * time.Second,
			},
			MinConnectTimeout: 2 * time.Second,
		}),
	))
}

// A caller sends frames in one stream or in unary calls.
type caller struct {
	name     string
	client   *posewire.Client
	interval time.Duration
	stopped  context.Context
	sent     atomic.Int64
}

func (c *caller) stream() {
	defer c.printSent()
	outcomes := c.client.StreamFrames(context.Background(), posewire.StreamConfig{}, c.frames())
	for outcome, err := range outcomes {
		if err == nil && outcome.Result == nil {
			err = fmt.Errorf("frame %d was skipped or failed: %v", outcome.FrameID, outcome.Err)
		}
		if err != nil {
			c.print("failed", err)
			return
		}
		c.printOutcome(outcome.FrameID, outcome.Result)
	}
}

func (c *caller) estimate() {
	defer c.printSent()
	for frame := range c.frames() {
		result, err := c.client.Estimate(context.Background(), frame.Image)
		if err != nil {
			c.print("failed", err)
			return
		}
		c.printOutcome(uint64(c.sent.Load()), result)
	}
}

func (c *caller) frames() iter.Seq2[posewire.Frame, error] {
	return func(yield func(posewire.Frame, error) bool) {
		for c.wait() {
			step := int(c.sent.Add(1) % 8)
			image := posewire.RawImage{Width: 64 + 4*step, Height: 48 + 3*step, Format: posewire.BGR8}
			image.Data = make([]byte, 3*image.Width*image.Height)
			for i := range image.Data {
				image.Data[i] = 7
			}
			if !yield(posewire.Frame{Image: image}, nil) {
				return
			}
		}
	}
}

// wait reports whether to send another frame.
func (c *caller) wait() bool {
	select {
	case <-c.stopped.Done():
		return false
	case <-time.After(c.interval):
		return true
	}
}

func (c *caller) printOutcome(frame uint64, result *posewire.Result) {
	c.print("outcome", frame, result.ImageWidth, result.ImageHeight, len(result.Poses))
}

func (c *caller) printSent() { c.print("sent", c.sent.Load()) }

var printing sync.Mutex

func (c *caller) print(kind string, words ...any) {
	printing.Lock()
	defer printing.Unlock()
	line := strings.TrimSuffix(fmt.Sprintln(append([]any{kind, c.name}, words...)...), "\n")
	fmt.Println(strings.ReplaceAll(line, "\n", " "))
}
