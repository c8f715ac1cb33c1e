// Package shortage tells the errors of making a connection that this machine is
// to blame for from those that the other side is.
package shortage

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
)

// lacking is what says that a file descriptor, a buffer, memory or a port is.
var lacking = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL}

// Is reports whether an error comes of what this machine has no more of: file
// descriptors, ports, buffers, memory. A connection that was refused, a time-out
// and a name that does not exist never do.
func Is(err error) bool {
	for _, lack := range lacking {
		if errors.Is(err, lack) {
			return lack != syscall.EADDRNOTAVAIL || !overIPv6(err)
		}
	}
	var dns *net.DNSError
	return errors.As(err, &dns) && !dns.IsNotFound && ofLookup(dns)
}

// overIPv6: a machine without IPv6 says of such an address, for ever, what one
// says that has no port left (EADDRNOTAVAIL).
func overIPv6(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) {
		return false
	}
	to, ok := op.Addr.(*net.TCPAddr)
	return ok && to.IP.To4() == nil
}

// defaultServers are where Go asks that could not read /etc/resolv.conf (net,
// dnsconfig.go), for lack of a descriptor above all.
var defaultServers = []string{"127.0.0.1:53", "[::1]:53"}

// ofLookup knows the cause by its text, which is all that package net keeps of
// it.
func ofLookup(dns *net.DNSError) bool {
	for _, lack := range lacking {
		if strings.HasSuffix(dns.Err, lack.Error()) {
			return true
		}
	}
	return slices.Contains(defaultServers, dns.Server) && strings.HasSuffix(dns.Err, syscall.ECONNREFUSED.Error())
}
