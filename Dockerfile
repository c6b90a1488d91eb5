# redpane: one static binary on an image that has nothing else: no shell, no package manager, no libc. About 10 MB.
#
# distroless/cc (23 MB) is over the 20 MB limit before the binary is in it, so glibc is linked in and the base is
# distroless/static (2 MB: certificates, time zones, a user). Not musl: its allocator is slow under threads, and its target
# would have to be downloaded first; the C library's static half is already in the build image.
ARG BUILD_IMAGE=rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/static-debian12:nonroot

# cargo-chef builds dependencies alone, so that they get a layer of their own. Installed before RUSTFLAGS is set: without a
# named --target static linking would apply to its procedural macros too, and they would fail to load.
FROM ${BUILD_IMAGE} AS chef
RUN cargo install --locked cargo-chef@0.1.78
WORKDIR /src

# The recipe holds the manifests and the lock file. It changes with them, not with the sources.
FROM chef AS recipe
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
# Without link-time optimisation what cargo-chef has built is built: after a change of source only two crates are compiled. For
# an image to publish: --build-arg LTO=fat --build-arg CODEGEN_UNITS=1, as in the release profile.
ARG LTO=off
ARG CODEGEN_UNITS=16
ENV RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_PROFILE_RELEASE_LTO=${LTO} \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=${CODEGEN_UNITS}
RUN rustc -vV | sed -n 's/^host: //p' > /target-triple

COPY --from=recipe /src/recipe.json .
# In place of a crate that hyper uses, and not in the recipe, which knows the workspace alone.
COPY crates/httpdate crates/httpdate
RUN cargo chef cook --release --locked --bin redpane --target "$(cat /target-triple)"

COPY . .
ARG REVISION=unknown
RUN REDPANE_REVISION="${REVISION}" cargo build --release --locked --bin redpane --target "$(cat /target-triple)" \
 && mv "target/$(cat /target-triple)/release/redpane" /redpane

FROM ${RUNTIME_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="redpane" \
      org.opencontainers.image.description="An axum service with its metrics, logs and trace ids in one line" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /redpane /usr/local/bin/redpane
# Nobody reaches the loopback address of a container but a port forward of Kubernetes: 127.0.0.1:8001 switches the pane on for that.
ENV REDPANE_PANE_LISTEN=off
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/redpane", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/redpane"]
