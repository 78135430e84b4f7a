package resident

import (
	"crypto/sha256"
	"os"
	"strconv"
	"strings"
	"testing"
)

// fileKB is how much of files is in the process's memory.
func fileKB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "RssFile:"); ok {
			kb, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb
		}
	}
	t.Fatal("no RssFile")
	return 0
}

// Released pages are gone, and what is in them is the same when it is needed again.
func TestRelease(t *testing.T) {
	text := strings.Repeat("what the program does", 100)
	sum := sha256.Sum256([]byte(text))
	before := fileKB(t)
	if err := Release(); err != nil {
		t.Fatal(err)
	}
	after := fileKB(t)
	if after >= before {
		t.Errorf("%d kB of files in memory, %d before", after, before)
	}
	if again := sha256.Sum256([]byte(text)); again != sum {
		t.Error("the program does something else now")
	}
}
