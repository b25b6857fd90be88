package posewire

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The head of this file, which the clients of all languages run, describes the steps.
const casesPath = "../../tests/clients/session_cases.yaml"

func TestSessionCases(t *testing.T) {
	var cases []yaml.Node
	content, err := os.ReadFile(casesPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) <= 50 {
		t.Fatalf("%s has only %d cases", casesPath, len(cases))
	}
	for _, each := range cases {
		parts, err := fieldsOf(&each, "name", "steps",
			"delivery", "window", "retry_for_secs", "timeout_secs")
		if err != nil {
			t.Fatal(err)
		}
		t.Run(text(parts["name"]), func(t *testing.T) { runCase(t, parts) })
	}
}

func TestAWrongStepFails(t *testing.T) {
	for _, step := range []string{
		"send: [1]",
		"take: [{result: 1}]",
		"put_ready: false",
		"secs_to_timeout: 1",
		"reject: {unknown: null}",
		"put: {bytes: 1}",
		"end_call: {code: OK}",
		"sent: []",
	} {
		var node yaml.Node
		if err := yaml.Unmarshal([]byte(step), &node); err != nil {
			t.Fatal(err)
		}
		runner := newCaseRunner(t, nil)
		if err := runner.run(node.Content[0]); err == nil {
			t.Errorf("the step %q passes", step)
		}
	}
}

func runCase(t *testing.T, parts map[string]*yaml.Node) {
	steps := parts["steps"]
	delete(parts, "name")
	delete(parts, "steps")
	runner := newCaseRunner(t, parts)
	for i, step := range steps.Content {
		if err := runner.run(step); err != nil {
			t.Fatalf("step %d, line %d, %s: %v", i+1, step.Line, step.Content[0].Value, err)
		}
	}
}

// errSource is the error of a case's source of frames.
type errSource string

func (e errSource) Error() string { return string(e) }

type caseRunner struct {
	session *streamSession
	clock   *fakeClock
	call    int
}

func newCaseRunner(t *testing.T, settings map[string]*yaml.Node) *caseRunner {
	t.Helper()
	options := sessionOptions{retryFor: 30 * time.Second, timeout: 30 * time.Second}
	for key, value := range settings {
		switch key {
		case "delivery":
			options.config.Delivery = map[string]Delivery{"lossless": 0, "latest": Latest}[text(value)]
		case "window":
			options.config.Window = decoded[int](value)
		case "timeout_secs":
			options.timeout = secs(value)
		case "retry_for_secs":
			options.retryFor = secs(value)
			if isNull(value) {
				options.retryFor = Forever
			}
		default:
			t.Fatalf("unknown setting %q", key)
		}
	}
	session, clock := newTestSession(t, options)
	return &caseRunner{session: session, clock: clock}
}

// run does one step. It returns an error where the session deviates.
func (r *caseRunner) run(step *yaml.Node) error {
	if len(step.Content) != 2 {
		return fmt.Errorf("it has %d keys", len(step.Content)/2)
	}
	value := step.Content[1]
	switch key := step.Content[0].Value; key {
	case "advance":
		r.clock.advance(secs(value))
	case "put":
		return r.put(value)
	case "finish_source":
		if isNull(value) {
			r.session.finishSource(nil)
		} else {
			r.session.finishSource(errSource(value.Value))
		}
	case "open_call":
		r.call = r.session.openCall()
	case "receive":
		response, err := parseResponse(value)
		if err != nil {
			return err
		}
		return r.session.receive(response)
	case "reject":
		return r.reject(value)
	case "end_call":
		return r.endCall(value)
	case "time_out":
		r.session.timeOut()
	case "fail":
		r.session.fail(scriptedError(value.Value, nil, false))
	case "close":
		r.session.close()
	case "send":
		return check(sentIDs(r.session), decoded[[]uint64](value))
	case "half_close":
		return check(r.session.shouldHalfClose(r.call), decoded[bool](value))
	case "take":
		return r.take(value)
	case "put_ready":
		return check(r.session.isPutReady(), decoded[bool](value))
	case "take_ready":
		return check(r.session.isTakeReady(), decoded[bool](value))
	case "started":
		return check(r.session.isStarted(), decoded[bool](value))
	case "finished":
		return check(r.session.isFinished(), decoded[bool](value))
	case "timed_out":
		return check(r.session.hasTimedOut(), decoded[bool](value))
	case "secs_to_timeout":
		return check(r.session.timeToTimeout(), secs(value))
	case "resume_token":
		return check(string(r.session.config.GetResumeToken()), text(value))
	default:
		return fmt.Errorf("unknown step %q", key)
	}
	return nil
}

func (r *caseRunner) put(value *yaml.Node) error {
	if value.Kind == yaml.MappingNode {
		fields, err := fieldsOf(value, "image_bytes")
		if err != nil {
			return err
		}
		putFrame(r.session, decoded[int](fields["image_bytes"]))
		return nil
	}
	for range decoded[int](value) {
		putFrame(r.session, 5)
	}
	return nil
}

func (r *caseRunner) reject(value *yaml.Node) error {
	response, err := parseResponse(value)
	if err != nil {
		return err
	}
	var broken *ProtocolError
	if !errors.As(r.session.receive(response), &broken) {
		return errors.New("the session accepted the response")
	}
	return nil
}

func (r *caseRunner) endCall(value *yaml.Node) error {
	fields, err := fieldsOf(value, "code", "retry_after_secs", "from_server", "reopen_after_secs")
	if err != nil {
		return err
	}
	expected := fields["reopen_after_secs"]
	if expected == nil {
		return errors.New("reopen_after_secs is missing")
	}
	isFromServer := fields["from_server"] != nil && decoded[bool](fields["from_server"])
	failure := scriptedError(text(fields["code"]), fields["retry_after_secs"], isFromServer)
	delay, ok := r.session.endCall(failure)
	if ok == isNull(expected) {
		return fmt.Errorf("reopens: %v, after %v", ok, delay)
	}
	if !ok {
		return nil
	}
	return check(delay, secs(expected))
}

// take compares what the case says of each item.
func (r *caseRunner) take(value *yaml.Node) error {
	items := r.items()
	if len(items) != len(value.Content) {
		return fmt.Errorf("got %d items: %v", len(items), items)
	}
	for i, expected := range value.Content {
		wanted := map[string]string{}
		for k := 0; k < len(expected.Content); k += 2 {
			wanted[expected.Content[k].Value] = expected.Content[k+1].Value
		}
		for key, want := range wanted {
			got, exists := items[i][key]
			if key == "says" {
				exists = exists && strings.Contains(got, want)
			} else {
				exists = exists && got == want
			}
			if !exists {
				return fmt.Errorf("item %d is %v", i+1, items[i])
			}
		}
	}
	return nil
}

func (r *caseRunner) items() []map[string]string {
	var items []map[string]string
	for {
		outcome, err := r.session.take()
		switch {
		case outcome != nil:
			items = append(items, itemOf(outcome))
		case err != nil:
			return append(items, raisedItem(err))
		case r.session.isFinished():
			return append(items, map[string]string{"end": "null"})
		default:
			return items
		}
	}
}

func itemOf(outcome *Outcome) map[string]string {
	id := fmt.Sprint(outcome.FrameID)
	item := map[string]string{"before": fmt.Sprint(outcome.FramesSkippedBefore)}
	switch {
	case outcome.Result != nil:
		item["result"] = id
	case outcome.Err != nil:
		item["error"] = id
		item["code"] = code.Code(outcome.Err.Code).String()
		item["reason"] = outcome.Err.Reason
	default:
		item["skipped"] = id
		item["reason"] = strings.ReplaceAll(strings.ToUpper(outcome.Skipped.String()), " ", "_")
	}
	return item
}

func raisedItem(err error) map[string]string {
	item := map[string]string{"says": err.Error()}
	switch err := err.(type) {
	case *ProtocolError:
		item["raises"] = "PROTOCOL"
	case errSource:
		item["raises"] = "SOURCE"
	case *Error:
		item["raises"] = code.Code(err.Code).String()
	}
	return item
}

func scriptedError(name string, retryAfter *yaml.Node, isFromServer bool) *Error {
	if name == "OK" {
		return nil
	}
	scripted := status.New(codes.Code(codeNamed(name)), "scripted")
	var details []protoadapt.MessageV1
	if retryAfter != nil {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(secs(retryAfter))})
	}
	if isFromServer {
		details = append(details, &errdetails.ErrorInfo{Domain: domain, Reason: name})
	}
	detailed, err := scripted.WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return errorFromCall(detailed.Err())
}

func parseResponse(node *yaml.Node) (*posewirev1.StreamPosesResponse, error) {
	others := *node
	others.Content = nil
	var token []byte
	for i := 0; i < len(node.Content); i += 2 {
		if node.Content[i].Value == "resume_token" {
			token = []byte(text(node.Content[i+1]))
		} else {
			others.Content = append(others.Content, node.Content[i:i+2]...)
		}
	}
	response, err := parseResponseWithoutToken(&others)
	if token != nil && err == nil {
		switch event := response.GetEvent().(type) {
		case *posewirev1.StreamPosesResponse_Outcome:
			event.Outcome.ResumeToken = token
		case *posewirev1.StreamPosesResponse_Draining:
			event.Draining.ResumeToken = token
		default:
			err = fmt.Errorf("%T has no resume token", event)
		}
	}
	return response, err
}

func parseResponseWithoutToken(node *yaml.Node) (*posewirev1.StreamPosesResponse, error) {
	switch kind := node.Content[0].Value; kind {
	case "started":
		fields, err := fieldsOf(node.Content[1], "window", "max_image_bytes")
		if err != nil {
			return nil, err
		}
		maxImageBytes := uint32(1 << 20)
		if limit := fields["max_image_bytes"]; limit != nil {
			maxImageBytes = decoded[uint32](limit)
		}
		return startedResponse(decoded[uint32](fields["window"]), maxImageBytes), nil
	case "result":
		fields, err := fieldsOf(node, kind)
		return resultResponse(decoded[uint64](fields[kind])), err
	case "error":
		fields, err := fieldsOf(node, kind, "code")
		number := codeNamed(text(fields["code"]))
		return errorResponse(decoded[uint64](fields[kind]), number), err
	case "skipped":
		fields, err := fieldsOf(node, kind, "reason")
		reason, known := posewirev1.SkipReason_value["SKIP_REASON_"+text(fields["reason"])]
		if !known {
			return nil, fmt.Errorf("unknown reason %q", text(fields["reason"]))
		}
		return skippedResponse(decoded[uint64](fields[kind]), posewirev1.SkipReason(reason)), err
	case "draining":
		_, err := fieldsOf(node, kind)
		return drainingResponse(), err
	case "unknown":
		_, err := fieldsOf(node, kind)
		return &posewirev1.StreamPosesResponse{}, err
	default:
		return nil, fmt.Errorf("unknown response %q", kind)
	}
}

func codeNamed(name string) int32 {
	number, known := code.Code_value[name]
	if !known {
		panic(fmt.Sprintf("unknown code %q", name))
	}
	return number
}

func check[T any](actual, expected T) error {
	if fmt.Sprint(actual) != fmt.Sprint(expected) {
		return fmt.Errorf("got %v, want %v", actual, expected)
	}
	return nil
}
