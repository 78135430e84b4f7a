package bench

import "flag"

// Shorten sets the sizes of a short run: it calls what is under the name of each flag of the set that nobody has given. The set
// must be parsed. A name that is no flag is a mistake of the program, and panics.
func Shorten(flags *flag.FlagSet, sizes map[string]func()) {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, set := range sizes {
		if flags.Lookup(name) == nil {
			panic("bench: no flag -" + name)
		}
		if !given[name] {
			set()
		}
	}
}
