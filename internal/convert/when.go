package convert

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// defaultLayouts are tried where a mapping names no formats: what can be read in one way only.
var defaultLayouts = []string{"rfc3339", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd"}

// layout is one way in which a time can be written.
type layout struct {
	name string
	// zoned says that the text names its own offset from UTC; dateOnly that it has no time of day.
	zoned, dateOnly bool
	parse           func(text string, zone *time.Location) (time.Time, error)
}

// tokens of a format, after the Unicode standard for dates (as spreadsheets and many languages write them), and what
// they are to package time. The longest that fits counts.
var tokens = []struct {
	token, layout string
	clock, zone   bool
}{
	{"yyyy", "2006", false, false}, {"yy", "06", false, false},
	{"MMMM", "January", false, false}, {"MMM", "Jan", false, false}, {"MM", "01", false, false}, {"M", "1", false, false},
	{"dd", "02", false, false}, {"d", "2", false, false},
	{"EEEE", "Monday", false, false}, {"EEE", "Mon", false, false},
	{"HH", "15", true, false}, {"H", "15", true, false}, {"hh", "03", true, false}, {"h", "3", true, false},
	{"mm", "04", true, false}, {"m", "4", true, false}, {"ss", "05", true, false}, {"s", "5", true, false},
	{"a", "PM", true, false}, {"XXX", "Z07:00", true, true}, {"XX", "Z0700", true, true},
}

// parseLayout reads a format: a pattern of yyyy yy MMMM MMM MM M dd d EEEE EEE HH H hh h mm m ss s a XXX XX with other
// characters between them and letters in single quotes; or rfc3339, unix (seconds), unixMillis, or serial, the days since
// 1899-12-30 by which spreadsheets keep dates. Names of months and days are English.
func parseLayout(format string) (layout, error) {
	switch format {
	case "rfc3339":
		return layout{name: format, zoned: true, parse: parseRFC3339}, nil
	case "unix":
		return layout{name: format, zoned: true, parse: parseUnix(time.Second)}, nil
	case "unixMillis":
		return layout{name: format, zoned: true, parse: parseUnix(time.Millisecond)}, nil
	case "serial":
		return layout{name: format, parse: parseSerial}, nil
	}
	return patternLayout(format)
}

func patternLayout(format string) (layout, error) {
	out := layout{name: format, dateOnly: true}
	var b strings.Builder
	var hasYear, hasMonth, hasDay bool
	for rest := format; rest != ""; {
		if rest[0] == '\'' {
			text, after, ok := strings.Cut(rest[1:], "'")
			if !ok {
				return layout{}, fmt.Errorf("%q: a single quote has no end", format)
			}
			if strings.ContainsAny(text, "0123456789") {
				return layout{}, fmt.Errorf("%q: digits in quotes are not allowed", format)
			}
			b.WriteString(text)
			rest = after
			continue
		}
		t, after, err := nextToken(rest)
		if err != nil {
			return layout{}, fmt.Errorf("%q: %w", format, err)
		}
		hasYear = hasYear || strings.HasPrefix(t.token, "y")
		hasMonth = hasMonth || strings.HasPrefix(t.token, "M")
		hasDay = hasDay || strings.HasPrefix(t.token, "d")
		out.dateOnly = out.dateOnly && !t.clock
		out.zoned = out.zoned || t.zone
		b.WriteString(t.layout)
		rest = after
	}
	if !hasYear || !hasMonth || !hasDay {
		return layout{}, fmt.Errorf("%q: a format needs a year (yyyy), a month (MM) and a day (dd), or is rfc3339, unix, unixMillis or serial", format)
	}
	pattern := b.String()
	out.parse = func(text string, zone *time.Location) (time.Time, error) { return parsePattern(pattern, text, zone) }
	return out, nil
}

type token struct {
	token, layout string
	clock, zone   bool
}

// nextToken cuts a token, or one other character, from the front of a pattern.
func nextToken(rest string) (t token, after string, err error) {
	for _, t := range tokens {
		if strings.HasPrefix(rest, t.token) {
			after = rest[len(t.token):]
			if after != "" && after[0] == t.token[0] {
				return token{}, "", fmt.Errorf("%q is repeated too often", t.token[:1])
			}
			return token(t), after, nil
		}
	}
	c := rest[0]
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return token{}, "", fmt.Errorf("the letter %q stands for nothing; put text in single quotes", c)
	case c >= '0' && c <= '9', c == '_':
		return token{}, "", fmt.Errorf("%q is not allowed in a format; write letters such as yyyy-MM-dd", c)
	case c >= 0x80:
		return token{}, "", errors.New("only ASCII is allowed; put other text in single quotes")
	}
	return token{layout: string(c)}, rest[1:], nil
}

// midnight24 is an hour 24, which some programs write for the hour after midnight of the same day.
var midnight24 = regexp.MustCompile(`^(\D*\d{4}-\d{2}-\d{2}\D+)24(:\d{2})`)

func parsePattern(pattern, text string, zone *time.Location) (time.Time, error) {
	at, err := time.ParseInLocation(pattern, text, zone)
	if err != nil && strings.HasPrefix(pattern, "2006-01-02 15") && midnight24.MatchString(text) {
		at, err = time.ParseInLocation(pattern, midnight24.ReplaceAllString(text, "${1}00${2}"), zone)
	}
	return at, err
}

func parseRFC3339(text string, _ *time.Location) (time.Time, error) {
	return time.Parse(time.RFC3339, strings.Replace(strings.ToUpper(text), " ", "T", 1))
}

var errNumber = errors.New("not a number")

func parseUnix(unit time.Duration) func(string, *time.Location) (time.Time, error) {
	return func(text string, _ *time.Location) (time.Time, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/int64(unit) {
			return time.Time{}, errNumber
		}
		return time.Unix(0, 0).Add(time.Duration(n) * unit).UTC(), nil
	}
}

const (
	// maxSerial is the day number of 9999-12-31, the last day of spreadsheets.
	maxSerial     = 2_958_465
	secondsPerDay = 24 * 60 * 60
)

// parseSerial reads a spreadsheet's day number, with the time of day as its fraction, as a time of the zone's clocks.
func parseSerial(text string, zone *time.Location) (time.Time, error) {
	days, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err != nil || !(days >= 1 && days <= maxSerial) { // written so that NaN is refused
		return time.Time{}, errNumber
	}
	seconds := int(math.Round((days - math.Floor(days)) * secondsPerDay))
	return time.Date(1899, time.December, 30+int(days), 0, 0, seconds, 0, zone), nil
}

// clock reads the times of one column.
type clock struct {
	zone    *time.Location
	layouts []layout
}

func newClock(w When) (clock, error) {
	zone, err := time.LoadLocation(w.TimeZone)
	if err != nil {
		return clock{}, err
	}
	names := w.Formats
	if len(names) == 0 {
		names = defaultLayouts
	}
	c := clock{zone: zone}
	for _, name := range names {
		l, err := parseLayout(name)
		if err != nil {
			return clock{}, err
		}
		c.layouts = append(c.layouts, l)
	}
	return c, nil
}

var dayNumber = regexp.MustCompile(`^\d{5}([.,]\d+)?$`)

// read returns a time. A day without a time begins when that day begins. Of a time that the clocks showed twice, the
// first is meant; one that they never showed is an error, since it tells of a wrong time zone.
func (c clock) read(cell string) (time.Time, error) {
	text := tidy(plainValue(cell))
	for _, l := range c.layouts {
		at, err := l.parse(text, c.zone)
		if err != nil {
			continue
		}
		if l.zoned {
			return at.UTC(), nil
		}
		return c.local(l, text, at)
	}
	var names []string
	for _, l := range c.layouts {
		names = append(names, l.name)
	}
	hint := ""
	if dayNumber.MatchString(text) {
		if at, err := parseSerial(text, time.UTC); err == nil {
			hint = fmt.Sprintf("; it looks like a spreadsheet's day number for %s: add the format serial if it is", at.Format(time.DateOnly))
		}
	}
	return time.Time{}, fmt.Errorf("%s is not a time as the formats say: %s%s", quoted(text), strings.Join(names, ", "), hint)
}

func (c clock) local(l layout, text string, at time.Time) (time.Time, error) {
	wanted, err := l.parse(text, time.UTC)
	if err != nil {
		return time.Time{}, err
	}
	if sameClock(at, wanted) {
		return first(at).UTC(), nil
	}
	if l.dateOnly { // the clocks skip midnight there: the day begins an hour later
		return afterGap(at, wanted).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%s never was on the clocks of %s: is the time zone right?", quoted(text), c.zone)
}

// sameClock tells whether two times show the same on the clocks of their zones.
func sameClock(a, b time.Time) bool {
	return a.Format(time.DateTime) == b.Format(time.DateTime)
}

// first returns the earlier of two times that show the same.
func first(at time.Time) time.Time {
	for _, back := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute} {
		if earlier := at.Add(-back); sameClock(earlier, at) {
			return earlier
		}
	}
	return at
}

// afterGap returns the first time of the wanted day.
func afterGap(at, wanted time.Time) time.Time {
	day := wanted.Format(time.DateOnly)
	for step := -3 * time.Hour; step <= 3*time.Hour; step += 15 * time.Minute {
		if t := at.Add(step); t.Format(time.DateOnly) == day {
			return t
		}
	}
	return at
}
