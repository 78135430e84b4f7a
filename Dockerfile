# For those who have Docker: the same image as 'make image' makes without it. One static binary with nothing else but CA
# certificates, and a user without rights.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -buildvcs=false -trimpath \
    -ldflags "-s -w -X github.com/cx-operator/cx-operator/internal/version.Version=$VERSION" \
    -o /cx-operator .

FROM scratch
ARG VERSION=dev REVISION= CREATED=
LABEL org.opencontainers.image.title="cx-operator" \
      org.opencontainers.image.description="Runs customer-experience programs on Kubernetes." \
      org.opencontainers.image.url="https://github.com/cx-operator/cx-operator" \
      org.opencontainers.image.source="https://github.com/cx-operator/cx-operator" \
      org.opencontainers.image.documentation="https://github.com/cx-operator/cx-operator/tree/main/docs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /cx-operator /cx-operator
USER 65532:65532
ENTRYPOINT ["/cx-operator"]
