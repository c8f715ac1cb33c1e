package console

import (
	"fmt"
	"os"
	"time"

	"github.com/go-json-experiment/json"
)

// TimeText is empty for no time.
func TimeText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateTime)
}

// Thousands writes 1234 as 1,234.
func Thousands[N int | int64](n N) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// StatusText is - where there was no answer.
func StatusText(status int) string {
	if status == 0 {
		return "-"
	}
	return fmt.Sprint(status)
}

// CountOf is a number of things, in words.
func CountOf(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Thousands(n) + " " + thing + "s"
}

// CountText is a number of messages, in words.
func CountText(n int) string {
	if n == 1 {
		return "1 message"
	}
	return Thousands(n) + " messages"
}

// UntilText says how long it is until something is due.
func UntilText(d time.Duration) string {
	if d <= 0 {
		return "now"
	}
	return SpanText(d)
}

// SpanText is a duration in the largest unit that it has two of, or in seconds.
func SpanText(d time.Duration) string {
	for _, unit := range []struct {
		name string
		d    time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d >= 2*unit.d {
			return fmt.Sprintf("%d%s", d/unit.d, unit.name)
		}
	}
	return fmt.Sprintf("%ds", max(0, d/time.Second))
}

// PrintJSON prints a value as one line of JSON.
func PrintJSON(v any) error {
	if err := json.MarshalWrite(os.Stdout, v); err != nil {
		return err
	}
	fmt.Println()
	return nil
}
