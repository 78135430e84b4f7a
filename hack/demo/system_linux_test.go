package main

import "testing"

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n"
	started, zombie, err := parseStat([]byte("42 (a (very) odd name)" + rest))
	if err != nil || zombie || started != "4711" {
		t.Errorf("%q, %t, %v", started, zombie, err)
	}
	if _, zombie, err := parseStat([]byte("42 (x) Z" + rest[2:])); err != nil || !zombie {
		t.Errorf("%t, %v", zombie, err)
	}
	for _, broken := range []string{"", "42", "42 (x)", "42 (x) S 1 2"} {
		if _, _, err := parseStat([]byte(broken)); err == nil {
			t.Errorf("%q was read", broken)
		}
	}
}
