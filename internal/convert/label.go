package convert

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// marks are the characters that spreadsheets put in place of others: typographic quotes, hyphens and blanks.
var marks = strings.NewReplacer(
	"\u2018", "'", "\u2019", "'", "\u201c", `"`, "\u201d", `"`, "\u2013", "-", "\u2014", "-", "\u2011", "-", "\u2212", "-",
	"\u00a0", " ", "\u202f", " ", "\u2009", " ", "\u200b", "", "\ufeff", "",
)

// tidy returns a text as headers and labels are compared, but for capitals: NFC, with plain quotes and hyphens, without
// blanks around and with one blank where there are several.
func tidy(text string) string {
	return strings.Join(strings.Fields(marks.Replace(norm.NFC.String(text))), " ")
}

// labelKey returns what two labels have in common that differ in capitals, blanks and kinds of quote only.
func labelKey(label string) string { return strings.ToLower(tidy(label)) }

func isControl(r rune) bool { return unicode.IsControl(r) }

// formulaStarts are the characters that begin a formula in a spreadsheet.
const formulaStarts = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"

// plain takes away the apostrophe that exports put before what a spreadsheet could take for a formula. Nothing else that
// begins with an apostrophe loses it.
func plain(cell string) string {
	rest, ok := strings.CutPrefix(cell, "'")
	if !ok {
		return cell
	}
	bare := strings.TrimLeft(rest, "\"' \u00a0\u3000")
	first, _ := utf8.DecodeRuneInString(bare)
	if bare == "" || !strings.ContainsRune(formulaStarts, first) {
		return cell
	}
	return rest
}

// plainValue is plain for cells that are no free text: there, an apostrophe in front is always a spreadsheet's.
func plainValue(cell string) string {
	cell = strings.TrimSpace(cell)
	return strings.TrimSpace(strings.TrimPrefix(cell, "'"))
}

// spreadsheetErrors stand in cells whose content a spreadsheet could not compute, and has thrown away.
var spreadsheetErrors = []string{"#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "Err:508", "Err:509", "Err:510"}

var hashes = regexp.MustCompile(`^#{3,}$`)

// lostToSpreadsheet tells whether a cell shows an error or a column that was too narrow, in place of what was there.
func lostToSpreadsheet(cell string) bool {
	cell = strings.TrimSpace(cell)
	for _, e := range spreadsheetErrors {
		if cell == e {
			return true
		}
	}
	return hashes.MatchString(cell)
}

var (
	wholeNumber = regexp.MustCompile(`^[+-]?\d{1,9}$`)
	zeroPart    = regexp.MustCompile(`^([+-]?\d{1,9})[.,]0+$`)
	// threeZeros after a comma or a dot can be thousands as well as decimals.
	threeZeros = regexp.MustCompile(`^[+-]?\d{1,3}[.,]000$`)
	scientific = regexp.MustCompile(`^[+-]?\d+([.,]\d+)?[eE][+-]?\d+$`)
)

// wholeOf reads a whole number as spreadsheets write it: 9, 9.0 and 9,0. The problem is empty where it is one.
func wholeOf(cell string) (n int64, problem string) {
	switch {
	case scientific.MatchString(cell):
		return 0, "is in scientific notation, which a spreadsheet writes: format the column as a number without decimals and export again"
	case threeZeros.MatchString(cell):
		return 0, "can be a number with decimals or with thousands: write it without either"
	}
	if m := zeroPart.FindStringSubmatch(cell); m != nil {
		cell = m[1]
	}
	if !wholeNumber.MatchString(cell) {
		return 0, "is not a whole number"
	}
	n, err := strconv.ParseInt(cell, 10, 64)
	if err != nil {
		return 0, "is not a whole number"
	}
	return n, ""
}

// quoted returns a cell for a message, shortened.
func quoted(cell string) string {
	const most = 40
	runes := []rune(cell)
	if len(runes) > most {
		cell = string(runes[:most]) + "…"
	}
	return strconv.Quote(cell)
}
