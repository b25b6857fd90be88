package posewire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// domain is that of every ErrorInfo of a posewire server.
const domain = "posewire"

var (
	// ErrClosed is returned by calls on a client or a stream that is closed, or was closed
	// meanwhile.
	ErrClosed = errors.New("posewire: the client or the stream is closed")

	// ErrSendClosed is returned by Send after CloseSend.
	ErrSendClosed = errors.New("posewire: Send after CloseSend")

	// ErrNotReceived is returned by Send if the window is full of outcomes and for the timeout of
	// the stream no call of Recv has taken one. The frame was not sent.
	ErrNotReceived = errors.New("posewire: Send waits for Recv: the window is full of outcomes")
)

// A FieldViolation is a field of the request that breaks a rule, by its path, such as
// "options.max_poses".
type FieldViolation struct {
	Field       string
	Description string
}

// An Error is a status other than OK, of a call or of one frame. Handle it by Code and Reason:
// messages are for people and may change.
//
// An Error with the code DeadlineExceeded is also a [context.DeadlineExceeded] for [errors.Is].
type Error struct {
	Code    codes.Code
	Message string

	// Reason and Metadata are from the ErrorInfo of the status. Empty without one.
	Reason   string
	Metadata map[string]string

	// Violations names the fields that break a rule.
	Violations []FieldViolation

	// RetryAfter is the delay that a busy server asks for, or 0.
	RetryAfter time.Duration

	// FromServer says whether a posewire server sent this, rather than a proxy or a gRPC library.
	FromServer bool

	hasRetryInfo bool
	status       *status.Status
	cause        error
}

// Error returns the code, the reason and the message.
func (e *Error) Error() string {
	name := code.Code(e.Code).String()
	if e.Reason == "" || e.Reason == name {
		return fmt.Sprintf("%s: %s", name, e.Message)
	}
	return fmt.Sprintf("%s (%s): %s", name, e.Reason, e.Message)
}

// GRPCStatus returns the status with all its details. It makes status.FromError and status.Code
// work.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// Unwrap returns the error of the caller's context if that ended the call.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is [context.DeadlineExceeded] and the call ran out of time.
func (e *Error) Is(target error) bool {
	return target == context.DeadlineExceeded && e.Code == codes.DeadlineExceeded
}

// IsTransient reports whether the same request may succeed after a delay.
func (e *Error) IsTransient() bool {
	switch e.Code {
	case codes.Unavailable:
		return true
	case codes.ResourceExhausted:
		return e.hasRetryInfo // without it the message is too large
	case codes.Canceled:
		return e.cause == nil // a call that reaches a server as it stops may end so
	default:
		return false
	}
}

// mayReopen reports whether a stream that ended with this error may be reopened. A proxy or a gRPC
// library reports a reset stream, for example after a server crash, as INTERNAL without posewire's
// ErrorInfo.
func (e *Error) mayReopen() bool {
	return e.IsTransient() || (e.Code == codes.Internal && !e.FromServer)
}

// An ImageError is an image that cannot be sent.
type ImageError struct{ Message string }

// Error returns what is wrong with the image.
func (e *ImageError) Error() string { return "posewire: " + e.Message }

// A ProtocolError is a response that breaks the contract posewire.v1, so that outcomes cannot be
// matched to frames.
type ProtocolError struct{ Message string }

// Error returns what the server did.
func (e *ProtocolError) Error() string { return "posewire: " + e.Message }

func protocolErrorf(format string, values ...any) *ProtocolError {
	return &ProtocolError{Message: fmt.Sprintf(format, values...)}
}

// errorFromCall converts the error of a gRPC call. Without a status in it the code is UNKNOWN.
func errorFromCall(err error) *Error {
	return errorFromStatus(status.Convert(err).Proto())
}

// errorFromContext converts the error of a context that ended a call.
func errorFromContext(err error) *Error {
	converted := errorFromStatus(status.FromContextError(err).Proto())
	converted.cause = err
	return converted
}

// newError returns an error of the client itself.
func newError(code codes.Code, message string) *Error {
	return errorFromStatus(status.New(code, message).Proto())
}

// errorFromStatus converts a status other than OK. Details that cannot be parsed are ignored.
func errorFromStatus(message *statuspb.Status) *Error {
	converted := &Error{
		Code:    knownCode(message.GetCode()),
		Message: message.GetMessage(),
		status:  status.FromProto(message),
	}
	if converted.Message == "" {
		converted.Message = "no message"
	}
	if converted.Code != converted.status.Code() {
		converted.status = status.New(converted.Code, converted.Message)
	}
	if info := detail[errdetails.ErrorInfo](message); info != nil {
		converted.Reason = info.GetReason()
		converted.Metadata = info.GetMetadata()
		converted.FromServer = info.GetDomain() == domain
	}
	for _, each := range detail[errdetails.BadRequest](message).GetFieldViolations() {
		violation := FieldViolation{Field: each.GetField(), Description: each.GetDescription()}
		converted.Violations = append(converted.Violations, violation)
	}
	if retry := detail[errdetails.RetryInfo](message); retry != nil {
		converted.hasRetryInfo = true
		converted.RetryAfter = max(retry.GetRetryDelay().AsDuration(), 0)
	}
	return converted
}

// knownCode returns UNKNOWN for OK, which is no error, and for codes newer than this client.
func knownCode(number int32) codes.Code {
	if _, known := code.Code_name[number]; !known || number == 0 {
		return codes.Unknown
	}
	return codes.Code(number)
}

// detail returns the first detail of a type, or nil.
func detail[T any, M interface {
	*T
	proto.Message
}](message *statuspb.Status) M {
	for _, packed := range message.GetDetails() {
		unpacked := M(new(T))
		if packed.MessageIs(unpacked) && packed.UnmarshalTo(unpacked) == nil {
			return unpacked
		}
	}
	return nil
}
