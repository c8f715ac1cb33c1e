package main

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
)

// empty is an SQS endpoint that keeps nothing: it reads a request and gives the
// answer that is ready, the same message each time. No server behind net/http
// can be faster, so it is what the others are measured by.
func empty() error {
	return beServed(func(url string) (http.Handler, error) {
		answers, err := readyAnswers(url)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header()["Content-Type"] = []string{"application/x-amz-json-1.0"}
			_, _ = w.Write(answers[r.Header.Get("X-Amz-Target")])
		}), err
	})
}

func readyAnswers(url string) (map[string][]byte, error) {
	const id, handle = "5fea7756-0ea4-451a-a703-a558b933e274", "a-receipt-handle-of-some-length-as-they-all-have-one-of-about-a-hundred-bytes"
	sum := md5.Sum(payload)
	hash := hex.EncodeToString(sum[:])
	answers := map[string][]byte{}
	for operation, answer := range map[string]any{
		"CreateQueue": map[string]string{"QueueUrl": url + "/000000000000/empty"},
		"SendMessage": map[string]string{"MessageId": id, "MD5OfMessageBody": hash},
		"ReceiveMessage": map[string]any{"Messages": []any{map[string]string{
			"MessageId": id, "ReceiptHandle": handle, "MD5OfBody": hash, "Body": string(payload)}}},
		"DeleteMessage": map[string]string{},
	} {
		b, err := json.Marshal(answer)
		if err != nil {
			return nil, err
		}
		answers["AmazonSQS."+operation] = b
	}
	return answers, nil
}
