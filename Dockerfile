# One image for every process of ours: API (the default command), worker, migrations, Temporal bootstrap.
# Debian slim, not Alpine: Temporal's native core is linked against glibc.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production \
    API_HOST=0.0.0.0 \
    API_PORT=8080
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY . .
# The code belongs to root and is only read.
USER node
EXPOSE 8080 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.API_PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# No shell in between: node gets SIGTERM. Zombies are reaped by the engine's init (`init: true`, `docker run --init`).
CMD ["node", "--import", "tsx", "api/main.ts"]
