// Command receivers receives webhooks, verifies them by Standard Webhooks' library,
// and prints each event once. receiver.py and receiver.mjs do the same.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	verifier, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal("WEBHOOK_SECRET: ", err)
	}
	var seen sync.Map // by id: a table with a unique key, in your own database
	http.HandleFunc("POST /in", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "it could not be read", http.StatusBadRequest)
			return
		}
		if err := verifier.Verify(body, r.Header); err != nil { // of the body as it came, before it is parsed
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		id := r.Header.Get("webhook-id")
		if _, twice := seen.LoadOrStore(id, true); !twice {
			fmt.Println(id, r.Header.Get("x-webhook-event"), string(body))
		}
		w.WriteHeader(http.StatusNoContent)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("ADDRESS"), nil))
}
