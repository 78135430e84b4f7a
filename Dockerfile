# One static binary in an image with nothing else but CA certificates and a user without rights.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -buildvcs=false -trimpath \
    -ldflags "-s -w -X github.com/cx-operator/cx-operator/internal/version.Version=$VERSION" \
    -o /cx-operator .

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /cx-operator /cx-operator
USER 65532:65532
ENTRYPOINT ["/cx-operator"]
