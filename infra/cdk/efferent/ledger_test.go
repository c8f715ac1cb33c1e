package efferent_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/ledger"
)

// TestTheSignerAloneSigns: no policy of IAM can let anybody else, for a key's
// policy has the last word ("Key policies in AWS KMS").
func TestTheSignerAloneSigns(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	key := made.of("AWS::KMS::Key")["LedgerKey"]
	may := map[string][]string{}
	for _, s := range statements(key["KeyPolicy"]) {
		for _, action := range texts(s["Action"]) {
			who := text(s["Principal"].(object)["AWS"])
			may[action] = append(may[action], who)
		}
	}
	signer := []string{"CheckpointRole.Arn"}
	if !slices.Equal(may["kms:Sign"], signer) || len(may["kms:CreateGrant"]) != 0 {
		t.Errorf("they may sign: %v, and hand that on: %v", may["kms:Sign"], may["kms:CreateGrant"])
	}
	if len(may["kms:PutKeyPolicy"]) != 1 {
		t.Error("nobody can look after the key")
	}
	if key["KeySpec"] != "ECC_NIST_EDWARDS25519" || key["KeyUsage"] != "SIGN_VERIFY" || len(made.of("AWS::KMS::Key")) != 1 {
		t.Errorf("the key is %v", key)
	}
	if keys := synth(t, efferent.Props{Ledger: efferent.LedgerProps{KeySecret: "efferent/ledger/key"}}).of("AWS::KMS::Key"); len(keys) != 0 {
		t.Errorf("there are keys of KMS beside the secret: %v", keys)
	}
}

// TestTheLedgerIsKept: what may expire, and what may not.
func TestTheLedgerIsKept(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{Sending: efferent.SendingProps{AuditLanes: 2}})
	buckets := made.of("AWS::S3::Bucket")
	for name, b := range buckets {
		if !cmp.Equal(b["VersioningConfiguration"], object{"Status": "Enabled"}) || b["BucketEncryption"] == nil {
			t.Errorf("%s: %v", name, b)
		}
	}
	if buckets["Checkpoints"]["LifecycleConfiguration"] != nil {
		t.Error("what was signed expires, and the newest of it may be old")
	}
	if d := cmp.Diff(object{"ObjectLockEnabled": "Enabled", "Rule": object{"DefaultRetention": object{"Days": 1.0, "Mode": "GOVERNANCE"}}},
		buckets["Checkpoints"]["ObjectLockConfiguration"]); d != "" {
		t.Error(d)
	}
	entries := func(lane string) object {
		return object{"Id": lane, "Prefix": lane + "/tile/entries/", "ExpirationInDays": 365.0, "Status": "Enabled",
			"NoncurrentVersionExpiration": object{"NoncurrentDays": 30.0}}
	}
	if d := cmp.Diff(object{"Rules": []any{
		object{"Id": "replaced", "NoncurrentVersionExpiration": object{"NoncurrentDays": 365.0}, "Status": "Enabled"},
		entries("lane-0"), entries("lane-1"),
	}}, buckets["LedgerTiles"]["LifecycleConfiguration"]); d != "" {
		t.Error(d)
	}
	if path := ledger.LaneName(1) + "/" + ledger.BundlePath(7, ledger.TileWidth); !strings.HasPrefix(path, "lane-1/tile/entries/") {
		t.Errorf("a bundle is at %s", path)
	}
	table := made.of("AWS::DynamoDB::GlobalTable")["Ledger"]
	replica := table["Replicas"].([]any)[0].(object)
	if table["BillingMode"] != "PAY_PER_REQUEST" || table["TimeToLiveSpecification"] != nil ||
		!cmp.Equal(replica["PointInTimeRecoverySpecification"], object{"PointInTimeRecoveryEnabled": true}) {
		t.Errorf("the table is %v", table)
	}
}

// TestBucketsTakeNothingButTLS is about both of them.
func TestBucketsTakeNothingButTLS(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	for _, p := range made.of("AWS::S3::BucketPolicy") {
		if got := statements(p["PolicyDocument"]); len(got) != 1 || got[0]["Effect"] != "Deny" || got[0]["Action"] != "s3:*" ||
			!cmp.Equal(got[0]["Condition"], object{"Bool": object{"aws:SecureTransport": "false"}}) {
			t.Errorf("%s: %v", text(p["Bucket"]), got)
		}
	}
	if n := len(made.of("AWS::S3::BucketPolicy")); n != 2 || len(made.of("AWS::S3::Bucket")) != n {
		t.Errorf("there are %d policies of buckets", n)
	}
}
