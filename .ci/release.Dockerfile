# The released image: the static binary and nothing else, as `make image` makes it for one
# platform. goreleaser puts the binaries into folders by platform.
FROM scratch
ARG TARGETPLATFORM
COPY ${TARGETPLATFORM}/rehearse /rehearse
USER 65534
ENTRYPOINT ["/rehearse"]
