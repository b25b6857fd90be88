// Package posewire is the client of a posewire server: the poses of people in images and in streams
// of frames.
//
//	client, err := posewire.NewClient("localhost:50051")
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	result, err := client.Estimate(ctx, posewire.EncodedImage(jpeg))
//
// [Client.Estimate] processes one image, [Client.Stream] the frames of a camera or a video.
//
// # Coordinates
//
// All coordinates are in frame space: pixels of the image, after its EXIF orientation unless that is
// ignored, with (0, 0) at the centre of the top-left pixel, x to the right and y down. Left and right
// in names of keypoints are the person's own. Check the origin of a keypoint before using its
// position: one that is [OriginAbsent] has none.
//
// # Errors
//
// A status other than OK is an [*Error], which [errors.As] finds and status.FromError converts.
// [*ImageError] is an image that cannot be sent, [*ProtocolError] a response that breaks the
// contract, [ErrClosed] a call on a closed client or stream.
//
// # Time
//
// Every wait for the server ends: see [WithTimeout]. Transient errors are retried for a time: see
// [WithRetryFor].
package posewire
