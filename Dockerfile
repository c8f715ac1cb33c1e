# The efferent command alone: a static binary and the certificates of public
# authorities. docs/worker.md says how to run it.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG STAMP=
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X 'github.com/efferent/efferent/internal/version.stamp=$STAMP'" -o /out/efferent ./cmd/efferent && mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/efferent /
# A volume that is mounted here is writable by whom the process runs as.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
ENV EFFERENT_HEALTH=0.0.0.0:8081
EXPOSE 8081
HEALTHCHECK CMD ["/efferent", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/efferent"]
CMD ["worker"]
