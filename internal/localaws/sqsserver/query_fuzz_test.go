package sqsserver_test

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// FuzzQuery sends any form: nothing panics, and every answer is XML with a
// status that fits.
func FuzzQuery(f *testing.F) {
	for _, c := range scenario {
		f.Add(formOf(c.operation, c.input).Encode())
	}
	f.Add("Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry.1000000000.Id=1" +
		"&SendMessageBatchRequestEntry.2.MessageAttribute.9.Name=a")
	f.Fuzz(func(t *testing.T, form string) {
		b := newBundle(t)
		b.create("dlq", nil)
		b.create("q", redrive("dlq", 1))
		b.create("q.fifo", byContent)
		b.send("q", "a")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if plain, _ := neturl.QueryUnescape(form); strings.Contains(plain, "Wait") {
			cancel() // the clock stands still: a long poll would not end
		}
		w := httptest.NewRecorder()
		sqsserver.NewHandler(b.Engine).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/0/q", strings.NewReader(form)))
		switch w.Code {
		case 200, 400, 403, 404, 503:
		default:
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		var n xmlNode
		if err := xml.Unmarshal(w.Body.Bytes(), &n); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
	})
}
