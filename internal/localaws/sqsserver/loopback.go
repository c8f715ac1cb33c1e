package sqsserver

import (
	"net"
	"net/http"

	"github.com/efferent/efferent/internal/loopback"
)

// LoopbackOnly refuses requests whose Host is not a loopback name with 403. A
// web page that has its own name resolve to 127.0.0.1 (DNS rebinding) can
// then not use what listens there.
func LoopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, "Host is not a loopback name: use localhost, 127.0.0.1 or [::1]", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback takes a Host header, with or without a port.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return loopback.Is(host)
}
