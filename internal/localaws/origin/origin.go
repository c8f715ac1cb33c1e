// Package origin keeps web pages away from servers that ask for no credentials.
package origin

import (
	"io"
	"net/http"
	"net/url"
)

// Only refuses with 403 what a web page of another origin has its visitor's
// browser send. A form or an image of any page could else use what listens on
// this machine. A browser tells where a request comes from (Fetch Metadata
// Request Headers, Sec-Fetch-Site); an older one at least what may change
// something (RFC 6454, section 7).
func Only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if foreign(r) {
			Refuse(w, "web pages of other origins may not use this endpoint")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Refuse answers 403 with why, as the API does (RFC 9457). why needs no escaping in JSON.
func Refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, `{"type":"about:blank","title":"Forbidden","status":403,"detail":"`+why+`"}`)
}

func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	from, err := url.Parse(origin)
	return err != nil || from.Host != r.Host
}
