# The servers of databases, and poolers, as Debian packages them: where no registry has their
# makers' own images, rehearsals in containers run these.
FROM debian:bookworm-slim
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql pgbouncer redis-server \
	&& rm -rf /var/lib/apt/lists/*
