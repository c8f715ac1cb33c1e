package ledger

import "testing"

// SQS counts a message's body and its attributes ("Amazon SQS message quotas":
// 1 MiB), and what sends an audit message may add some.
func TestMessagesFitSQS(t *testing.T) {
	t.Parallel()
	const most, attributes = 1 << 20, 64 << 10
	if MessageLimit > most-attributes {
		t.Errorf("a body of %d bytes leaves %d for attributes, want %d", MessageLimit, most-MessageLimit, attributes)
	}
}

// Known answers (RFC 6234: SHA-256 of the whole body). Two bodies that begin
// alike are two messages: SQS would drop the second one otherwise.
func TestDeduplicationID(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"v":1,"entries":[{"id":"a"}]}`: "33aac38b9c63fb4cbb183ffb0505d82686740da02e2798d7d05cb211756fe565",
		`{"v":1,"entries":[{"id":"b"}]}`: "52ec19b3e97cf46078fee53fb63e2b553c7723761ddc45b90745ab27d7829907",
	} {
		if got := DeduplicationID([]byte(body)); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}
