package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	v1, v1a := all["v1"], all["v1a"]
	value := strings.TrimPrefix(v1.Signature, "v1,")
	cases := []struct {
		name, header, value string // one header changed, or none
		body                string // where it is not the vector's
		late                time.Duration
		secrets             []string
		want                error
	}{
		{name: "v1", secrets: []string{v1.Secret}},
		{name: "v1a by the public key", secrets: []string{v1a.Public}},
		{name: "v1a by the private key", secrets: []string{v1a.Secret}},
		{name: "one right signature among several", header: "Webhook-Signature", secrets: []string{v1.Secret},
			value: "v1,AAAA v2," + value + " " + v1.Signature + " v1a,x"},
		{name: "one right secret among several", secrets: []string{"other", v1a.Public, v1.Secret}},
		{name: "5 minutes late", late: 5 * time.Minute, secrets: []string{v1.Secret}},
		{name: "5 minutes early", late: -5 * time.Minute, secrets: []string{v1.Secret}},

		{name: "no id", header: "Webhook-Id", secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "no timestamp", header: "Webhook-Timestamp", secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "no signature", header: "Webhook-Signature", secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "no value", header: "Webhook-Signature", value: "v1,", secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "no label", header: "Webhook-Signature", value: value, secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "labelled v2", header: "Webhook-Signature", value: "v2," + value, secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "v1 labelled v1a", header: "Webhook-Signature", value: "v1a," + value, secrets: []string{v1.Secret, v1a.Public},
			want: ErrUnverified},
		{name: "v1a without a value", header: "Webhook-Signature", value: "v1a,", secrets: []string{v1a.Public}, want: ErrUnverified},
		{name: "another id", header: "Webhook-Id", value: "msg_other", secrets: []string{v1.Secret, v1a.Public}, want: ErrUnverified},
		{name: "another body", body: `{"test": 2432232315}`, secrets: []string{v1.Secret, v1a.Public}, want: ErrUnverified},
		{name: "another secret", secrets: []string{"whsec_b3RoZXI="}, want: ErrUnverified},
		{name: "no secret", want: ErrUnverified},
		{name: "more than 5 minutes late", late: 5*time.Minute + time.Second, secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "more than 5 minutes early", late: -5*time.Minute - time.Second, secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "another timestamp", header: "Webhook-Timestamp", value: fmt.Sprint(v1.Timestamp + 1), secrets: []string{v1.Secret, v1a.Public},
			want: ErrUnverified},
		{name: "a float", header: "Webhook-Timestamp", value: fmt.Sprint(v1.Timestamp) + ".0", secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "negative", header: "Webhook-Timestamp", value: fmt.Sprint(-v1.Timestamp), secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "with a sign", header: "Webhook-Timestamp", value: "+" + fmt.Sprint(v1.Timestamp), secrets: []string{v1.Secret},
			want: ErrUnverified},
		{name: "text", header: "Webhook-Timestamp", value: "yesterday", secrets: []string{v1.Secret}, want: ErrUnverified},
		{name: "after all time", header: "Webhook-Timestamp", value: "9223372036854775807", secrets: []string{v1.Secret}, want: ErrUnverified},

		{name: "an empty secret", secrets: []string{""}, want: ErrSecretUnusable},
		{name: "a bare whsec_", secrets: []string{"whsec_"}, want: ErrSecretUnusable},
		{name: "a short public key", secrets: []string{"whpk_AAAA"}, want: ErrSecretUnusable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := signed(t, v1, v1.Secret, v1a.Secret)
			switch {
			case c.value != "":
				h[c.header] = []string{c.value}
			case c.header != "":
				delete(h, c.header)
			}
			body := v1.Body
			if c.body != "" {
				body = c.body
			}
			err := Verify(h, []byte(body), time.Unix(v1.Timestamp, 0).Add(c.late), c.secrets...)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	v := vectors(f)["v1"]
	h := signed(f, v, v.Secret)
	f.Add(v.ID, fmt.Sprint(v.Timestamp), v.Signature, v.Body)
	f.Add(v.ID, "1e9", "v1a, v1,", "")
	f.Fuzz(func(t *testing.T, id, timestamp, list, body string) {
		got := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {list}}
		err := Verify(got, []byte(body), time.Unix(v.Timestamp, 0), v.Secret)
		genuine := id == v.ID && timestamp == fmt.Sprint(v.Timestamp) && body == v.Body && strings.Contains(list, h.Get("Webhook-Signature"))
		if err == nil && !genuine {
			t.Fatalf("took %v %q", got, body)
		}
	})
}
