package waiting

import (
	"strconv"
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

// TestTheTraceGoesOn: where not all attributes can be sent, those of the trace are.
func TestTheTraceGoesOn(t *testing.T) {
	t.Parallel()
	i := Item{Carried: message.Carried{ID: "evt", Attempts: 5, Base: 4}, Attributes: map[string]message.Attribute{
		message.TraceParent: message.Text("p"), message.TraceState: message.Text("s")}}
	for n := range 9 {
		i.Attributes["own"+strconv.Itoa(n)] = message.Text("x")
	}
	sent := i.Sendable()
	if len(sent) != message.MaxAttributes || sent[message.TraceParent].Text != "p" || sent[message.TraceState].Text != "s" {
		t.Errorf("sent %v", sent)
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
