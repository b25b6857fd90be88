//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/posewire/posewire/clients/go/internal/exampleserver"
)

func posebench(t *testing.T, arguments ...string) (int, string, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), arguments, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.jpg")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func serve(t *testing.T) string {
	address, stop := exampleserver.Start()
	t.Cleanup(stop)
	return address
}

func TestEveryFrameIsMeasured(t *testing.T) {
	image := write(t, "a photograph")
	for _, window := range []string{"1", "3"} {
		status, stdout, stderr := posebench(t, "-server", serve(t), "-frames", "7",
			"-warm-up", "2", "-window", window, "-rate", "1000", "-json", image)
		var found report
		if err := json.Unmarshal([]byte(stdout), &found); status != 0 || err != nil {
			t.Fatalf("status %d, %v, %s", status, err, stderr)
		}
		if found.Posewire.Frames != 7 || found.ImageBytes != 12 || found.Echo != nil {
			t.Errorf("window %s: %s", window, stdout)
		}
		if found.Posewire.P50Millis <= 0 || found.Posewire.P50Millis > found.Posewire.P99Millis {
			t.Errorf("window %s: %s", window, stdout)
		}
	}
}

func TestFailures(t *testing.T) {
	address := serve(t)
	for want, arguments := range map[string][]string{
		"IMAGE_UNDECODABLE":     {"-server", address, write(t, "bad")},
		"has 0 bytes":           {"-server", address, write(t, "")},
		"no such file":          {"-server", address, "missing.jpg"},
		"echo: rpc error":       {"-server", address, "-echo", address, write(t, "an image")},
		"expected 1 to 1000000": {"-server", address, "-frames", "0", write(t, "an image")},
		"the rate is 0.5":       {"-server", address, "-rate", "0.5", write(t, "an image")},
		"the window is -1":      {"-server", address, "-window", "-1", write(t, "an image")},
	} {
		status, stdout, stderr := posebench(t, arguments...)
		if status == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, %s%s", arguments, status, stdout, stderr)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		arguments []string
		status    int
	}{{nil, 2}, {[]string{"image.jpg"}, 2}, {[]string{"-unknown"}, 2}, {[]string{"-help"}, 0}} {
		status, _, stderr := posebench(t, test.arguments...)
		if status != test.status || !strings.Contains(stderr, "usage: posebench") {
			t.Errorf("%q: status %d, %s", test.arguments, status, stderr)
		}
	}
}

func TestPercentiles(t *testing.T) {
	times := []time.Duration{4e6, 1e6, 3e6, 2e6}
	found := summarize(times, []time.Duration{1e6, 1e6, 2e6, 2e6}, 8e6, 2e9)
	if found.P50Millis != 2 || found.P99Millis != 4 || *found.BeyondServerP50Millis != 1 {
		t.Errorf("%v", found)
	}
	if found.CPUMillisPerFrame != 2 || found.FramesPerSec != 2 {
		t.Errorf("%v", found)
	}
}
