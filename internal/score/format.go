package score

import (
	"strconv"
	"strings"
)

// FormatDecimal writes a score as it is shown everywhere: with two decimals, halves rounded away from zero, and never as
// "-0.00". It rounds the shortest decimal form of v, which is what a person sees and would round by hand: 1.005 is
// "1.01", although the float is a little below. NaN and infinities, which no score is, come out as strconv writes them.
func FormatDecimal(v float64) string {
	var buffer [32]byte
	shortest := strconv.AppendFloat(buffer[:0], v, 'f', -1, 64)
	whole, decimals, _ := strings.Cut(string(shortest), ".")
	if last := whole[len(whole)-1]; last < '0' || last > '9' { // NaN or Inf
		return whole
	}
	const places = 2
	padded := decimals + "00"
	digits := []byte(whole + padded[:places])
	if len(decimals) > places && decimals[places] >= '5' {
		digits = increment(digits)
	}
	point := len(digits) - places
	text := string(digits[:point]) + "." + string(digits[point:])
	if text == "-0.00" {
		return "0.00"
	}
	return text
}

// increment adds one to the digits of a number that may have a sign.
func increment(digits []byte) []byte {
	first := 0
	if digits[0] == '-' {
		first = 1
	}
	for i := len(digits) - 1; i >= first; i-- {
		if digits[i] < '9' {
			digits[i]++
			return digits
		}
		digits[i] = '0'
	}
	return append(append(append([]byte{}, digits[:first]...), '1'), digits[first:]...)
}
