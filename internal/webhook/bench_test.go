package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// kibibyte is a body of about 1 KiB.
var kibibyte = `{"type": "invoice.paid", "items": [` + strings.Repeat(`{"id": 12345, "name": "an item é"}, `, 27) + `null]}`

func benchMessage() []byte { return []byte(aMessage(map[string]string{"body": kibibyte})) }

func BenchmarkDecode(b *testing.B) {
	in := benchMessage()
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := Decode(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	body := []byte(kibibyte)
	for name, s := range map[string]string{"v1": "whsec_aHVudGVyMg==", "v1a": vectors(b)["v1a"].Secret} {
		b.Run(name, func(b *testing.B) {
			secrets := []Secret{secret(b, s)}
			b.ReportAllocs()
			for b.Loop() {
				if err := Sign(make(http.Header, 8), secrets, "evt_1", "invoice.paid", time.Unix(1614265330, 0), body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSignBy is what a scheme adds to v1's.
func BenchmarkSignBy(b *testing.B) {
	for name, s := range map[string]Signature{
		"svix": {Scheme: SchemeSvix}, "outpost": {Scheme: SchemeOutpost}, "convoy": {Scheme: SchemeConvoy, Timestamped: true},
	} {
		b.Run(name, func(b *testing.B) {
			r := Request{ID: "evt_1", EventType: "invoice.paid", At: time.Unix(1614265330, 0), Body: []byte(kibibyte), Signature: &s,
				Secrets: []Secret{secret(b, "whsec_aHVudGVyMg==")}}
			b.ReportAllocs()
			for b.Loop() {
				if err := r.sign(make(http.Header, 8)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func sink(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusNoContent)
}

// BenchmarkWebhook is a whole delivery, from the message's text to the
// verdict. BenchmarkBare is the least that Go's own client can do for the same.
func BenchmarkWebhook(b *testing.B) {
	url := endpoint(b, sink)
	in := bytes.Replace(benchMessage(), []byte("https://hooks.acme.test"), []byte(url), 1)
	c := client(b, timeout(DefaultTimeout))
	secrets := []Secret{secret(b, "whsec_aHVudGVyMg==")}
	b.ReportAllocs()
	for b.Loop() {
		m, err := Decode(in)
		if err != nil {
			b.Fatal(err)
		}
		x := c.Post(b.Context(), m.Request(m.ID, secrets, time.Now()))
		if v, reason := Classify(x); v != attempt.Delivered {
			b.Fatal(reason)
		}
	}
}

func BenchmarkBare(b *testing.B) {
	url := endpoint(b, sink)
	body := []byte(kibibyte)
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	b.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Transport: transport, Timeout: DefaultTimeout}
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		mac := hmac.New(sha256.New, []byte("hunter2"))
		mac.Write(body)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Webhook-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		resp, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
