package render

import "testing"

// BenchmarkRender makes all objects of a small Dedicated program.
func BenchmarkRender(b *testing.B) {
	for name, d := range map[string]Dedicated{
		"PostgreSQL": dedicated(b, "passenger-experience", onPostgres()), "SQLite": dedicated(b, "passenger-experience", onSQLite()),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Objects(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
