package waiting

import (
	"strings"
	"testing"
	"time"

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
	i.Body += "x"
	if i.Fits() {
		t.Errorf("%d bytes fit", sent())
	}
	if i.Carried.Released != (time.Time{}) {
		t.Error("asking has changed it")
	}
}
