import { createHash } from "node:crypto";
import {
  type Ingress,
  type IngressPath,
  type IngressRule,
  type IngressSplit,
  type ObjectKey,
  objectRef,
} from "@rouse/shared";

type Json = string | number | readonly Json[] | Members;
/** An object whose keys come in this order: one of JavaScript's would put keys that are numbers first. */
interface Members {
  readonly members: readonly (readonly [key: string, value: Json])[];
}

/**
 * SHA-256 of an Ingress as every Knative ingress computes it: compact JSON of the spec in a fixed order of keys, then
 * namespace and name. Says which configuration routed a request. Source: knative networking pkg/ingress; C-120.
 */
export function ingressHash(spec: Ingress["spec"], key: ObjectKey): string {
  const { namespace, name } = objectRef(key);
  return createHash("sha256")
    .update(`${encode(canonical(spec))}${namespace}${name}`)
    .digest("hex");
}

function canonical(spec: Ingress["spec"]): Json {
  return fields([
    ["tls", list((spec.tls ?? []).map(tlsJson))],
    ["rules", list(spec.rules.map(ruleJson))],
    ["httpOption", text(spec.httpOption)],
  ]);
}

function tlsJson(entry: unknown): Json {
  const { hosts, secretName, secretNamespace } = asRecord(entry);
  return fields([
    ["hosts", list(Array.isArray(hosts) ? hosts.map(String) : [])],
    ["secretName", text(secretName)],
    ["secretNamespace", text(secretNamespace)],
  ]);
}

function ruleJson(rule: IngressRule): Json {
  return fields([
    ["hosts", list(rule.hosts ?? [])],
    ["visibility", text(rule.visibility)],
    ["http", { members: [["paths", rule.http.paths.map(pathJson)]] }],
  ]);
}

function pathJson(path: IngressPath): Json {
  const matches = Object.entries(path.headers ?? {}).map(
    ([name, { exact }]) => [name, { members: [["exact", exact]] }] as const,
  );
  return fields([
    ["path", text(path.path)],
    ["rewriteHost", text(path.rewriteHost)],
    ["headers", map(matches)],
    ["splits", path.splits.map(splitJson)],
    ["appendHeaders", map(Object.entries(path.appendHeaders ?? {}))],
  ]);
}

function splitJson(split: IngressSplit): Json {
  return fields([
    ["serviceNamespace", split.serviceNamespace],
    ["serviceName", split.serviceName],
    ["servicePort", split.servicePort],
    ["percent", split.percent === 0 || split.percent === undefined ? undefined : split.percent],
    ["appendHeaders", map(Object.entries(split.appendHeaders ?? {}))],
  ]);
}

function fields(entries: readonly (readonly [string, Json | undefined])[]): Members {
  return { members: entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])) };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function list(values: readonly Json[]): Json | undefined {
  return values.length === 0 ? undefined : values;
}

/** Keys sorted by bytes. */
function map(entries: readonly (readonly [string, Json])[]): Json | undefined {
  if (entries.length === 0) return undefined;
  return { members: [...entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))) };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function encode(value: Json): string {
  if (typeof value === "string" || typeof value === "number") return encodeScalar(value);
  if ("members" in value) {
    return `{${value.members.map(([key, member]) => `${encodeScalar(key)}:${encode(member)}`).join(",")}}`;
  }
  return `[${value.map(encode).join(",")}]`;
}

/** As Go's encoder, which makes JSON safe inside HTML. */
function encodeScalar(value: string | number): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
