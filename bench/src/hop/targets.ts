import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isInstalled } from "./load.ts";
import type { Command } from "./process.ts";

/** A hop that can be measured. */
export interface Target {
  readonly name: string;
  readonly protocols: readonly ("h1" | "h2")[];
  /** It only takes requests that name a revision. */
  readonly needsRevision?: boolean;
  /** Measured with the target of that name as well. */
  readonly with?: string;
  /** Why it cannot run here; `undefined` when it can. */
  missing(): string | undefined;
  command(at: Place): Command;
}

export interface Place {
  readonly port: number;
  readonly upstreamPort: number;
  readonly upstreamPortH2: number;
  readonly protocol: "h1" | "h2";
  readonly folder: string;
}

/** Everything we are compared with, ourselves included. The first of each protocol is the floor. */
export const targets: readonly Target[] = [
  nodeTarget("pipe", ["h1"]),
  nodeTarget("http2-pass", ["h2"]),
  nodeTarget("engine", ["h1", "h2"]),
  nodeTarget("queue-proxy", ["h1", "h2"], { env: { CONTAINER_CONCURRENCY: "0" } }),
  {
    ...nodeTarget("queue-proxy", ["h1", "h2"], { env: { CONTAINER_CONCURRENCY: "10" } }),
    name: "queue-proxy with 10 places",
    with: "queue-proxy",
  },
  { ...nodeTarget("activator", ["h1", "h2"]), needsRevision: true },
  {
    name: "nginx",
    protocols: ["h1"],
    missing: () => (isInstalled("nginx") ? undefined : "not installed"),
    command: ({ port, upstreamPort, folder }) => {
      const file = join(folder, `nginx-${port}.conf`);
      writeFileSync(file, nginxConfig(folder, port, upstreamPort));
      return { file: "nginx", args: ["-c", file, "-p", folder, "-e", "/dev/null"], port };
    },
  },
  {
    name: "haproxy",
    protocols: ["h1"],
    missing: () => (isInstalled("haproxy") ? undefined : "not installed"),
    command: ({ port, upstreamPort, folder }) => {
      const file = join(folder, `haproxy-${port}.cfg`);
      writeFileSync(file, haproxyConfig(port, upstreamPort));
      return { file: "haproxy", args: ["-db", "-q", "-f", file], port };
    },
  },
  nodeTarget("undici", ["h1"]),
  nodeTarget("http-proxy", ["h1"]),
];

function nodeTarget(
  name: string,
  protocols: readonly ("h1" | "h2")[],
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Target {
  return {
    name,
    protocols,
    missing: () => undefined,
    command: (at) => {
      const command = nodeCommand(name, at);
      return { ...command, env: { ...command.env, ...env } };
    },
  };
}

/** One of `peers/` in a Node of its own. */
export function nodeCommand(name: string, { port, upstreamPort, upstreamPortH2, protocol }: Place): Command {
  return {
    file: process.execPath,
    args: ["--disable-warning=DEP0060", peer(name)],
    env: {
      PORT: String(port),
      UPSTREAM_PORT: String(upstreamPort),
      UPSTREAM_PORT_H2: String(upstreamPortH2),
      PROTOCOL: protocol,
    },
    port,
  };
}

/** The upstream all of them share. */
export function origin(port: number, portH2: number): Command {
  return {
    file: process.execPath,
    args: [peer("origin")],
    env: { PORT: String(port), PORT_H2: String(portH2) },
    port,
  };
}

function peer(name: string): string {
  return join(import.meta.dirname, "peers", `${name}.ts`);
}

function nginxConfig(folder: string, port: number, upstreamPort: number): string {
  return `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log /dev/null;
events { worker_connections 20000; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_body_buffer_size 64k;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  upstream origin { server 127.0.0.1:${upstreamPort}; keepalive 1000; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering on; proxy_max_temp_file_size 0;
    }
  }
}
`;
}

function haproxyConfig(port: number, upstreamPort: number): string {
  return `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 1h
  timeout server 1h
  timeout connect 5s
  option forwardfor
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  default_backend origin
backend origin
  server s 127.0.0.1:${upstreamPort}
`;
}
