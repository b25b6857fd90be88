package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/posewire/posewire/clients/go"
	"go.yaml.in/yaml/v3"
)

// A call is one entry of the table.
type call struct {
	Name                string
	Expect              yaml.Node
	Call                string
	Server              string
	Model               string
	Image               imageSpec
	Frames              []imageSpec
	Options             optionsSpec
	Delivery            string
	Window              int
	MaxFrameAgeSecs     float64 `yaml:"max_frame_age_secs"`
	Track               bool
	Smoothing           bool
	SmoothingOptions    smoothingSpec `yaml:"smoothing_options"`
	Paced               bool
	CancelAfterOutcomes int  `yaml:"cancel_after_outcomes"`
	CloseAfterOutcomes  int  `yaml:"close_after_outcomes"`
	CloseWhenCalled     bool `yaml:"close_when_called"`
	Ask                 *askSpec
	TLS                 *tlsSpec
	Token               string
	TimeoutSecs         float64 `yaml:"timeout_secs"`
	RetryForSecs        float64 `yaml:"retry_for_secs"`
	Without             []string
	RefusedBy           []string `yaml:"refused_by"`
}

type askSpec struct {
	What          string
	AfterOutcomes int  `yaml:"after_outcomes"`
	AfterFrames   bool `yaml:"after_frames"`
}

type tlsSpec struct{ Roots, Key, Certificate string }

type imageSpec struct {
	File      string
	AsStored  bool `yaml:"as_stored"`
	Raw       string
	Width     int
	Height    int
	Format    string
	RowStride int `yaml:"row_stride_bytes"`
}

type optionsSpec struct {
	MaxPoses         *uint32   `yaml:"max_poses"`
	MinPoseScore     *float32  `yaml:"min_pose_score"`
	MinKeypointScore *float32  `yaml:"min_keypoint_score"`
	RegionOfInterest []float32 `yaml:"region_of_interest"`
	Refine           *bool
	FlipTest         *bool `yaml:"flip_test"`
}

type smoothingSpec struct {
	MinCutoffHz    *float32 `yaml:"min_cutoff_hz"`
	CutoffPerSpeed *float32 `yaml:"cutoff_per_speed"`
	SpeedCutoffHz  *float32 `yaml:"speed_cutoff_hz"`
	MaxGapSecs     *float64 `yaml:"max_gap_secs"`
}

var pixelFormats = map[string]posewire.PixelFormat{
	"BGR8": posewire.BGR8, "RGB8": posewire.RGB8, "GRAY8": posewire.GRAY8, "BGRA8": posewire.BGRA8,
	"RGBA8": posewire.RGBA8, "NV12": posewire.NV12, "I420": posewire.I420,
}

// readYAML refuses unknown keys.
func readYAML(path string, value any) {
	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(value); err != nil {
		log.Fatalf("%s: %v", path, err)
	}
}

// UnmarshalYAML sets the defaults of the table.
func (c *call) UnmarshalYAML(node *yaml.Node) error {
	type fields call // without this method
	*c = call{Call: "estimate", Server: "real", TimeoutSecs: 120, RetryForSecs: 120}
	return decodeKnown(node, (*fields)(c))
}

// UnmarshalYAML takes the name of a file, too.
func (s *imageSpec) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		s.File = node.Value
		return nil
	}
	type fields imageSpec
	return decodeKnown(node, (*fields)(s))
}

// decodeKnown refuses unknown keys, which Node.Decode ignores.
func decodeKnown(node *yaml.Node, value any) error {
	content, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	return decoder.Decode(value)
}

func (c *call) clientOptions(folder string) ([]posewire.Option, error) {
	options := []posewire.Option{
		posewire.WithTimeout(secs(c.TimeoutSecs)), posewire.WithRetryFor(secs(c.RetryForSecs)),
	}
	if c.Token != "" {
		options = append(options, posewire.WithToken(c.Token))
	}
	if c.TLS == nil {
		return options, nil
	}
	config := &tls.Config{}
	if c.TLS.Roots != "" {
		roots, err := os.ReadFile(filepath.Join(folder, c.TLS.Roots))
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(roots)
	}
	if c.TLS.Key != "" {
		certificate, err := tls.LoadX509KeyPair(
			filepath.Join(folder, c.TLS.Certificate), filepath.Join(folder, c.TLS.Key))
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return append(options, posewire.WithTLS(config)), nil
}

func (c *call) streamConfig() posewire.StreamConfig {
	config := posewire.StreamConfig{
		Model:            c.Model,
		Options:          c.Options.options(),
		Window:           c.Window,
		MaxFrameAge:      secs(c.MaxFrameAgeSecs),
		Track:            c.Track,
		Smoothing:        c.Smoothing,
		SmoothingOptions: c.SmoothingOptions.options(),
	}
	if c.Delivery == "latest" {
		config.Delivery = posewire.Latest
	}
	return config
}

func (s smoothingSpec) options() posewire.SmoothingOptions {
	options := posewire.SmoothingOptions{
		MinCutoffHz:    s.MinCutoffHz,
		CutoffPerSpeed: s.CutoffPerSpeed,
		SpeedCutoffHz:  s.SpeedCutoffHz,
	}
	if s.MaxGapSecs != nil {
		options.MaxGap = new(secs(*s.MaxGapSecs))
	}
	return options
}

func (s *imageSpec) read(folder string) (posewire.Image, error) {
	if s.Raw == "" {
		content, err := os.ReadFile(filepath.Join(folder, s.File))
		if s.AsStored {
			return posewire.EncodedImage(content).AsStored(), err
		}
		return posewire.EncodedImage(content), err
	}
	format, isKnown := pixelFormats[s.Format]
	if !isKnown {
		return nil, fmt.Errorf("unknown format %q", s.Format)
	}
	content, err := os.ReadFile(filepath.Join(folder, s.Raw))
	return posewire.RawImage{
		Data: content, Width: s.Width, Height: s.Height, Format: format, RowStride: s.RowStride,
	}, err
}

func (s *optionsSpec) options() posewire.EstimateOptions {
	options := posewire.EstimateOptions{
		MaxPoses:         s.MaxPoses,
		MinPoseScore:     s.MinPoseScore,
		MinKeypointScore: s.MinKeypointScore,
		Refine:           s.Refine,
		FlipTest:         s.FlipTest,
	}
	if region := s.RegionOfInterest; region != nil {
		options.RegionOfInterest = &posewire.Box{
			XMin: region[0], YMin: region[1], XMax: region[2], YMax: region[3],
		}
	}
	return options
}

func secs(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }
