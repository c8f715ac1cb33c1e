package awssqs

import "testing"

// FuzzRedrive: whatever an endpoint gives for a redrive policy, what is read of it
// is read again from what is written.
func FuzzRedrive(f *testing.F) {
	for _, text := range []string{"", "{}", "[]", `{"deadLetterTargetArn":"a","maxReceiveCount":6}`,
		`{"deadLetterTargetArn":"a","maxReceiveCount":"6"}`, `{"deadLetterTargetArn":"a:b","maxReceiveCount":6.5}`,
		`{"maxReceiveCount":1e3,"deadLetterTargetArn":"\u00e9"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseRedrive(text)
		if err != nil {
			return
		}
		if again, err := ParseRedrive(p.String()); err != nil || again != p {
			t.Errorf("%q: %+v, then %+v, %v", text, p, again, err)
		}
	})
}
