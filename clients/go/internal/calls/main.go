// Command calls runs tests/clients/calls.yaml, which describes the calls. It is a part of the tests.
//
//	calls TABLE FOLDER SERVERS
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"

	"github.com/posewire/posewire/clients/go"
)

const name = "go"

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: calls TABLE FOLDER SERVERS")
	}
	var calls []call
	readYAML(os.Args[1], &calls)
	var servers map[string]string
	readYAML(os.Args[3], &servers)
	runner := runner{folder: os.Args[2], input: bufio.NewScanner(os.Stdin)}
	for _, each := range calls {
		if slices.Contains(each.Without, name) {
			continue
		}
		outcome, err := runner.run(each, servers[each.Server])
		if err != nil {
			log.Fatalf("%s: %v", each.Name, err)
		}
		runner.print(map[string]any{"call": each.Name, "outcome": outcome})
	}
}

type document = map[string]any

type runner struct {
	folder string
	input  *bufio.Scanner
	mu     sync.Mutex
}

func (r *runner) print(line document) {
	content, err := json.Marshal(line)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(content))
}

// ask asks the test to do something, and waits until it is done.
func (r *runner) ask(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.print(document{"ask": what})
	if !r.input.Scan() {
		log.Fatalf("the test has ended before %s", what)
	}
}

// run makes one call and returns its outcome, or an error of the table.
func (r *runner) run(call call, target string) (document, error) {
	options, err := call.clientOptions(r.folder)
	if err != nil {
		return nil, err
	}
	client, err := posewire.NewClient(target, options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	switch call.Call {
	case "models":
		models, err := client.Models(context.Background())
		return modelsDocument(models, err)
	case "model":
		model, err := client.Model(context.Background(), posewire.UseModel(call.Model))
		if err != nil {
			return modelsDocument(nil, err)
		}
		return modelsDocument([]posewire.Model{*model}, nil)
	case "stream":
		return r.runStream(call, client)
	case "estimate":
		return r.estimate(call, client)
	}
	return nil, fmt.Errorf("unknown call %q", call.Call)
}

func (r *runner) estimate(call call, client *posewire.Client) (document, error) {
	image, err := call.Image.read(r.folder)
	if err != nil {
		return nil, err
	}
	if call.Ask != nil {
		r.ask(call.Ask.What)
	}
	closed := make(chan struct{})
	if call.CloseWhenCalled {
		go func() {
			defer close(closed)
			r.ask("wait until called")
			_ = client.Close()
		}()
	} else {
		close(closed)
	}
	result, err := client.Estimate(context.Background(), image,
		posewire.UseModel(call.Model), posewire.UseOptions(call.Options.options()))
	<-closed
	if err != nil {
		failure, err := errorDocument(err)
		return document{"error": failure}, err
	}
	return resultDocument(result)
}

func (r *runner) runStream(call call, client *posewire.Client) (document, error) {
	outcomes := []document{}
	stream, err := client.Stream(context.Background(), call.streamConfig())
	if err != nil {
		failure, err := errorDocument(err)
		return document{"error": failure}, err
	}
	defer stream.Close()
	goOn := make(chan struct{}, len(call.Frames))
	sent := make(chan error, 1)
	go func() { sent <- r.sendFrames(call, stream, goOn) }()
	var end error
	for outcome, err := range stream.Outcomes() {
		if err != nil {
			end = err
			break
		}
		converted, err := outcomeDocument(outcome)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, converted)
		if call.Ask != nil && call.Ask.AfterOutcomes == len(outcomes) {
			r.ask(call.Ask.What)
		}
		if call.CancelAfterOutcomes == len(outcomes) {
			_ = stream.Close()
		}
		if call.CloseAfterOutcomes == len(outcomes) {
			_ = client.Close()
		}
		goOn <- struct{}{}
	}
	close(goOn) // the sender may wait for an outcome that has not come
	if err := <-sent; err != nil {
		return nil, err
	}
	if end == nil {
		return document{"outcomes": outcomes, "end": nil}, nil
	}
	failure, err := errorDocument(end)
	return document{"outcomes": outcomes, "end": failure}, err
}

// sendFrames returns an error of the table. Those of the stream come with its outcomes.
func (r *runner) sendFrames(call call, stream *posewire.Stream, goOn <-chan struct{}) error {
	defer stream.CloseSend()
	for i, each := range call.Frames {
		if call.Paced && i > 0 {
			<-goOn
		}
		image, err := each.read(r.folder)
		if err != nil {
			return err
		}
		if stream.Send(context.Background(), posewire.Frame{Image: image}) != nil {
			return nil
		}
	}
	if call.Ask != nil && call.Ask.AfterFrames {
		r.ask(call.Ask.What)
	}
	return nil
}
