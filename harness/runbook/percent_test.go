package runbook

import "testing"

func TestPercent(t *testing.T) {
	for text, want := range map[string]float64{"99.9%": 0.999, "1%": 0.01, "0%": 0, "100%": 1, "99.999%": 0.99999, "0.05%": 0.0005} {
		t.Run(text, func(t *testing.T) {
			var got Percent
			if err := got.UnmarshalText([]byte(text)); err != nil || float64(got)-want > 1e-12 || want-float64(got) > 1e-12 {
				t.Fatalf("got %v, %v, want %v", float64(got), err, want)
			}
			if got.String() != text {
				t.Errorf("written as %q, want %q", got.String(), text)
			}
			roundTrip(t, got)
		})
	}
}

func TestPercentRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":       `"" is not a percentage (write it as 99.9%)`,
		"99.9":   `"99.9" is not a percentage (write it as 99.9%)`,
		"-1%":    `"-1%" is not a percentage (write it as 99.9%)`,
		"NaN%":   `"NaN%" is not a percentage (write it as 99.9%)`,
		"100.1%": `"100.1%" is more than there is (between 0% and 100%)`,
	} {
		t.Run(text, func(t *testing.T) {
			var got Percent
			if err := got.UnmarshalText([]byte(text)); err == nil || err.Error() != want {
				t.Errorf("got error %v, want %s", err, want)
			}
		})
	}
}
