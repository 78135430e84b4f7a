// Pins the modules that hold the CRDs of other projects, whose objects the chart can make. It is a module of its own: nothing
// is built of it, its files are read.
module github.com/cx-operator/cx-operator/hack/crds

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.94.1

require (
	github.com/alecthomas/kingpin/v2 v2.4.0 // indirect
	github.com/alecthomas/units v0.0.0-20240927000941-0f3dac36c52b // indirect
	github.com/prometheus/common v0.71.0 // indirect
	github.com/xhit/go-str2duration/v2 v2.1.0 // indirect
)
