package convert

// Formats of files.
const (
	// FormatCSV is a table with a header, by default as this project's endpoint exports it.
	FormatCSV = "csv"
	// FormatNDJSON is a submission a line, as the endpoint exports and imports it. It takes no mapping.
	FormatNDJSON = "ndjson"
	// FormatFormbricks is the CSV export of Formbricks, or the JSON of its responses as its API gives them.
	FormatFormbricks = "formbricks"
	// FormatLimeSurvey is the CSV export of LimeSurvey, with codes or texts as headings, and codes or full answers.
	FormatLimeSurvey = "limesurvey"
	// FormatTypeform is Typeform's CSV export, or what its links to spreadsheets write.
	FormatTypeform = "typeform"
)

// format is what a tool's exports have in common. What a column is called differs by version and setting, so each place
// has several names, the first of which that the file has counts.
type format struct {
	id, submittedAt, touchpoint, team, language []string
	// standing, passed and failed are what an endpoint's own export says of the checks against robots.
	standing, passed, failed []string
	// formats of times; defaultLayouts if empty.
	formats []string
	// only keeps the finished answers.
	only []choice
	// numbered says that headers may have a number in front, such as "1. How likely ...".
	numbered bool
	// separator between the choices of one cell.
	separator string
	// unknownTime is what the tool writes where it keeps no time.
	unknownTime string
	// json says that the file may be JSON.
	json bool
}

// choice is a filter on the first of several columns that the file has.
type choice struct {
	columns  []string
	values   []string
	notEmpty bool
}

var formats = map[string]format{
	// Of a table that anybody made, nothing is known.
	FormatCSV: {separator: ";"},
	FormatFormbricks: {
		id: []string{"Response ID", "id"}, submittedAt: []string{"Timestamp", "createdAt"}, language: []string{"language", "Language"},
		formats:  []string{"rfc3339", "yyyy-MM-dd HH:mm:ss", "EEE MMM dd yyyy"},
		only:     []choice{{columns: []string{"Finished", "finished"}, values: []string{"Yes", "true"}}},
		numbered: true, separator: ";", json: true,
	},
	FormatLimeSurvey: {
		id: []string{"id", "Response ID"}, submittedAt: []string{"submitdate", "Date submitted"},
		language:    []string{"startlanguage", "Start language"},
		formats:     []string{"yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd"},
		only:        []choice{{columns: []string{"submitdate", "Date submitted"}, notEmpty: true}},
		unknownTime: "1980-01-01 00:00:00", separator: ";",
	},
	FormatTypeform: {
		id: []string{"#", "Token", "Response ID"}, submittedAt: []string{"Submit Date (UTC)", "Submitted At"},
		formats:   []string{"rfc3339", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "M/d/yyyy H:mm:ss", "yyyy-MM-dd"},
		only:      []choice{{columns: []string{"Response Type"}, values: []string{"completed"}}},
		separator: ",",
	},
}

// ownExport is the CSV that this project's endpoint exports.
var ownExport = format{
	id: []string{"id"}, submittedAt: []string{"submittedAt"}, touchpoint: []string{"touchpoint"}, team: []string{"team"},
	language: []string{"language"}, formats: []string{"rfc3339"}, separator: ";",
	standing: []string{"standing"}, passed: []string{"passed"}, failed: []string{"failed"},
}
