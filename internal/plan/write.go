package plan

import "time"

// Name is the name of the plan that the operator opens for an objective of an object (a touchpoint or program) on the day
// of an instant in a place: object-objective-20261121. For names that the API admits it is a DNS-1123 name of at most 136
// characters. Equal arguments give equal names.
func Name(object, objective string, opened time.Time, loc *time.Location) string {
	return object + "-" + objective + "-" + dayOf(opened, loc).Format("20060102")
}
