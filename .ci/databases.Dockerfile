# The servers of databases, and poolers, as Debian packages them: where no registry has their
# makers' own images, rehearsals in containers run these.
FROM debian:bookworm-slim
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends mariadb-server-core mariadb-client-core postgresql pgbouncer redis-server \
	&& rm -rf /var/lib/apt/lists/*
