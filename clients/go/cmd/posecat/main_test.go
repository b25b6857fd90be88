package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/posewire/posewire/clients/go/internal/exampleserver"
)

// smallJPEG has metadata that contains a JPEG, fill bytes, stuffed bytes and a restart marker, but
// no pixels.
var smallJPEG = []byte{
	0xFF, 0xD8,
	0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9, // a segment with a thumbnail
	0xFF, 0xFF, 0xDA, 0, 3, 1, // the start of a scan
	7, 0xFF, 0, 0xFF, 0xD0, 8,
	0xFF, 0xD9,
}

func posecat(t *testing.T, stdin io.Reader, arguments ...string) (int, []record, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), arguments, stdin, &stdout, &stderr)
	var records []record
	for lines := json.NewDecoder(&stdout); ; {
		var each record
		if err := lines.Decode(&each); err == io.EOF {
			return status, records, stderr.String()
		} else if err != nil {
			t.Fatal(err)
		}
		records = append(records, each)
	}
}

func serve(t *testing.T) string {
	address, stop := exampleserver.Start()
	t.Cleanup(stop)
	return address
}

func TestAnMJPEGIsSentFrameByFrame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "video.mjpeg")
	if err := os.WriteFile(path, bytes.Repeat(smallJPEG, 3), 0o600); err != nil {
		t.Fatal(err)
	}
	status, fromFile, stderr := posecat(t, nil, "-address", serve(t), path)
	if status != 0 || len(fromFile) != 3 {
		t.Fatalf("status %d, %d lines, %s", status, len(fromFile), stderr)
	}
	want := record{
		Source: path, Frame: 3, Outcome: "result", Model: "demo",
		Poses: []pose{{
			Score: 0.9, Box: [4]float64{10, 20, 30, 60},
			Keypoints: map[string]keypoint{"nose": {20, 25, 0.9, "detected"}},
		}},
	}
	if !reflect.DeepEqual(fromFile[2], want) {
		t.Errorf("got %+v, want %+v", fromFile[2], want)
	}
	video := bytes.NewReader(bytes.Repeat(smallJPEG, 3))
	_, fromStdin, _ := posecat(t, video, "-address", serve(t), "-")
	if len(fromStdin) != 3 || fromStdin[0].Source != "stdin" {
		t.Errorf("from stdin: %+v", fromStdin)
	}
}

func TestTheImagesOfADirectoryAreSentInOrder(t *testing.T) {
	directory := t.TempDir()
	for name, content := range map[string]string{
		"b.JPG": "a photograph", "a.png": "bad", "notes.txt": "no image", "c.webp": "another one",
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status, records, stderr := posecat(t, nil, "-address", serve(t), directory)
	if status != 0 || stderr != "" {
		t.Fatalf("status %d, %s", status, stderr)
	}
	var got []string
	for _, each := range records {
		got = append(got, filepath.Base(each.Source)+" "+each.Outcome+" "+each.Reason)
	}
	want := []string{"a.png error IMAGE_UNDECODABLE", "b.JPG result ", "c.webp result "}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFailures(t *testing.T) {
	address, directory := serve(t), t.TempDir()
	missing := filepath.Join(directory, "missing")
	empty := filepath.Join(directory, "empty.png")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, test := range map[string]struct {
		stdin     string
		arguments []string
	}{
		"no such file":           {"", []string{"-address", address, missing}},
		"is empty":               {"", []string{"-address", address, directory}},
		"has no files that end":  {"", []string{"-address", address, t.TempDir()}},
		"not the start":          {"text", []string{"-address", address, "-"}},
		"ends after 20 bytes":    {string(smallJPEG[:20]), []string{"-address", address, "-"}},
		"UNAVAILABLE":            {"", []string{"-address", "127.0.0.1:1", "-retry-for", "0s", "-"}},
		"the target is empty":    {"", []string{"-address", "", "-"}},
		"the timeout is 0s":      {"", []string{"-timeout", "0s", "-"}},
		"it must not be negativ": {"", []string{"-retry-for", "-1s", "-"}},
	} {
		status, _, stderr := posecat(t, strings.NewReader(test.stdin), test.arguments...)
		if status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, %s", test.arguments, status, stderr)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		arguments []string
		status    int
	}{{nil, 2}, {[]string{"-unknown", "-"}, 2}, {[]string{"a", "b"}, 2}, {[]string{"-help"}, 0}} {
		status, _, stderr := posecat(t, nil, test.arguments...)
		if status != test.status || !strings.Contains(stderr, "usage: posecat") {
			t.Errorf("%q: status %d, %s", test.arguments, status, stderr)
		}
	}
}

// What is split is what was joined, and nothing makes the splitter fail otherwise than by an error.
func FuzzSplitting(f *testing.F) {
	f.Add(smallJPEG)
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0xD9})
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0xFF})
	f.Fuzz(func(t *testing.T, data []byte) {
		splitter := newJPEGSplitter(bytes.NewReader(data))
		var joined []byte
		for {
			image, err := splitter.next()
			if err != nil {
				break
			}
			joined = append(joined, image...)
		}
		if !bytes.HasPrefix(data, joined) {
			t.Errorf("%x is split to %x", data, joined)
		}
	})
}
