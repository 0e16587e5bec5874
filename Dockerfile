# The image holds Node and one bundle: no package manager, no node_modules, no install script.
ARG BASE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# Install scripts are not run: esbuild's own binary comes as a package, and Node is the base image's.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
COPY tools/build.ts tools/bundle-trims.ts ./tools/
RUN node tools/build.ts --out /out/app && mkdir -p /out/data

FROM ${BASE_IMAGE}
# Nothing in here installs anything any more.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn*
COPY --from=build /out/app /app
# A volume that is mounted here for the first time takes over the owner.
COPY --from=build --chown=1001:1001 /out/data /data
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data
WORKDIR /app
USER 1001:1001
EXPOSE 8000
VOLUME ["/data"]
STOPSIGNAL SIGTERM
# Node keeps memory that it might need again. Measured with 40 pods on a busy machine (`npm run bench -- operator`): 164 MiB
# as it comes, 145 with a young generation of 2 MiB, 130 when the old one grows by no more than 30 % between collections,
# 125 with two arenas of the C library instead of one a thread; the processor time is the same. Source maps lie beside the
# bundle for whoever reads a trace; loading them here would take 16 MiB more, and the bundle keeps its functions' names.
ENV MALLOC_ARENA_MAX=2
ENTRYPOINT ["node", "--max-semi-space-size=2", "--heap-growing-percent=30", "/app/main.js"]
