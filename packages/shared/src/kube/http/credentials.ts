import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Clock, MonoMs } from "../../clock/clock.ts";
import { memberOf, textOf } from "../store/stored-object.ts";
import { type ApiServerAddress, parseServerUrl } from "./api-server.ts";

/** Tokens of service accounts are renewed on disk; one read is good this long. */
const TOKEN_MS = 60_000;
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Reads a file as text. @throws if it cannot be read */
type ReadFile = (path: string) => string;
const readText: ReadFile = (path) => readFileSync(path, "utf8");

/**
 * What every pod is given: an address in its environment, a token and a certificate on disk.
 * @throws Error if this is no pod
 */
export function inClusterServer(
  deps: { readonly clock: Pick<Clock, "now">; readonly readFile?: ReadFile },
  environment: { readonly host: string | undefined; readonly port: string | undefined },
): ApiServerAddress {
  const { host, port } = environment;
  if (host === undefined || port === undefined) {
    throw new Error("no KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: this is no pod of a cluster");
  }
  const readFile = deps.readFile ?? readText;
  return {
    protocol: "https:",
    host,
    port: Number(port),
    basePath: "",
    tls: { ca: readFile(`${SERVICE_ACCOUNT}/ca.crt`) },
    authorization: bearerFile(deps.clock, readFile, `${SERVICE_ACCOUNT}/token`),
  };
}

/**
 * The current context of a kubeconfig, given as the value its YAML or JSON stands for; relative paths start from the
 * file's directory. Programs that print credentials (`exec`) are not run.
 * @throws Error naming what is missing
 */
export function kubeconfigServer(
  deps: { readonly clock: Pick<Clock, "now">; readonly readFile?: ReadFile },
  config: unknown,
  path: string,
): ApiServerAddress {
  const readFile = deps.readFile ?? readText;
  const context = textOf(config, "current-context") ?? "";
  const chosen = named(config, "contexts", context, "context");
  const cluster = named(config, "clusters", textOf(chosen, "cluster") ?? "", "cluster");
  const userName = textOf(chosen, "user");
  const user = userName === undefined ? {} : named(config, "users", userName, "user");
  const server = textOf(cluster, "server");
  if (server === undefined) throw new Error("the kubeconfig's cluster has no server");
  if (memberOf(user, "exec") !== undefined) {
    throw new Error("the kubeconfig's user runs a program for its credentials, which is not supported");
  }
  const file = (of: unknown, key: string): string | undefined => {
    const data = textOf(of, `${key}-data`);
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    const name = textOf(of, key);
    return name === undefined ? undefined : readFile(resolve(dirname(path), name));
  };
  const tls = {
    ca: file(cluster, "certificate-authority"),
    cert: file(user, "client-certificate"),
    key: file(user, "client-key"),
    servername: textOf(cluster, "tls-server-name"),
    isUnverified: memberOf(cluster, "insecure-skip-tls-verify") === true ? true : undefined,
  };
  return {
    ...parseServerUrl(server),
    tls: withoutAbsent(tls),
    authorization: userAuthorization(deps.clock, readFile, user, path),
  };
}

function userAuthorization(
  clock: Pick<Clock, "now">,
  readFile: ReadFile,
  user: unknown,
  path: string,
): () => string | undefined {
  const token = textOf(user, "token");
  if (token !== undefined) return () => `Bearer ${token}`;
  const tokenFile = textOf(user, "tokenFile");
  if (tokenFile !== undefined) return bearerFile(clock, readFile, resolve(dirname(path), tokenFile));
  const name = textOf(user, "username");
  if (name === undefined) return () => undefined;
  const basic = Buffer.from(`${name}:${textOf(user, "password") ?? ""}`).toString("base64");
  return () => `Basic ${basic}`;
}

/** A token that is read again once a minute; while it cannot be, the last one is used. */
function bearerFile(clock: Pick<Clock, "now">, readFile: ReadFile, path: string): () => string {
  let token = readFile(path).trim();
  let readAt: MonoMs = clock.now();
  return () => {
    if (clock.now() - readAt >= TOKEN_MS) {
      readAt = clock.now();
      try {
        token = readFile(path).trim();
      } catch {
        // being replaced
      }
    }
    return `Bearer ${token}`;
  };
}

function named(config: unknown, list: string, name: string, member: string): unknown {
  const entries = memberOf(config, list);
  const found = Array.isArray(entries)
    ? entries.find((entry) => memberOf(entry, "name") === name)
    : undefined;
  if (found === undefined) throw new Error(`the kubeconfig has no entry "${name}" in ${list}`);
  return memberOf(found, member);
}

function withoutAbsent<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  return Object.assign(
    present,
    Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)),
  );
}
