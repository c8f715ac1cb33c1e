package endpoint

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/message"
)

func TestSubscribes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patterns string
		types    string // those that they have, and after a slash those that they have not
	}{
		{"invoice.paid", "invoice.paid/invoice,invoice.paid.late,Invoice.paid,invoice.pai"},
		{"invoice.*", "invoice.paid,invoice.item.added/invoice,invoice.,invoices.paid,user.invoice.paid"},
		{"*", "invoice.paid,x/"},
		{"invoice.item.*,user", "invoice.item.added,user/invoice.paid,user.made"},
		{"", "/invoice.paid"},
	} {
		yes, no, _ := strings.Cut(c.types, "/")
		for want, list := range map[bool]string{true: yes, false: no} {
			for eventType := range strings.SplitSeq(list, ",") {
				if eventType != "" && Subscribes(strings.Split(c.patterns, ","), eventType) != want {
					t.Errorf("%q has %q: want %v", c.patterns, eventType, want)
				}
			}
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"*", "a", "a.*", "a.b-c.d_1.*", "Order Placed", "com.acme/v1.*", strings.Repeat("a", 256)} {
		if problem := message.CheckPattern(good); problem != "" {
			t.Errorf("%q: %s", good, problem)
		}
	}
	for _, bad := range []string{
		"", ".", "a.", ".a", "a..b", "*.a", "a*", "a.*.b", "a.**", ".*", "**", " a", "a ", "a\n", "ä", strings.Repeat("a", 257),
	} {
		if message.CheckPattern(bad) == "" {
			t.Errorf("%q is taken", bad)
		}
	}
}
