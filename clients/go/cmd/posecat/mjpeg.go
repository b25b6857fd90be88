package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxImageBytes bounds what is read of one image.
const maxImageBytes = 64 << 20

// Markers of a JPEG, without the byte 0xFF before them.
const (
	markerSOI = 0xD8
	markerEOI = 0xD9
	markerTEM = 0x01
)

// A jpegSplitter reads JPEG images that follow each other, as in an MJPEG file. It follows the
// segments, because the metadata of an image may contain another image.
type jpegSplitter struct {
	reader *bufio.Reader
	image  []byte
}

func newJPEGSplitter(reader io.Reader) *jpegSplitter {
	return &jpegSplitter{reader: bufio.NewReaderSize(reader, 1<<20)}
}

// next returns the next image, or io.EOF after the last one.
func (s *jpegSplitter) next() ([]byte, error) {
	s.image = nil
	if _, err := s.reader.Peek(1); err != nil {
		return nil, err
	}
	if err := s.readImage(); err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the last JPEG ends after %d bytes, within it", len(s.image))
		}
		return nil, err
	}
	return s.image, nil
}

func (s *jpegSplitter) readImage() error {
	for len(s.image) < 2 {
		if err := s.copyByte(); err != nil {
			return err
		}
	}
	if s.image[0] != 0xFF || s.image[1] != markerSOI {
		return fmt.Errorf("the bytes %x are not the start of a JPEG", s.image)
	}
	for {
		marker, err := s.readMarker()
		if err != nil {
			return err
		}
		switch {
		case marker == markerEOI:
			return nil
		case marker == markerTEM || isRestart(marker) || marker == 0:
			continue // no segment follows
		}
		if err := s.readSegment(); err != nil {
			return err
		}
	}
}

// readMarker skips entropy-coded data, in which a byte 0xFF is followed by 0.
func (s *jpegSplitter) readMarker() (byte, error) {
	for {
		if err := s.copyByte(); err != nil {
			return 0, err
		}
		if s.image[len(s.image)-1] != 0xFF {
			continue
		}
		for s.image[len(s.image)-1] == 0xFF { // any number of them may precede a marker
			if err := s.copyByte(); err != nil {
				return 0, err
			}
		}
		return s.image[len(s.image)-1], nil
	}
}

func (s *jpegSplitter) readSegment() error {
	at := len(s.image)
	for range 2 {
		if err := s.copyByte(); err != nil {
			return err
		}
	}
	length := int(s.image[at])<<8 | int(s.image[at+1])
	for range length - 2 {
		if err := s.copyByte(); err != nil {
			return err
		}
	}
	return nil
}

func (s *jpegSplitter) copyByte() error {
	each, err := s.reader.ReadByte()
	if err != nil {
		return err
	}
	if len(s.image) == maxImageBytes {
		return fmt.Errorf("a JPEG has more than %d bytes", maxImageBytes)
	}
	s.image = append(s.image, each)
	return nil
}

func isRestart(marker byte) bool { return 0xD0 <= marker && marker <= 0xD7 }
