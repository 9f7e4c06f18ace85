# One image for every part of the fleet: control plane, media servers, ingest, viewers.
#   docker build -t segue .
#   docker run --rm --init segue segue --help
FROM node:20.18.1-bookworm-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/segue
COPY package.json package-lock.json .npmrc ./
# The SQLite driver is compiled where no ready-made one fits.
RUN npm ci
COPY . .
RUN node bin/segue.mjs --version && npm prune --omit=dev

FROM node:20.18.1-bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/segue /opt/segue
RUN ln -s /opt/segue/bin/segue.mjs /usr/local/bin/segue && mkdir /data && chown node:node /data
# The build is part of the image: nothing is compiled when a part starts.
ENV NODE_ENV=production SEGUE_BUILD_CHECKED=1 SEGUE_DATA=/data
USER node
VOLUME /data
CMD ["segue", "--help"]
