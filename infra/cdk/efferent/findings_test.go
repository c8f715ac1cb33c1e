package efferent_test

import (
	"debug/elf"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// nag is what cdk-nag's AwsSolutions says of what make puts into an app: a line of
// its report for each rule and resource, by its answer.
func nag(t *testing.T, by awscdk.IReusableStackSynthesizer, make func(awscdk.App) error) (lines map[string][]string) {
	t.Helper()
	dir, context := t.TempDir(), deployed(t)
	call(t, func() {
		app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(dir), Context: &context, DefaultStackSynthesizer: by})
		if err := make(app); err != nil {
			t.Fatal(err)
		}
		awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
		app.Synth(nil)
	})
	f, err := os.Open(filepath.Join(dir, "AwsSolutions--Efferent-NagReport.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll() // rule, resource, compliance, …
	if err != nil || len(records) < 20 {
		t.Fatalf("%d lines, %v", len(records), err)
	}
	lines = map[string][]string{}
	for _, r := range records {
		lines[r[2]] = append(lines[r[2]], r[0]+" "+r[1])
	}
	return lines
}

// many are the main options, on.
func many(t *testing.T) efferent.Props {
	return efferent.Props{Prefix: "prod-", Lambdas: built(t, elf.EM_AARCH64),
		Deliver:  efferent.DeliverProps{CABundle: "efferent/ca", AllowCIDRs: "10.0.0.0/8"},
		Notify:   efferent.NotifyProps{SES: true, EndUserMessaging: true},
		Rotate:   efferent.RotateProps{Secrets: []string{"efferent/webhooks/a"}},
		Replay:   efferent.ReplayProps{JWT: &efferent.JWT{Issuer: "https://id.test", Audience: []string{"a"}}},
		Register: efferent.RegisterProps{TokenSecret: "efferent/tokens"},
		Alarms:   efferent.AlarmProps{Topic: "arn:aws:sns:eu-north-1:000000000000:alarms"}}
}

// TestNagFindsNothingNew runs cdk-nag on the stack, plain and with all options, and
// on the template of `make dist`.
func TestNagFindsNothingNew(t *testing.T) {
	t.Parallel()
	stack := func(props efferent.Props) func(awscdk.App) error {
		return func(app awscdk.App) error {
			_, err := efferent.NewStack(app, "Efferent", props)
			return err
		}
	}
	nothing := func(t *testing.T, found []string) {
		if found != nil {
			t.Errorf("cdk-nag finds, and findings.go has no reason for it:\n%s", strings.Join(found, "\n"))
		}
	}
	t.Run("as it is", func(t *testing.T) {
		t.Parallel()
		nothing(t, nag(t, nil, stack(efferent.Props{Lambdas: built(t, elf.EM_AARCH64)}))["Non-Compliant"])
	})
	t.Run("with options", func(t *testing.T) {
		t.Parallel()
		lines := nag(t, nil, stack(many(t)))
		nothing(t, lines["Non-Compliant"])
		// A reason for what it no longer finds would hide what it finds some day.
		for _, f := range efferent.Findings {
			suppressed := slices.ContainsFunc(lines["Suppressed"], func(line string) bool { return strings.HasPrefix(line, f.Check+" ") })
			if strings.HasPrefix(f.Check, "AwsSolutions-") && !suppressed {
				t.Errorf("cdk-nag does not find %s any more", f.Check)
			}
		}
	})
	t.Run("the template for all", func(t *testing.T) {
		t.Parallel()
		var by awscdk.IReusableStackSynthesizer
		call(t, func() { by = awscdk.NewBootstraplessSynthesizer(nil) })
		nothing(t, nag(t, by, func(app awscdk.App) error { _, err := efferent.NewTemplate(app, "v1.2.3"); return err })["Non-Compliant"])
	})
}

// TestFindingsAreDocumented holds the page's table to the code's.
func TestFindingsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, f := range efferent.Findings {
		want = append(want, "| `"+f.Check+"` | `"+strings.Join(f.On, "`, `")+"` | "+f.Why+" |")
	}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| `CKV_") || strings.HasPrefix(line, "| `AwsSolutions-") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("docs/deploy.md has other findings than findings.go:\n%s", d)
	}
}
