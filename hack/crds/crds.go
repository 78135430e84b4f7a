// Package crds keeps in go.mod the modules whose CRDs tests of the chart install: it imports the smallest package of each.
package crds

import _ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
