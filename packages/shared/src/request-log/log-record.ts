import type { ClientPeer, RequestHead } from "../http/exchange.ts";
import { GoFloat, GoMap, GoObject, textArgument, type Value } from "./template/value.ts";

/** What there is to say about one request once it is over. */
export interface LogRecord {
  readonly request: RequestHead;
  readonly client: ClientPeer;
  /** As the program got it, where it was made from other fields. */
  readonly forwarded: string | undefined;
  readonly status: number;
  /** Bytes of the answer's body. */
  readonly size: number;
  readonly latencySeconds: number;
}

/** What is the same in every line. */
export interface LogRevision {
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly configuration: string;
  readonly podName: string;
  readonly podIp: string;
}

/** A record as a template sees it: the fields of Q-145. Nothing is computed that the template does not ask for. */
export function templateData(record: LogRecord, revision: LogRevision): Value {
  const { request, client } = record;
  const [major = "1", minor = "1"] = request.version.split(".");
  const query = (): string =>
    request.target.slice(request.target.indexOf("?") + 1 || request.target.length + 1);
  const url = new GoObject(
    {
      Path: () => utf8(request.target.split("?", 1)[0] ?? ""),
      RawQuery: () => utf8(query()),
      Host: () => "",
      Scheme: () => "",
    },
    { String: () => utf8(request.target), RequestURI: () => utf8(request.target) },
    () => utf8(request.target),
  );
  return new GoObject({
    Request: () =>
      new GoObject(
        {
          Method: () => request.method,
          URL: () => url,
          RequestURI: () => utf8(request.target),
          Proto: () => `HTTP/${request.version}`,
          ProtoMajor: () => Number(major),
          ProtoMinor: () => Number(minor),
          Host: () => utf8(request.host),
          RemoteAddr: () =>
            client.ip.includes(":") ? `[${client.ip}]:${client.port}` : `${client.ip}:${client.port}`,
          ContentLength: () => contentLength(request),
          Header: () => headerMap(record),
        },
        {
          UserAgent: () => utf8(request.get("User-Agent") ?? ""),
          Referer: () => utf8(request.get("Referer") ?? ""),
          FormValue: (key) => new URLSearchParams(query()).get(textArgument(key)) ?? "",
        },
      ),
    Response: () =>
      new GoObject({
        Code: () => record.status,
        Size: () => record.size,
        Latency: () => new GoFloat(record.latencySeconds),
      }),
    Revision: () =>
      new GoObject({
        Name: () => revision.name,
        Namespace: () => revision.namespace,
        Service: () => revision.service,
        Configuration: () => revision.configuration,
        PodName: () => revision.podName,
        PodIP: () => revision.podIp,
      }),
    TraceID: () => traceId(request),
  });
}

/** The second part of `traceparent`, else B3's, else nothing. Not validated. Q-145, V-8 */
export function traceId(request: RequestHead): string {
  const parts = (request.get("traceparent") ?? "").split("-");
  return parts.length >= 2 ? utf8(parts[1] ?? "") : utf8(request.get("X-B3-TraceId") ?? "");
}

/** −1 for a body of unknown length. */
function contentLength(request: RequestHead): number {
  const text = request.get("Content-Length");
  if (text !== undefined) return Number(text);
  const isUnknown =
    request.has("Transfer-Encoding") || (request.version === "2.0" && mayHaveBody(request.method));
  return isUnknown ? -1 : 0;
}

function mayHaveBody(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

function headerMap({ request, forwarded }: LogRecord): GoMap {
  const map = new Map<string, string[]>();
  for (const [name, value] of request.entries()) {
    const key = canonical(name);
    if (key === "Host" || key.startsWith(":") || (key === "K-Original-Host" && value !== "")) continue;
    const values = map.get(key);
    if (values === undefined) map.set(key, [utf8(value)]);
    else values.push(utf8(value));
  }
  if (forwarded !== undefined) map.set("Forwarded", [utf8(forwarded)]);
  return new GoMap(map, canonical);
}

/** `user-agent` as Go keeps it: `User-Agent`. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** Head text is bytes in latin-1; logs are UTF-8. */
function utf8(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is what is looked for
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, "latin1").toString("utf8");
}
