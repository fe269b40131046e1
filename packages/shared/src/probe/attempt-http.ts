import type * as http from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import type * as https from "node:https";
import { assert } from "../invariant.ts";
import { type AttemptOptions, type AttemptResult, ready } from "./attempt-result.ts";
import type { ProbeTarget } from "./probe-target.ts";

type HttpTarget = Extract<ProbeTarget, { kind: "http" }>;

/** As kubelet and the reference. */
const REDIRECTS_MAX = 10;
/** Version numbers stay empty, as in the reference. */
const AGENT = "kube-probe//";

/** Ready if a `GET` on a connection of its own ends, after redirects, with 200 to 399 (Q-98..Q-100). */
export function attemptHttp(
  target: HttpTarget,
  { clock, timeoutMs, signal }: AttemptOptions,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    let current: ClientRequest | undefined;
    let redirects = 0;
    let isOver = false;
    const finish = (result: AttemptResult): void => {
      if (isOver) return;
      isOver = true;
      timer[Symbol.dispose]();
      signal?.removeEventListener("abort", abandon);
      current?.destroy();
      resolve(result);
    };
    const abandon = (): void => finish({ kind: "not-ready", because: "abandoned" });
    const ask = (url: URL, path = `${url.pathname}${url.search}`): void => {
      current = send({ url, path }, target);
      current.on("error", (error) => finish({ kind: "not-ready", because: error.message }));
      current.once("response", (response) => {
        const next = redirectOf(response, url);
        if (next !== undefined && redirects++ < REDIRECTS_MAX) {
          response.destroy();
          ask(next);
          return;
        }
        finish(verdict(response.statusCode ?? 0));
      });
    };
    const timer = clock.after(timeoutMs, () => {
      finish({ kind: "not-ready", because: `no answer within ${timeoutMs} ms` });
    });
    signal?.addEventListener("abort", abandon, { once: true });
    if (signal?.aborted === true) abandon();
    else ask(urlOf(target), target.path); // a URL would take dot segments out
  });
}

function verdict(status: number): AttemptResult {
  return status >= 200 && status < 400 ? ready : { kind: "not-ready", because: `status ${status}` };
}

function urlOf({ scheme, ip, port, path }: HttpTarget): URL {
  const host = ip.includes(":") ? `[${ip}]` : ip;
  return new URL(`${scheme}://${host}:${port}${path}`);
}

function redirectOf({ statusCode = 0, headers: { location } }: IncomingMessage, from: URL): URL | undefined {
  if (statusCode < 300 || statusCode > 399 || location === undefined) return undefined;
  return URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

/** Configured fields win over ours, `Host` and `User-Agent` included, as kubelet does it. */
function send(
  { url, path }: { readonly url: URL; readonly path: string },
  target: HttpTarget,
): ClientRequest {
  const headers: Record<string, string | string[]> = { "User-Agent": AGENT, Connection: "close" };
  for (const [name, value] of target.headers) {
    const same = Object.keys(headers).find((other) => other.toLowerCase() === name.toLowerCase());
    if (same !== undefined) delete headers[same];
    headers[name] = value;
  }
  const request =
    url.protocol === "https:"
      ? httpsLibrary().request(url, { path, headers, agent: false, rejectUnauthorized: false }) // self-signed is ready too: Q-100
      : httpLibrary().request(url, { path, headers, agent: false });
  request.end();
  return request;
}

/** Loaded by the first probe that needs them: TLS alone costs a sidecar that never speaks it 2 MB. */
function httpLibrary(): typeof http {
  const library = process.getBuiltinModule("node:http");
  assert(library !== undefined, "node:http is part of Node");
  return library;
}

function httpsLibrary(): typeof https {
  const library = process.getBuiltinModule("node:https");
  assert(library !== undefined, "node:https is part of Node");
  return library;
}
