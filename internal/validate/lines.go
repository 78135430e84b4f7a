package validate

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// lines holds for each line of a document, as the YAML parsers count them, the line of the file, as editors count them.
// They differ since YAML 1.1 ends a line also at a lone carriage return and at three characters of Unicode, one of which
// texts that were copied from a word processor hold.
type lines []int

var (
	lineEnd  = regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]")
	feed     = regexp.MustCompile("\n")
	utf16BOM = [][]byte{{0xfe, 0xff}, {0xff, 0xfe}}
)

// linesOf returns the lines of a chunk that begins at a line of its file. Of a chunk in UTF-16 only line feeds count.
func linesOf(chunk []byte, first int) lines {
	end := lineEnd
	for _, mark := range utf16BOM {
		if bytes.HasPrefix(chunk, mark) {
			end = feed
		}
	}
	line := first
	all := lines{first}
	for _, at := range end.FindAllIndex(chunk, -1) {
		if chunk[at[1]-1] == '\n' {
			line++
		}
		all = append(all, line)
	}
	return all
}

// at returns the line of the file for a line of the parsers, which count from 1.
func (l lines) at(line int) int {
	return l[min(max(line, 1), len(l))-1]
}

var lineNumber = regexp.MustCompile(`\bline (\d+)\b`)

// inMessage makes the line numbers of a parser's message those of the file.
func (l lines) inMessage(message string) string {
	return lineNumber.ReplaceAllStringFunc(message, func(found string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(found, "line "))
		if err != nil {
			return found
		}
		return fmt.Sprintf("line %d", l.at(n))
	})
}
