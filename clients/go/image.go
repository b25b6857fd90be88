package posewire

import (
	"fmt"
	"image"
	"image/draw"
	"math"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
)

// An Image is one to estimate poses in: an [EncodedImage], a [RawImage], or what [FromImage] makes
// of an image.Image. Its bytes are not copied: do not change them before the call has returned, or
// the frame has its outcome.
type Image interface {
	message() (*posewirev1.Image, error)
}

// An EncodedImage is a whole JPEG, PNG, WebP or BMP file. Coordinates refer to the image as a viewer
// shows it, turned as its EXIF metadata says. See AsStored for the other way.
type EncodedImage []byte

// AsStored returns the file as an image whose coordinates refer to the pixels as stored.
func (e EncodedImage) AsStored() Image { return storedImage(e) }

func (e EncodedImage) message() (*posewirev1.Image, error) {
	return encodedMessage(e, posewirev1.OrientationPolicy_ORIENTATION_POLICY_APPLY)
}

type storedImage []byte

func (s storedImage) message() (*posewirev1.Image, error) {
	return encodedMessage(s, posewirev1.OrientationPolicy_ORIENTATION_POLICY_IGNORE)
}

func encodedMessage(
	data []byte, orientation posewirev1.OrientationPolicy,
) (*posewirev1.Image, error) {
	if len(data) == 0 {
		return nil, &ImageError{Message: "the image has 0 bytes; expected a whole image file"}
	}
	encoded := &posewirev1.EncodedImage{Data: data, OrientationPolicy: orientation}
	return &posewirev1.Image{Source: &posewirev1.Image_Encoded{Encoded: encoded}}, nil
}

// A PixelFormat is the layout of raw pixels.
type PixelFormat int

const (
	BGR8  PixelFormat = iota + 1 // the layout of OpenCV
	RGB8                         // three bytes per pixel
	GRAY8                        // luminance, full range
	BGRA8                        // the alpha byte is ignored
	RGBA8                        // the alpha byte is ignored
	NV12                         // a luma plane, then alternating U and V bytes
	I420                         // a luma plane, a U plane and a V plane
)

// A RawImage is pixels with 8 bits per channel, rows from top to bottom.
type RawImage struct {
	Data          []byte
	Width, Height int
	Format        PixelFormat

	// RowStride is the number of bytes from one row to the next; of the luma plane for NV12 and
	// I420. 0: rows are not padded.
	RowStride int
}

func (r RawImage) message() (*posewirev1.Image, error) {
	for _, number := range []int{r.Width, r.Height, r.RowStride} {
		if number < 0 || number > math.MaxInt32 {
			return nil, &ImageError{Message: fmt.Sprintf(
				"the image has width %d, height %d and row stride %d; expected at most %d, and none "+
					"below 0", r.Width, r.Height, r.RowStride, math.MaxInt32)}
		}
	}
	raw := &posewirev1.RawImage{
		Data:        r.Data,
		Width:       uint32(r.Width),
		Height:      uint32(r.Height),
		PixelFormat: posewirev1.PixelFormat(r.Format),
	}
	if r.RowStride != 0 {
		raw.RowStrideBytes = new(uint32(r.RowStride))
	}
	return &posewirev1.Image{Source: &posewirev1.Image_Raw{Raw: raw}}, nil
}

// FromImage returns an image's pixels. Those of *image.NRGBA, *image.RGBA and *image.Gray are not
// copied; others are converted to RGBA. (0, 0) of the result's frame space is the centre of the
// top-left pixel, wherever the image's bounds begin.
func FromImage(source image.Image) RawImage {
	bounds := source.Bounds()
	switch each := source.(type) {
	case *image.NRGBA:
		return fromPixels(each.Pix, each.Stride, bounds, RGBA8, 4)
	case *image.RGBA:
		return fromPixels(each.Pix, each.Stride, bounds, RGBA8, 4)
	case *image.Gray:
		return fromPixels(each.Pix, each.Stride, bounds, GRAY8, 1)
	}
	converted := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	draw.Draw(converted, converted.Bounds(), source, bounds.Min, draw.Src)
	return fromPixels(converted.Pix, converted.Stride, converted.Bounds(), RGBA8, 4)
}

// fromPixels pads the last row, which a part of a larger image lacks.
func fromPixels(
	pixels []byte, stride int, bounds image.Rectangle, format PixelFormat, bytesPerPixel int,
) RawImage {
	raw := RawImage{Width: bounds.Dx(), Height: bounds.Dy(), Format: format, RowStride: stride}
	wanted := stride * raw.Height
	if len(pixels) < wanted {
		raw.RowStride = raw.Width * bytesPerPixel
		for y := range raw.Height {
			raw.Data = append(raw.Data, pixels[y*stride:y*stride+raw.RowStride]...)
		}
		return raw
	}
	raw.Data = pixels[:wanted]
	return raw
}
