package v1alpha1

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		in   intstr.IntOrString
		want float64
	}{
		{intstr.FromInt32(35), 35},
		{intstr.FromInt32(-100), -100},
		{intstr.FromInt32(0), 0},
		{intstr.FromString("62.5"), 62.5},
		{intstr.FromString("-0.25"), -0.25},
		{intstr.FromString("35"), 35},
	} {
		if got, err := ParseDecimal(c.in); err != nil || got != c.want {
			t.Errorf("ParseDecimal(%s) = %v, %v; want %v", c.in.String(), got, err, c.want)
		}
	}
	for _, text := range []string{"", "high", "62,5", "65%", "1e999"} {
		_, err := ParseDecimal(intstr.FromString(text))
		if err == nil || !strings.Contains(err.Error(), `"62.5"`) {
			t.Errorf("ParseDecimal(%q): %v, want an error that says how decimals are written", text, err)
		}
	}
}
