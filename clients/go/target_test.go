package posewire

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// The targets that the clients of all languages accept and refuse.
const targetsPath = "../../tests/clients/targets.yaml"

func TestTargets(t *testing.T) {
	var cases struct {
		Accepted []string
		Refused  map[string]string
	}
	content, err := os.ReadFile(targetsPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases.Accepted) < 10 || len(cases.Refused) < 50 {
		t.Fatalf("%s has only %d and %d targets", targetsPath, len(cases.Accepted),
			len(cases.Refused))
	}
	for _, target := range cases.Accepted {
		if err := newClientError(target); err != nil {
			t.Errorf("%q: %v", target, err)
		}
	}
	for target, fault := range cases.Refused {
		if err := newClientError(target); err == nil {
			t.Errorf("%q was accepted", target)
		} else if !strings.Contains(err.Error(), fault) ||
			!strings.Contains(err.Error(), ", want HOST:PORT, ") {
			t.Errorf("%q: got %q, want %q in it", target, err, fault)
		}
	}
}

func newClientError(target string, options ...Option) error {
	client, err := NewClient(target, options...)
	if err == nil {
		_ = client.Close()
	}
	return err
}

func TestATargetNeedsAResolverOfItsScheme(t *testing.T) {
	for _, target := range []string{"xds:///pose", "own:///pose", "ipv4:127.0.0.1:50051", "vsock:2:1"} {
		if err := newClientError(target); err == nil {
			t.Errorf("%q was accepted", target)
		}
	}
	own := WithDialOptions(grpc.WithResolvers(manual.NewBuilderWithScheme("own")))
	if err := newClientError("own:///pose", own); err != nil {
		t.Error(err)
	}
	resolver.Register(manual.NewBuilderWithScheme("posewire-test"))
	for _, target := range []string{"posewire-test:///pose", "passthrough:///pose"} {
		if err := newClientError(target); err != nil {
			t.Error(err)
		}
	}
}
