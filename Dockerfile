# redpane: one static binary on an image that has nothing else: no shell, no package manager, no libc. About 10 MB.
#
# distroless/cc (23 MB) is over the 20 MB limit before the binary is in it, so glibc is linked in and the base is
# distroless/static (2 MB: certificates, time zones, a user). Not musl: its allocator is slow under threads, and its target
# would have to be downloaded first; the C library's static half is already in the build image.
ARG BUILD_IMAGE=rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/static-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
# crt-static needs a named --target, or procedural macros would be linked statically too and fail to load.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN rustc -vV | sed -n 's/^host: //p' > /target-triple

# Dependencies: their own layer, built for an empty program, so that only a change of Cargo.toml or Cargo.lock rebuilds it.
# Cargo refuses a manifest that names a benchmark or test without a file: those get empty ones, which nothing builds.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && touch src/lib.rs && echo 'fn main() {}' > src/main.rs \
 && awk -F'"' '/^\[/ { folder = "" } /^\[\[bench/ { folder = "benches" } /^\[\[example/ { folder = "examples" } /^\[\[test/ { folder = "tests" } \
      folder && /^name/ { print folder "/" $2 ".rs" } folder && /^path/ { print $2 }' Cargo.toml \
    | while read -r file; do mkdir -p "$(dirname "$file")" && echo 'fn main() {}' > "$file"; done \
 && cargo build --release --locked --bin redpane --target "$(cat /target-triple)" \
 && rm -r src

COPY . .
ARG REVISION=unknown
# Touched: the real sources may be older than the empty ones, and cargo goes by time.
RUN touch src/lib.rs src/main.rs \
 && REDPANE_REVISION="${REVISION}" cargo build --release --locked --bin redpane --target "$(cat /target-triple)" \
 && mv "target/$(cat /target-triple)/release/redpane" /redpane

FROM ${RUNTIME_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="redpane" \
      org.opencontainers.image.description="An axum service with its metrics, logs and trace ids in one line" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /redpane /usr/local/bin/redpane
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/redpane", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/redpane"]
