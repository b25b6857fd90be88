package posewire

import (
	"image"
	"image/color"
	"testing"
)

// pixel returns the bytes of a pixel of a raw image.
func pixel(raw RawImage, x, y, bytesPerPixel int) []byte {
	at := y*raw.RowStride + x*bytesPerPixel
	return raw.Data[at : at+bytesPerPixel]
}

func TestImagesKeepTheirPixels(t *testing.T) {
	bounds := image.Rect(3, 5, 10, 11)
	red := color.NRGBA{R: 200, G: 20, B: 10, A: 255}
	nrgba, rgba, paletted := image.NewNRGBA(bounds), image.NewRGBA(bounds),
		image.NewPaletted(bounds, color.Palette{color.Black, red})
	for _, each := range []interface {
		image.Image
		Set(x, y int, c color.Color)
	}{nrgba, rgba, paletted} {
		each.Set(4, 7, red)
		raw := FromImage(each)
		expect(t, [2]int{raw.Width, raw.Height}, [2]int{7, 6})
		expect(t, raw.Format, RGBA8)
		expect(t, len(raw.Data), raw.RowStride*raw.Height)
		expect(t, pixel(raw, 1, 2, 4), []byte{200, 20, 10, 255})
	}
	expect(t, &FromImage(nrgba).Data[0], &nrgba.Pix[0]) // not copied
}

func TestAPartOfAnImageKeepsItsPixels(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 8, 8))
	gray.SetGray(6, 7, color.Gray{Y: 99})
	raw := FromImage(gray.SubImage(image.Rect(5, 4, 8, 8)))
	expect(t, [2]int{raw.Width, raw.Height}, [2]int{3, 4})
	expect(t, raw.Format, GRAY8)
	expect(t, len(raw.Data), raw.RowStride*raw.Height)
	expect(t, pixel(raw, 1, 3, 1), []byte{99})
}

func TestARawImageIsSentAsItIs(t *testing.T) {
	message, err := RawImage{
		Data: []byte{1, 2, 3, 4}, Width: 1, Height: 1, Format: BGR8, RowStride: 4,
	}.message()
	if err != nil {
		t.Fatal(err)
	}
	raw := message.GetRaw()
	expect(t, raw.GetRowStrideBytes(), 4)
	for format, name := range map[PixelFormat]string{
		BGR8: "BGR8", RGB8: "RGB8", GRAY8: "GRAY8", BGRA8: "BGRA8", RGBA8: "RGBA8", NV12: "NV12",
		I420: "I420",
	} {
		message, err := RawImage{Format: format}.message()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, message.GetRaw().GetPixelFormat().String(), "PIXEL_FORMAT_"+name)
	}
}

func TestTheOrientationOfAFileIsAppliedUnlessItIsToStay(t *testing.T) {
	for _, test := range []struct {
		image Image
		want  string
	}{
		{EncodedImage("a file"), "ORIENTATION_POLICY_APPLY"},
		{EncodedImage("a file").AsStored(), "ORIENTATION_POLICY_IGNORE"},
	} {
		message, err := test.image.message()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, message.GetEncoded().GetOrientationPolicy().String(), test.want)
		expect(t, string(message.GetEncoded().GetData()), "a file")
	}
}
