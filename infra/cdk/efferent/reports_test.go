package efferent_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/settings"
)

var reporting = efferent.Props{Reports: efferent.ReportProps{Twilio: true, ConfigurationSet: "mails", Rate: 7, Burst: 9}}

// TestReportsMayDoThisAndNoMore: who takes them in, and who hands them on.
func TestReportsMayDoThisAndNoMore(t *testing.T) {
	t.Parallel()
	made := synth(t, reporting)
	const secrets = "secretsmanager:GetSecretValue arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:efferent/"
	for name, want := range map[string][]string{
		"Report": append(append(consumes("ReportQueue"), logs("Report")...), "sqs:SendMessage NotificationQueue.Arn",
			"sqs:SendMessage AuditQueue.Arn", "dynamodb:Query Attempts.Arn", "dynamodb:PutItem Attempts.Arn",
			"dynamodb:PutItem Directory.Arn", secrets+"ledger/keys-??????"),
		"Callback": append(logs("Callback"), "sqs:SendMessage ReportQueue.Arn", secrets+"twilio-??????"),
	} {
		slices.Sort(want)
		if d := cmp.Diff(want, granted(made.of("AWS::IAM::Role")[name+"Role"])); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	env := made.of("AWS::Lambda::Function")["ReportFunction"]["Environment"].(object)["Variables"].(object)
	found, err := settings.ReadReports(func(name string) string {
		if env[name] == nil {
			return ""
		}
		return text(env[name])
	})
	if d := cmp.Diff([]string{"ReportQueue", "NotificationQueue", "AuditQueue", "Attempts", "Directory"}, []string{found.ReportsQueueURL,
		found.NotificationsQueueURL, found.AuditQueueURL, found.AttemptsTable, found.DirectoryTable}); d != "" || err != nil {
		t.Errorf("report finds, %v: %s", err, d)
	}
}

// TestReplayReachesReports: what could not be taken in is shown and sent again as all else.
func TestReplayReachesReports(t *testing.T) {
	t.Parallel()
	made := synth(t, reporting)
	env := made.of("AWS::Lambda::Function")["ReplayFunction"]["Environment"].(object)["Variables"].(object)
	if text(env[settings.ReportsQueueURL]) != "ReportQueue" || text(env[settings.ReportFailuresQueueURL]) != "ReportFailures" {
		t.Errorf("replay finds %v and %v", env[settings.ReportsQueueURL], env[settings.ReportFailuresQueueURL])
	}
	may := granted(made.of("AWS::IAM::Role")["ReplayRole"])
	for _, want := range []string{"sqs:SendMessage ReportQueue.Arn", "sqs:ReceiveMessage ReportFailures.Arn",
		"sqs:DeleteMessage ReportFailures.Arn", "sqs:StartMessageMoveTask ReportFailures.Arn"} {
		if !slices.Contains(may, want) {
			t.Errorf("replay may not %s", want)
		}
	}
}

// TestTwilioHasOneOpenRoute, with a limit of its own.
func TestTwilioHasOneOpenRoute(t *testing.T) {
	t.Parallel()
	made := synth(t, reporting)
	const route = "POST /callbacks/twilio/{token}"
	var open []string
	for _, r := range made.of("AWS::ApiGatewayV2::Route") {
		if r["AuthorizationType"] == "NONE" {
			open = append(open, text(r["RouteKey"]))
		}
	}
	if d := cmp.Diff([]string{route}, open); d != "" {
		t.Errorf("open to everybody (-want +got):\n%s", d)
	}
	limits := made.of("AWS::ApiGatewayV2::Stage")["ApiStage"]["RouteSettings"]
	if d := cmp.Diff(object{route: object{"ThrottlingRateLimit": 7.0, "ThrottlingBurstLimit": 9.0}}, limits); d != "" {
		t.Error(d)
	}
}

// TestOnlySESPublishesAndOnlyItsTopicSends: what others put there would be believed.
func TestOnlySESPublishesAndOnlyItsTopicSends(t *testing.T) {
	t.Parallel()
	made := synth(t, reporting)
	var allowed []string
	for _, s := range allStatements(made) {
		who, _ := s["Principal"].(object)
		if service := text(who["Service"]); s["Effect"] == "Allow" && (service == "ses.amazonaws.com" || service == "sns.amazonaws.com") {
			var when []string
			for _, condition := range s["Condition"].(object) {
				for name, value := range condition.(object) {
					when = append(when, name+"="+text(value))
				}
			}
			slices.Sort(when)
			allowed = append(allowed, service+" "+text(s["Action"])+" "+text(s["Resource"])+" where "+strings.Join(when, ", "))
		}
	}
	slices.Sort(allowed)
	if d := cmp.Diff([]string{
		"ses.amazonaws.com sns:Publish SesEvents where AWS:SourceAccount=AWS::AccountId, " +
			"AWS:SourceArn=arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set/ConfigurationSet",
		"sns.amazonaws.com sqs:SendMessage ReportQueue.Arn where aws:SourceArn=SesEvents",
	}, allowed); d != "" {
		t.Error(d)
	}
	for id, s := range made.of("AWS::SNS::Subscription") {
		if s["RawMessageDelivery"] != true || text(s["Endpoint"]) != "ReportQueue.Arn" {
			t.Errorf("%s: %v", id, s)
		}
	}
}

// TestNobodyReportsUnasked: without either nothing is made, and each is made alone.
func TestNobodyReportsUnasked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		props                    efferent.Props
		queue, callback, address bool
	}{
		"nobody":                {efferent.Props{}, false, false, false},
		"Twilio":                {efferent.Props{Reports: efferent.ReportProps{Twilio: true}}, true, true, false},
		"SES":                   {efferent.Props{Reports: efferent.ReportProps{ConfigurationSet: "a"}}, true, false, true},
		"SES, and no API":       {efferent.Props{WithoutAPI: true, Reports: efferent.ReportProps{ConfigurationSet: "a"}}, true, false, true},
		"without notifications": {efferent.Props{WithoutNotifications: true, Reports: reporting.Reports}, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := synth(t, c.props)
			_, queue := made.of("AWS::SQS::Queue")["ReportQueue"]
			_, report := made.of("AWS::Lambda::Function")["ReportFunction"]
			_, callback := made.of("AWS::Lambda::Function")["CallbackFunction"]
			sets := len(made.of("AWS::SES::ConfigurationSet")) > 0
			if queue != c.queue || report != c.queue || callback != c.callback || sets != c.address {
				t.Errorf("queue %v, report %v, callback %v, configuration set %v", queue, report, callback, sets)
			}
		})
	}
}
