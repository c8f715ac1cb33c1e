package efferent_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// TestEachAlarmHasItsParagraph in docs/operate.md, which says whom it is for, what it
// means, what is in danger, where to look, what to do, and when it ends; and no other
// alarm has one.
func TestEachAlarmHasItsParagraph(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, alarms, _ := strings.Cut(string(text), "\n## Alarms\n")
	alarms, _, _ = strings.Cut(alarms, "\n## ")
	found := map[string]string{}
	for _, paragraph := range strings.Split(alarms, "\n### ")[1:] {
		name, says, _ := strings.Cut(paragraph, "\n\n")
		found[name] = strings.ToLower(says[:strings.IndexAny(says, ".,")])
		for _, part := range []string{"**Means:**", "**In danger:**", "**Look:**", "**Mend:**", "**Ends**"} {
			if strings.Count(says, "\n- "+part) != 1 {
				t.Errorf("%s does not say once %s", name, part)
			}
		}
	}
	want := map[string]string{}
	for name, a := range alarmsOf(t, rotated) {
		want[name] = severity.FindStringSubmatch(a["AlarmDescription"].(string))[1]
	}
	if d := cmp.Diff(want, found); d != "" {
		t.Errorf("alarms and paragraphs (-template +page):\n%s", d)
	}
}

// TestOperateNamesWhatThereIs: outputs that its commands ask for, and graphs that the
// dashboard has.
func TestOperateNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	outputs := synth(t, rotated).json["Outputs"].(object)
	asked := regexp.MustCompile(`\$\(out (\w+)\)|\b(\w+LogGroup)\b`).FindAllStringSubmatch(string(page), -1)
	if len(asked) < 10 {
		t.Errorf("it asks for %d outputs", len(asked))
	}
	for _, a := range asked {
		if name := a[1] + a[2]; outputs[name] == nil {
			t.Errorf("it asks for the output %s, and there are %v", name, slices.Sorted(maps.Keys(outputs)))
		}
	}
}

// TestHowManyAlarmsThereAre: what they cost is told of as many.
func TestHowManyAlarmsThereAre(t *testing.T) {
	t.Parallel()
	n := len(alarmsOf(t, efferent.Props{}))
	without := n - len(alarmsOf(t, efferent.Props{WithoutNotifications: true}))
	for file, want := range map[string]string{
		"bench/costmonths.go": fmt.Sprintf("alarms = %d\n", n),
		"docs/deploy.md":      fmt.Sprintf("[Alarms](operate.md#alarms), %d in a whole stack", n),
		"docs/cost.md":        fmt.Sprintf("one metric each | %d | %.2f |", n, float64(n)/10),
	} {
		b, err := os.ReadFile("../../../" + file)
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s does not say %q, %v", file, want, err)
		}
	}
	if more := len(alarmsOf(t, efferent.Props{Outcomes: efferent.OutcomeProps{Tenant: "operator"}})) - n; more != 5 {
		t.Errorf("where outcomes are told there are %d more, and docs/cost.md says five", more)
	}
	if without != 12 {
		t.Errorf("without notifications there are %d fewer, and docs/cost.md says twelve", without)
	}
}
