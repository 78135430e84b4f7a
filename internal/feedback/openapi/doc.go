// Package openapi describes the feedback API for kubectl explain and for clients that ask for its schema. It is generated
// from the API types by openapi-gen.
package openapi
