package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes one line of plain characters of a text that a stranger may have written: control and format characters, line
// separators and what is no UTF-8 become blanks, and blanks in a row one.
func clean(s string) string {
	plain := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(plain), " ")
}

// cut shortens a text to a number of bytes, between its runes.
func cut(s string, most int) string {
	const dots = "..."
	if len(s) <= most {
		return s
	}
	end := most - len(dots)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + dots
}
