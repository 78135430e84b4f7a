package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// carried are the counts that the repository carries.
func carried(t *testing.T) []count {
	t.Helper()
	file, err := os.Open("data/sfo-2017-counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	counts, err := readCounts(file)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func lines(t *testing.T, source answers) []answer {
	t.Helper()
	var buffer bytes.Buffer
	if err := source.writeTo(&buffer); err != nil {
		t.Fatal(err)
	}
	var all []answer
	decoder := json.NewDecoder(&buffer)
	for {
		var one answer
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
}

func TestAnswers(t *testing.T) {
	location := zone(t, "America/Los_Angeles")
	// In UTC it is the 3rd already, at the airport still the 2nd.
	today := time.Date(2026, 3, 3, 5, 0, 0, 0, time.UTC)
	source := answers{
		counts: carried(t), today: today, location: location,
		touchpoints: map[string]string{"food": "restaurants"},
	}
	all := lines(t, source)
	if len(all) != 40683 {
		t.Fatalf("%d answers", len(all))
	}
	ids := map[string]bool{}
	days := map[string]int{}
	hours := map[int]int{}
	for _, one := range all {
		id, err := uuid.Parse(one.ID)
		if err != nil || id.Version() != 5 || one.ID != id.String() || ids[one.ID] {
			t.Fatalf("id %q: %v, seen %t", one.ID, err, ids[one.ID])
		}
		ids[one.ID] = true
		at, err := time.Parse(time.RFC3339, one.SubmittedAt)
		if err != nil || at.After(today) {
			t.Fatalf("submitted at %q: %v", one.SubmittedAt, err)
		}
		days[at.In(location).Format(time.DateOnly)]++
		hours[at.In(location).Hour()]++
		if len(one.Answers) != 1 || one.Language != "en" || !strings.HasPrefix(one.Team, "boarding-area-") {
			t.Fatalf("%+v", one)
		}
		for question := range one.Answers {
			if want := source.touchpoints[question]; one.Touchpoint != want {
				t.Fatalf("%s goes to touchpoint %q instead of %q", question, one.Touchpoint, want)
			}
		}
	}
	// 30 May is yesterday, 1 March; 5 May is 25 days earlier. The table has 20 days.
	for day, want := range map[string]int{"2026-03-01": 3306, "2026-02-04": 713, "2026-02-28": 0, "2026-03-02": 0} {
		if days[day] != want {
			t.Errorf("%d answers on %s, want %d", days[day], day, want)
		}
	}
	if len(days) != 20 {
		t.Errorf("answers on %d days", len(days))
	}
	for hour := range 24 {
		if busy := hour >= 5 && hour < 23; busy != (hours[hour] > 1500) {
			t.Errorf("%d answers between %d:00 and %d:59", hours[hour], hour, hour)
		}
	}
}

func TestAnswersAreTheSameAgain(t *testing.T) {
	source := answers{counts: carried(t)[:50], today: time.Unix(1_800_000_000, 0), location: time.UTC}
	first, again := lines(t, source), lines(t, source)
	if fmt.Sprint(first) != fmt.Sprint(again) {
		t.Error("two runs differ")
	}
	source.today = source.today.AddDate(0, 0, 1)
	for i, one := range lines(t, source) {
		if one.ID != first[i].ID || one.SubmittedAt == first[i].SubmittedAt {
			t.Fatalf("a day later: %+v instead of %+v", one, first[i])
		}
	}
}

// TestAnswersOverClockChanges puts the table over both changes of the clock: each answer stays on its day.
func TestAnswersOverClockChanges(t *testing.T) {
	location := zone(t, "America/Los_Angeles")
	for _, today := range []time.Time{
		time.Date(2026, 3, 9, 12, 0, 0, 0, location), time.Date(2026, 11, 2, 12, 0, 0, 0, location),
	} {
		source := answers{counts: []count{{Day: 29, Question: "q", Score: 1, N: 300}, {Day: 30, Question: "q", Score: 2, N: 300}}, today: today, location: location}
		days := map[string]int{}
		for _, one := range lines(t, source) {
			at, err := time.Parse(time.RFC3339, one.SubmittedAt)
			if err != nil {
				t.Fatal(err)
			}
			days[at.In(location).Format(time.DateOnly)+fmt.Sprint(one.Answers["q"])]++
			if one.Team != "" {
				t.Fatalf("an answer of no known area names team %q", one.Team)
			}
		}
		yesterday, before := today.AddDate(0, 0, -1).Format(time.DateOnly)+"2", today.AddDate(0, 0, -2).Format(time.DateOnly)+"1"
		if days[yesterday] != 300 || days[before] != 300 {
			t.Errorf("%s: %v", today, days)
		}
	}
}

func TestWritingAnswersEndsWithTheReader(t *testing.T) {
	reader, writer := io.Pipe()
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	source := answers{counts: carried(t), today: time.Unix(1_800_000_000, 0), location: time.UTC}
	if err := source.writeTo(writer); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}

func TestServedBy(t *testing.T) {
	touchpoint := func(name string, questions ...string) v1alpha1.Touchpoint {
		return v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TouchpointSpec{Questions: questions}}
	}
	served := servedBy([]v1alpha1.Touchpoint{touchpoint("z", "a", "b"), touchpoint("m", "b"), touchpoint("none")})
	if len(served) != 2 || served["a"] != "z" || served["b"] != "m" {
		t.Errorf("%v", served)
	}
}

func TestReadCounts(t *testing.T) {
	counts := carried(t)
	if total(counts) != 40683 || len(answersTo(counts)) != 18 || answersTo(counts)["recommend"] != 2746 {
		t.Errorf("%d answers to %v", total(counts), answersTo(counts))
	}
	const header = "day_of_may,boarding_area,question,score,count\n"
	for _, c := range []struct{ table, want string }{
		{"", "reading the header"},
		{"day,area,question,score,count\n", "the header is"},
		{header + "5,A,food,3\n", "line 2: wrong number of fields"},
		{header + "5,A,food,3,1\n0,A,food,3,1\n", `line 3: day_of_may is "0" instead of a number from 1 to 31`},
		{header + "5,A,food,11,1\n", `line 2: score is "11" instead of a number from 0 to 10`},
		{header + "5,A,food,x,1\n", `line 2: score is "x"`},
		{header + "5,A,food,3,0\n", `line 2: count is "0"`},
		{header + "5,A,,3,1\n", "line 2: question is empty"},
	} {
		if _, err := readCounts(strings.NewReader(c.table)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.table, err, c.want)
		}
	}
}
