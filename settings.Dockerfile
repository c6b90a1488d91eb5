# Nothing runs in this image: building it runs the check of all values, and shows on the terminal what is wrong with them.
# docker-compose.yml says why. A check that has passed is not run again until a value or a file changes.
ARG IMAGE=haproxy:3.2.24-alpine

FROM ${IMAGE} AS check
ARG SETTINGS
# Not the image's own user: after a clone under umask 077, which the script names, nobody else could read the script.
USER 0
# The script reads SETTINGS itself: BuildKit prints what it puts into a command.
RUN --mount=type=bind,target=/bundle sh /bundle/scripts/check-settings.sh /bundle && : >/tmp/checked

# A stage of its own, so that no value stands in the history of the image.
FROM ${IMAGE}
COPY --from=check /tmp/checked /checked
