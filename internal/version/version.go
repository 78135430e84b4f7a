// Package version holds the version of this build.
package version

// Version is what "git describe" said when the binary was built, such as v0.1.0 or
// v0.1.0-3-gabc1234. The build sets it with -ldflags "-X"; "dev" is a build without that.
var Version = "dev"
