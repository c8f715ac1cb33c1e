package trace

import (
	"regexp"
	"strings"
	"testing"
)

const (
	producers = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	xray      = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		producers: producers,
		// Flags that nobody knows are not passed on; that the id is random is.
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
		// A later version may have more.
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what": producers,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      producers,
		"": "", "00": "", producers + "-what": "", producers + " ": "", " " + producers: "",
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what": "",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      "",
		"0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01":      "",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01":      "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01":      "",
		"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01":      "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01":      "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g":      "",
	} {
		c, ok := Parse(text, "")
		if ok != (want != "") || ok && c.Parent() != want || !ok && c != (Context{}) {
			t.Errorf("%q is %s, %v, want %q", text, c.Parent(), ok, want)
		}
	}
}

func TestParseState(t *testing.T) {
	t.Parallel()
	for state, valid := range map[string]bool{
		"": true, "congo=t61rcWkgMzE": true, "rojo=00f067aa0ba902b7, congo=t61rcWkgMzE,": true, "fw529a3039@dt=FfAk": true,
		"a": false, "=x": false, "A=x": false, "a=x\r\nX: y": false, "a=\x7f": false, "a=ü": false, "a==": false,
		strings.Repeat("a=1,", 33): false, "a=" + strings.Repeat("x", 511): false, "a=" + strings.Repeat("x", 510): true,
	} {
		c, ok := Parse(producers, state)
		if want := map[bool]string{true: state}[valid]; !ok || c.State != want {
			t.Errorf("%q is %q, %v, want %q", state, c.State, ok, want)
		}
	}
}

func TestParseXRay(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		xray:                      "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
		xray + ";Lineage=a:1|b:2": "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
		"Self=1-1-1; Sampled=0; Root=1-5759e988-bd862e3fe1be46a994272793": "00-5759e988bd862e3fe1be46a994272793-0000000000000000-00",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=?":              "00-5759e988bd862e3fe1be46a994272793-0000000000000000-00",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=what":            "00-5759e988bd862e3fe1be46a994272793-0000000000000000-00",
		"": "", "Root=": "", "Parent=53995c3f42cd8ad8": "", "Root=2-5759e988-bd862e3fe1be46a994272793": "",
		"Root=1-5759e988-bd862e3fe1be46a99427279": "", "Root=1-5759E988-bd862e3fe1be46a994272793": "",
		"Root=1-00000000-000000000000000000000000": "", xray + ";Root=1": "",
	} {
		c, ok := ParseXRay(header)
		if ok != (want != "") || ok && c.Parent() != want || !ok && c != (Context{}) {
			t.Errorf("%q is %s, %v, want %q", header, c.Parent(), ok, want)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	c, _ := Parse(producers, "congo=t61rcWkgMzE")
	a, b := c.Next(), c.Next()
	if a.SpanID == b.SpanID || a.SpanID == c.SpanID || a.TraceID != c.TraceID || a.Flags != c.Flags || a.State != c.State {
		t.Errorf("%+v and %+v follow %+v", a, b, c)
	}
	if c.ID() != "4bf92f3577b34da6a3ce929d0e0e4736" || (Context{}).ID() != "" || (Context{}).Has() {
		t.Errorf("the id is %q", c.ID())
	}
}

// FuzzParse: what is taken is what the standard says it is, and never a line break.
func FuzzParse(f *testing.F) {
	for _, text := range []string{producers, "cc-" + producers[3:] + "-x", xray, "", "Root=1-;;="} {
		f.Add(text, "congo=t61rcWkgMzE")
	}
	valid := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$`)
	f.Fuzz(func(t *testing.T, text, state string) {
		for _, read := range []func() (Context, bool){
			func() (Context, bool) { return Parse(text, state) }, func() (Context, bool) { return ParseXRay(text) },
		} {
			c, ok := read()
			switch {
			case !ok && c != (Context{}):
				t.Errorf("%q is none, and %+v", text, c)
			case ok && (!c.Has() || !valid.MatchString(c.Parent()) || strings.ContainsAny(c.State, "\r\n\x00")):
				t.Errorf("%q, %q is %+v", text, state, c)
			}
		}
		if c, ok := Parse(text, state); ok {
			if again, ok := Parse(c.Parent(), c.State); !ok || again != c {
				t.Errorf("%q is %+v, and again %+v, %v", text, c, again, ok)
			}
		}
	})
}
