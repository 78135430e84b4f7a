package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// exported returns responses as an export must give them: by time and identity, their answers by question, and without
// what is not kept.
func exported(responses []store.Response) []store.Response {
	out := append([]store.Response{}, responses...)
	for i := range out {
		out[i].SubmittedAt = out[i].SubmittedAt.Truncate(time.Microsecond).UTC()
		out[i].Standing = cmp.Or(out[i].Standing, store.StandingCounted)
		out[i].Invitation, out[i].SingleUse, out[i].StartedAt, out[i].Case = "", false, time.Time{}, nil
		out[i].Answers = slices.SortedFunc(slices.Values(out[i].Answers), func(a, b store.Answer) int {
			return cmp.Compare(a.Question, b.Question)
		})
	}
	slices.SortFunc(out, func(a, b store.Response) int {
		return cmp.Or(a.SubmittedAt.Compare(b.SubmittedAt), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// awkward are texts that a store must give back as they are.
var awkward = []string{
	"Grüße, 東京, 🛫👩‍✈️, עברית, e\u0301 and \u00e9",
	`"quoted" \ back\slash \u0041 {"json": [1]} '; DROP TABLE answer; --`,
	"tab\tline\nline\r\n\u2028end <b>&amp;</b>",
	"=1+1", "", " ", "0", "null", "01", "1e3",
	strings.Repeat("long and wide: 東 ", 20_000),
}

func testExport(t *testing.T, h Harness) {
	s := open(t, h)
	var all []store.Response
	for i, text := range awkward {
		r := respond(programA, "awkward", i)
		r.Touchpoint, r.Unit, r.Language = "tp-"+text[:min(len(text), 3)], "", "de-AT"
		r.SubmittedAt = noon.Add(-time.Duration(i)*time.Hour + time.Duration(i)*1001*time.Nanosecond)
		r.Answers = []store.Answer{
			{Question: "why", Revision: 7, Kind: store.KindText, Values: []string{text}},
			{Question: "all", Revision: 1, Kind: store.KindMultiple, Values: []string{"z", "ä", "a"}},
			{Question: "one", Revision: 1, Kind: store.KindSingle, Values: []string{text}},
		}
		if r.Touchpoint = strings.ToValidUTF8(r.Touchpoint, ""); i%2 == 0 {
			r.Touchpoint, r.Unit, r.Language = "", "Ünit", ""
		}
		all = append(all, r)
	}
	// Many at one time, so that the identity decides, and enough that they come in more than one piece.
	for i := range 300 {
		r := respond(programA, "same time", i)
		r.SubmittedAt = noon.Add(-90 * time.Minute)
		all = append(all, r)
	}
	appendAll(t, s, append(slices.Clone(all), respondMany(programB, "others", 5)...)...)
	want := exported(all)
	got := export(t, s, programA)
	if d := diff.Diff(want, got); d != "" {
		t.Errorf("export differs (-want +got):\n%s", d)
	}
	wantRecount(t, s, programA, len(all))
	wantPicture(t, s, append(all, respondMany(programB, "others", 5)...))
}

// testExportSnapshot stores more while an export is under way: the export does not see it, and does not hold it up.
func testExportSnapshot(t *testing.T, h Harness) {
	s := open(t, h)
	before := respondMany(programA, "before", 50)
	appendAll(t, s, before...)
	var got []store.Response
	err := s.Export(context.Background(), programA, func(r store.Response) error {
		got = append(got, r)
		during := respond(programA, "during", len(got))
		during.SubmittedAt = noon.AddDate(1, 0, 0)
		appendAll(t, s, during)
		if len(got) == 1 {
			if n, err := s.Retire(context.Background(), programA, noon.Add(45*time.Minute)); err != nil || n != 45 {
				t.Errorf("Retire during an export: %d, %v", n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Export: %v", err)
	}
	if d := diff.Diff(exported(before), got); d != "" {
		t.Errorf("export differs from the state at its start (-want +got):\n%s", d)
	}
	wantRecount(t, s, programA, 50+5)
}

func testExportStops(t *testing.T, h Harness) {
	s := open(t, h)
	appendAll(t, s, respondMany(programA, "stops", 20)...)
	enough := errors.New("enough")
	calls := 0
	err := s.Export(context.Background(), programA, func(store.Response) error {
		if calls++; calls == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || calls != 3 {
		t.Errorf("Export returned %v after %d calls, want the error of the third", err, calls)
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = s.Export(ctx, programA, func(store.Response) error { cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled Export returned %v", err)
	}
	// Exports that end early leave nothing behind that would stop the next ones.
	for range 20 {
		_ = s.Export(context.Background(), programA, func(store.Response) error { return enough })
	}
	if got := len(export(t, s, programA)); got != 20 {
		t.Errorf("Export has %d responses, want 20", got)
	}
}
