package onward

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

func TestPack(t *testing.T) {
	t.Parallel()
	noise := make([]byte, maxOnward)
	_, _ = rand.Read(noise)
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		body string
		err  error
	}{
		"a message":              {`{"id":"n_1","body":"å"}`, nil},
		"what can't be squeezed": {base64.StdEncoding.EncodeToString(noise), ErrTooLarge},
	} {
		m := Message{Item: waiting.Item{Queue: "notifications", Body: c.body, Carried: message.Carried{Origin: "m", Attempts: 1}},
			Deadline: at, DespiteOptOut: true}
		packed, err := m.Pack()
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if got, err := Unpack(packed); err != nil || got.Item.Body != m.Item.Body || !reflect.DeepEqual(got.Item.Carried, m.Item.Carried) ||
			!got.Deadline.Equal(at) || !got.DespiteOptOut {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if _, err := Unpack(packed[:len(packed)-9]); err == nil {
			t.Errorf("%s: a part of it is a message", name)
		}
	}
}
