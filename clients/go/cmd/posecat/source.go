package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/posewire/posewire/clients/go"
)

var imageExtensions = []string{".jpg", ".jpeg", ".png", ".webp", ".bmp"}

// maxNames bounds the names of frames that wait for their outcome. A stream holds fewer frames than
// that, but with -latest it counts all those that were replaced.
const maxNames = 1 << 16

// A source is the images to send. names has the file of each frame, in the order of the frames.
type source struct {
	path  string
	stdin io.Reader
	names chan string
}

func newSource(path string, stdin io.Reader) *source {
	return &source{path: path, stdin: stdin, names: make(chan string, maxNames)}
}

// frames yields the images: the files of a directory in the order of their names, or those of a
// file of JPEGs.
func (s *source) frames() iter.Seq2[posewire.Frame, error] {
	return func(yield func(posewire.Frame, error) bool) {
		if err := s.yieldAll(yield); err != nil {
			yield(posewire.Frame{}, err)
		}
	}
}

func (s *source) yieldAll(yield func(posewire.Frame, error) bool) error {
	if s.path == "-" {
		return s.yieldJPEGs("stdin", s.stdin, yield)
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return s.yieldDirectory(yield)
	}
	file, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	if start, err := reader.Peek(2); err == nil && start[0] == 0xFF && start[1] == markerSOI {
		return s.yieldJPEGs(s.path, reader, yield)
	}
	_, err = s.yieldFile(s.path, yield)
	return err
}

func (s *source) yieldDirectory(yield func(posewire.Frame, error) bool) error {
	entries, err := os.ReadDir(s.path) // sorted by name
	if err != nil {
		return err
	}
	isEmpty := true
	for _, entry := range entries {
		extension := strings.ToLower(filepath.Ext(entry.Name()))
		if entry.IsDir() || !slices.Contains(imageExtensions, extension) {
			continue
		}
		isEmpty = false
		if more, err := s.yieldFile(filepath.Join(s.path, entry.Name()), yield); !more {
			return err
		}
	}
	if isEmpty {
		return fmt.Errorf("%s has no files that end in %s", s.path, strings.Join(imageExtensions, ", "))
	}
	return nil
}

// yieldFile reports whether to go on.
func (s *source) yieldFile(path string, yield func(posewire.Frame, error) bool) (bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	if len(data) == 0 {
		return false, fmt.Errorf("the file %s is empty", path)
	}
	return s.yieldImage(path, data, yield), nil
}

func (s *source) yieldJPEGs(
	name string, reader io.Reader, yield func(posewire.Frame, error) bool,
) error {
	splitter := newJPEGSplitter(reader)
	for {
		image, err := splitter.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !s.yieldImage(name, image, yield) {
			return nil
		}
	}
}

func (s *source) yieldImage(
	name string, data []byte, yield func(posewire.Frame, error) bool,
) bool {
	s.names <- name
	return yield(posewire.Frame{Image: posewire.EncodedImage(data)}, nil)
}
