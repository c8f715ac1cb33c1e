package webhook

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		// What is a URL stays as it is.
		"https://a.test":                            "",
		"HTTPS://A.test/in":                         "",
		"https://a.test/%41%2f?q=%7e&x=;,!$'()*+@:": "",
		"https://a.test?q":                          "",
		"https://a.test/?":                          "",
		"https://a_b.test.:8443//x/../y":            "",
		"https://[2606:4700::1111]:8443/":           "",
		"https://xn--bcher-kva.test/":               "",
		// What is not is encoded.
		"https://a.test/a b":                  "https://a.test/a%20b",
		"https://a.test/?q=a b+c":             "https://a.test/?q=a%20b+c",
		"https://a.test?q=\"<>`":              "https://a.test?q=%22%3C%3E%60",
		"https://a.test/{id}|\\^?a[]=1":       "https://a.test/%7Bid%7D%7C%5C%5E?a%5B%5D=1",
		"https://a.test/é/%C3%A9?ü=€":         "https://a.test/%C3%A9/%C3%A9?%C3%BC=%E2%82%AC",
		"https://bücher.test:8443/ü":          "https://xn--bcher-kva.test:8443/%C3%BC",
		"https://b%C3%BCcher.test/":           "https://xn--bcher-kva.test/",
		"https://BÜCHER.Test/":                "https://xn--bcher-kva.test/",
		"https://faß.test/":                   "https://xn--fa-hia.test/",
		"https://例え.テスト/":                     "https://xn--r8jz45g.xn--zckzah/",
		"https://１２７.０.０.１/":                  "https://127.0.0.1/",
		"https://ｌｏｃａｌｈｏｓｔ/":                  "https://localhost/",
		"https://a.test:/x":                   "https://a.test/x",
		"http://a.test/\u00a0?q=\u00ad\ufeff": "http://a.test/%C2%A0?q=%C2%AD%EF%BB%BF",
	} {
		if want == "" {
			want = in
		}
		text, u, problem := parseURL(in)
		if text != want || problem != "" {
			t.Errorf("%q: got %q, %s; want %q", in, text, problem, want)
			continue
		}
		if again, v, _ := parseURL(text); again != text || v.String() != u.String() || v.RequestURI() != u.RequestURI() {
			t.Errorf("%q is then read as %q", text, again)
		}
	}
	for in, says := range map[string]string{
		"https://a.test/a\tb":                          "has a control character",
		"https://a.test/\r\nX: y":                      "has a control character",
		"https://a.test/\x00":                          "has a control character",
		"https://a.test/?\u0085":                       "has a control character",
		"https://a.test/?\u2028":                       "has a control character",
		" https://a.test/":                             "has a space before or after it",
		"https://a.test/ ":                             "has a space before or after it",
		"https://a.test/%":                             "has a % that",
		"https://a.test/%4":                            "has a % that",
		"https://a.test/?q=%4g":                        "has a % that",
		"https://a.test/?q=%zz":                        "has a % that",
		"https://a.test/?q=100%":                       "has a % that",
		"https://a b.test/":                            "is not a URL",
		"https://a\\b.test/":                           "is not a URL",
		"https://a.test\\@b.test":                      "is not a URL",
		"https://a<b>.test/":                           "has a host that is neither",
		"https://a*b.test/":                            "has a host that is neither",
		"https://a%20b.test/":                          "is not a URL",
		"https://a℀b.test/":                            "has a host that is neither",
		"https://-ü.test/":                             "has a host that is neither",
		"https://[fe80::1%25e]/":                       "has a host that is neither",
		"https://[::1/":                                "is not a URL",
		"https://" + strings.Repeat("ü", 255) + "/":    "has a host that is longer",
		"https://a.test:x/":                            "is not a URL",
		"https://a.test/é" + strings.Repeat("é", 2000): "must be at most 8 KiB long when",
	} {
		if text, _, problem := parseURL(in); !strings.HasPrefix(problem, says) {
			t.Errorf("%.40q: got %.40q, %q; want %q", in, text, problem, says)
		}
	}
}

// What is recorded is what is sent, and what is guarded.
func TestDecodeEncodesTheURL(t *testing.T) {
	t.Parallel()
	m, err := Decode([]byte(aMessage(map[string]string{"url": `"https://bücher.test/a b?q=é"`})))
	if err != nil || m.URL != "https://xn--bcher-kva.test/a%20b?q=%C3%A9" {
		t.Fatalf("%q, %v", m.URL, err)
	}
	var line string
	url := endpoint(t, func(_ http.ResponseWriter, r *http.Request) { line = r.Host + r.RequestURI })
	x := client(t).Post(t.Context(), request(t, url+"/a b?q=\"é\""))
	if want := strings.TrimPrefix(url, "http://") + "/a%20b?q=%22%C3%A9%22"; x.Status != 200 || line != want {
		t.Errorf("%+v: got %q, want %q", x, line, want)
	}
	allow, _ := ParseAllowHTTP("xn--bcher-kva.test")
	x = client(t, func(o *Options) { o.AllowHTTP, o.Resolver = allow, resolver(nil) }).Post(t.Context(), request(t, "http://bücher.test/"))
	if x.Err == nil || !strings.Contains(x.Err.Error(), "no such host: xn--bcher-kva.test") {
		t.Errorf("got %+v", x)
	}
}

// onWire is a request line and Host as RFC 9112, section 3, and RFC 3986 have
// them.
var onWire = regexp.MustCompile(`^POST /([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*` +
	`(\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)? HTTP/1\.1\r\n` +
	`Host: ([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?\r\n`)

// FuzzURL: whatever URL is taken, what goes on the wire is valid, and says the
// same as what is recorded.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"https://a.test/in?q=1", "https://a.test?q=a b", "https://bücher.test:8443/é{}|\\^`\"<>[]", "https://[::1]:80/%41",
		"https://a.test/%zz", "https://a.test:/", "http://[::ffff:1.2.3.4]", "https://a.test\\@b", "https://１２７.1/", "https://a.test//x",
		"https://a.test/?", "https:a", "//",
	} {
		f.Add(seed)
	}
	c := NewClient(Options{AllowHTTP: AllowHTTP{all: true}})
	secrets := []Secret{secret(f, "whsec_aHVudGVyMg==")}
	f.Fuzz(func(t *testing.T, in string) {
		quoted, err := json.Marshal(in)
		if err != nil {
			t.Skip()
		}
		m, err := Decode([]byte(aMessage(map[string]string{"url": string(quoted)})))
		if err != nil {
			return
		}
		req, err := c.request(m.Request("evt_1", secrets, time.Unix(0, 0)))
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		var wire bytes.Buffer
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
		if err := req.Write(&wire); err != nil || !onWire.Match(wire.Bytes()) {
			t.Fatalf("%q: %v: %.300q", in, err, wire.String())
		}
		text, u, problem := parseURL(m.URL)
		if text != m.URL || problem != "" || u.RequestURI() != req.URL.RequestURI() || u.Host != req.Host {
			t.Fatalf("%q is recorded as %q, and sent as %s%s", in, m.URL, req.Host, req.URL.RequestURI())
		}
	})
}
