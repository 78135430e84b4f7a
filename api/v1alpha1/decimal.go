package v1alpha1

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// ParseDecimal returns the number that a field such as a target holds: an integer (35) or a string with
// decimals ("62.5"). The error says how decimals are written.
func ParseDecimal(v intstr.IntOrString) (float64, error) {
	if v.Type == intstr.Int {
		return float64(v.IntVal), nil
	}
	f, err := strconv.ParseFloat(v.StrVal, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a decimal: write 35 or \"62.5\"", v.StrVal)
	}
	return f, nil
}
