package posewire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	posewirev1 "github.com/posewire/posewire/clients/go/gen/posewire/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// A tokenKeeper keeps the authorization of every call.
type tokenKeeper struct {
	mutex  sync.Mutex
	tokens []string
}

func (k *tokenKeeper) keep(ctx context.Context) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.tokens = append(k.tokens, metadata.ValueFromIncomingContext(ctx, "authorization")...)
}

func (k *tokenKeeper) unary(
	ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (any, error) {
	k.keep(ctx)
	return handle(ctx, request)
}

func (k *tokenKeeper) stream(
	server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler,
) error {
	k.keep(stream.Context())
	return handle(server, stream)
}

// localIdentity returns a certificate for 127.0.0.1 and what trusts it.
func localIdentity(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	return server.TLS.Certificates[0], trusted
}

func TestATokenIsSentWithEveryCall(t *testing.T) {
	certificate, trusted := localIdentity(t)
	keeper := &tokenKeeper{}
	server := grpc.NewServer(
		grpc.Creds(credentials.NewServerTLSFromCert(&certificate)),
		grpc.UnaryInterceptor(keeper.unary), grpc.StreamInterceptor(keeper.stream),
	)
	posewirev1.RegisterPoseServiceServer(server, &scriptedServer{streams: []streamFunc{answerAll}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	defer serving.Wait()
	defer server.Stop()

	client, err := NewClient(listener.Addr().String(),
		WithTLS(&tls.Config{RootCAs: trusted}), WithToken("s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Models(t.Context()); err != nil {
		t.Fatal(err)
	}
	stream, err := client.Stream(t.Context(), StreamConfig{})
	if err != nil {
		t.Fatal(err)
	}
	stream.CloseSend()
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v, want the end of the stream", err)
	}
	keeper.mutex.Lock()
	defer keeper.mutex.Unlock()
	if want := []string{"Bearer s3cret", "Bearer s3cret"}; !slices.Equal(keeper.tokens, want) {
		t.Errorf("got %q, want %q", keeper.tokens, want)
	}
}
