package score

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"
)

// table reads a CSV file of counts and returns the rows by column name. The last column is the count.
func table(t testing.TB, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// airport returns the counts of San Francisco airport's survey of May 2017 by question.
func airport(t testing.TB) map[string]Counts {
	t.Helper()
	questions := map[string]Counts{}
	for _, row := range table(t, "../../hack/demo/data/sfo-2017-counts.csv") {
		q := row["question"]
		if questions[q] == nil {
			questions[q] = Counts{}
		}
		questions[q][number(t, row["score"])] += int64(number(t, row["count"]))
	}
	return questions
}

func TestAirport(t *testing.T) {
	questions := airport(t)
	if len(questions) != 18 {
		t.Fatalf("%d questions, want 18", len(questions))
	}
	var answers int64
	// The expected figures were computed independently, from the textbook forms.
	for _, c := range []struct {
		question            string
		n                   int64
		value, lower, upper float64
	}{
		{"recommend", 2746, 39.8398, 37.1824, 42.4102},
		{"airtrain", 1450, 78.0000, 75.7954, 80.0567},
		{"arrivals-desk", 1710, 67.4854, 65.2281, 69.6643},
		{"boarding-area", 2762, 87.4366, 86.1484, 88.6209},
		{"food", 2421, 55.7208, 53.7347, 57.6888},
		{"getting-here", 2319, 77.1453, 75.3923, 78.8086},
		{"overall", 2688, 82.0685, 80.5728, 83.4726},
		{"parking", 1271, 66.5618, 63.9216, 69.1021},
		{"rental-cars", 1006, 67.5944, 64.6401, 70.4149},
		{"restrooms", 2653, 77.8364, 76.2163, 79.3760},
		{"roads", 1908, 74.7904, 72.7935, 76.6876},
		{"safety", 2781, 87.1269, 85.8308, 88.3206},
		{"screens", 2659, 78.4882, 76.8858, 80.0083},
		{"security", 2407, 82.0108, 80.4257, 83.4939},
		{"shops", 2374, 55.9815, 53.9765, 57.9671},
		{"signs", 2703, 78.7273, 77.1444, 80.2288},
		{"wayfinding", 2683, 85.3522, 83.9638, 86.6396},
		{"wifi", 2142, 74.5565, 72.6692, 76.3559},
	} {
		d := def(CSAT)
		if c.question == "recommend" {
			d = def(NPS)
		}
		r := mustCompute(t, d, questions[c.question])
		answers += r.N
		if r.N != c.n {
			t.Errorf("%s: n %d, want %d", c.question, r.N, c.n)
		}
		near(t, c.question, r.Value, c.value, 5e-5)
		near(t, c.question+" lower", r.Lower, c.lower, 5e-5)
		near(t, c.question+" upper", r.Upper, c.upper, 5e-5)
	}
	if answers != 40683 {
		t.Errorf("%d answers, want 40683", answers)
	}
}

// The NHS publishes the share of positive answers with "Don't know" in the base.
func TestFriendsAndFamily(t *testing.T) {
	labels := map[string]int{
		"Don't know": 0, "Extremely unlikely": 1, "Unlikely": 2, "Neither likely nor unlikely": 3, "Likely": 4, "Extremely likely": 5,
	}
	c := Counts{}
	for _, row := range table(t, "testdata/gp-fft-counts.csv") {
		v, ok := labels[row["rating"]]
		if !ok {
			t.Fatalf("unknown rating %q", row["rating"])
		}
		c[v] += int64(number(t, row["count"]))
	}
	r := mustCompute(t, Definition{Metric: CSAT, Scale: Scale{0, 5}, Satisfied: []int{4, 5}, Confidence: 0.95}, c)
	if r.N != 3882 {
		t.Errorf("n %d, want 3882", r.N)
	}
	near(t, "positive", r.Value, 90.5976, 5e-5)
	near(t, "lower", r.Lower, 89.6390, 5e-5)
	near(t, "upper", r.Upper, 91.4760, 5e-5)
}

func BenchmarkCompute(b *testing.B) {
	questions := airport(b)
	for _, c := range []struct {
		d        Definition
		question string
	}{{def(NPS), "recommend"}, {def(CSAT), "overall"}, {def(Mean), "overall"}} {
		b.Run(string(c.d.Metric), func(b *testing.B) {
			counts := questions[c.question]
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compute(c.d, counts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Evaluation computes every objective again and again, so it must leave nothing to collect.
func TestComputeDoesNotAllocate(t *testing.T) {
	questions := airport(t)
	for _, d := range []Definition{def(NPS), def(CSAT), def(Mean)} {
		counts := questions["overall"]
		if allocs := testing.AllocsPerRun(100, func() { _, _ = Compute(d, counts) }); allocs != 0 {
			t.Errorf("%s: %v allocations", d.Metric, allocs)
		}
	}
}
