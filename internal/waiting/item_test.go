package waiting

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/message"
)

// TestFits: what fits can be sent, whenever that is, with all that it carries
// then.
func TestFits(t *testing.T) {
	t.Parallel()
	i := due(1, 0)
	i.Attributes = map[string]message.Attribute{"own": message.Text("x")}
	i.Carried = message.Carried{ID: "evt_1", Attempts: 3}
	sent := func() (size int) {
		out := (&leaving{Item: i}).outgoing(noon.Add(123456789))
		size = len(out.Body)
		for name, a := range out.Attributes {
			size += a.Size(name)
		}
		return size
	}
	i.Body = strings.Repeat("x", message.MaxSize-sent())
	if !i.Fits() || sent() != message.MaxSize {
		t.Errorf("%d bytes do not fit", sent())
	}
	i.Circuit = "endpoint-1"
	if i.Fits() {
		t.Error("there is no room for how long it was held")
	}
	i.Circuit = ""
	i.Body += "x"
	if i.Fits() {
		t.Errorf("%d bytes fit", sent())
	}
	if i.Carried.Released != (time.Time{}) {
		t.Error("asking has changed it")
	}
}

// TestSendable: what a message carried when it came is not what it carries now.
func TestSendable(t *testing.T) {
	t.Parallel()
	i := Item{Carried: message.Carried{Attempts: 5, Base: 4}, Attributes: map[string]message.Attribute{
		"own": message.Text("x"), message.CarriedRetry: message.Text("replay"), message.CarriedHeld: message.Text("trouble=86400"),
		message.CarriedAttempts: message.Text("4"),
	}}
	want := map[string]message.Attribute{
		"own": message.Text("x"), message.CarriedAttempts: message.Text("5"), message.CarriedBase: message.Text("4"),
	}
	if diff := cmp.Diff(want, i.Sendable()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
