package convert

import (
	"os"
	"strings"
	"testing"
)

// The mappings in the documentation can be used, and its tables name every field.
func TestDocumentation(t *testing.T) {
	content, err := os.ReadFile("../../docs/moving.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	blocks := strings.Split(text, "```yaml\n")[1:]
	if len(blocks) != 2 {
		t.Fatalf("%d mappings", len(blocks))
	}
	for _, b := range blocks {
		b, _, _ = strings.Cut(b, "```")
		if _, err := ParseMapping([]byte(b)); err != nil {
			t.Errorf("%v in\n%s", err, b)
		}
	}
	for name, f := range formats {
		for _, column := range append(append(append([]string{}, f.id...), f.submittedAt...), f.language...) {
			if name != FormatFormbricks && !strings.Contains(text, "`"+column+"`") {
				t.Errorf("the column %s of %s is not in the documentation", column, name)
			}
		}
	}
	for _, format := range tokens {
		if format.token != "XX" && !strings.Contains(text, format.token+" ") && !strings.Contains(text, format.token+"`") {
			t.Errorf("the token %s is not in the documentation", format.token)
		}
	}
}
