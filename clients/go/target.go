package posewire

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"google.golang.org/grpc/resolver"
)

const (
	wantedTarget = "HOST:PORT, [IPV6]:PORT or unix:PATH, or a gRPC target such as dns:///HOST:PORT"

	maxPort       = 65535
	maxHostName   = 253
	maxSocketPath = 107 // bytes, of sockaddr_un on Linux
)

var (
	dnsTarget = regexp.MustCompile(`^dns:(?://[!-.0-~]*/)?([^/].*)$`)
	// A target of any resolver.
	otherTarget = regexp.MustCompile(`^([a-z][a-z0-9+.-]*):[!-~]+$`)

	hostName = regexp.MustCompile(
		`^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?` +
			`(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$`)
	// Resolvers read such names as IPv4 addresses: 127.1, 0x7f000001, 2130706433.
	endsInNumber = regexp.MustCompile(`^(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?$`)
	portNumber   = regexp.MustCompile(`^(?:0|[1-9][0-9]{0,4})$`)
	// In others, gRPC would decode escapes or look for a query.
	socketPath = regexp.MustCompile(`^[A-Za-z0-9._~!$&'()*+,;=:@/-]+$`)
)

// checkTarget returns an error unless gRPC would connect to what is written. It reads targets
// leniently: without a port it connects to port 443.
//
// It leaves schemes other than dns and unix to their resolvers. With hasResolvers, options of the
// caller may bring one for any scheme.
func checkTarget(target string, hasResolvers bool) error {
	if fault := targetFault(target, hasResolvers); fault != "" {
		return fmt.Errorf("posewire: target: got %q %s, want %s", target, fault, wantedTarget)
	}
	return nil
}

// targetFault returns what is wrong with a target, or "".
func targetFault(target string, hasResolvers bool) string {
	if strings.ContainsFunc(target, isBlank) {
		return "with a blank or a control character"
	}
	if dns := dnsTarget.FindStringSubmatch(target); dns != nil {
		return addressFault(dns[1])
	}
	if path, ok := strings.CutPrefix(target, "unix:"); ok {
		return socketFault(path)
	}
	if other := otherTarget.FindStringSubmatch(target); other != nil && other[1] != "dns" {
		isURL := strings.Contains(target, "://")
		if resolver.Get(other[1]) != nil || hasResolvers && isURL {
			return ""
		}
	}
	if scheme, _, isURL := strings.Cut(target, "://"); isURL {
		return fmt.Sprintf("with the scheme %q", scheme)
	}
	return addressFault(target)
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// addressFault returns what is wrong with HOST:PORT or [IPV6]:PORT, or "".
func addressFault(text string) string {
	host, port, hasPort := strings.Cut(text, ":")
	if inBrackets, ok := strings.CutPrefix(text, "["); ok {
		address, rest, isClosed := strings.Cut(inBrackets, "]")
		if parsed, err := netip.ParseAddr(address); !isClosed || err != nil || !parsed.Is6() {
			return "with a bad IPv6 address"
		}
		port, hasPort = strings.CutPrefix(rest, ":")
		if !hasPort && rest != "" {
			return portFault(rest)
		}
	} else if strings.Contains(port, ":") {
		return "with several colons: an IPv6 address needs brackets"
	} else if host == "" {
		return "without a host"
	} else if !isHost(host) {
		return fmt.Sprintf("with the bad host %q", host)
	}
	if !hasPort {
		return "without a port"
	}
	number, err := strconv.Atoi(port)
	if !portNumber.MatchString(port) || err != nil || number > maxPort {
		return portFault(port)
	}
	if number == 0 {
		return "with port 0"
	}
	return ""
}

func portFault(port string) string {
	return fmt.Sprintf("with the bad port %q, which is not from 0 to %d", port, maxPort)
}

func isHost(text string) bool {
	if endsInNumber.MatchString(text) {
		address, err := netip.ParseAddr(text)
		return err == nil && address.Is4()
	}
	return len(text) <= maxHostName && hostName.MatchString(text)
}

func socketFault(path string) string {
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		if path = rest; !strings.HasPrefix(path, "/") {
			return "with a relative path after unix://"
		}
	}
	switch {
	case path == "":
		return "without a path"
	case !socketPath.MatchString(path):
		return "with characters in the path that gRPC cannot read"
	case len(path) > maxSocketPath:
		return fmt.Sprintf("with a path of more than %d bytes", maxSocketPath)
	default:
		return ""
	}
}
