import type { Labels } from "./labels.ts";

/** Of RFC 9110, RFC 5789 and RFC 10008. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "QUERY",
]);

/** A method as labels and spans show it: all that are no standard's share one. */
export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : "_OTHER";
}

/** Hosts told apart in labels. Clients choose them, so there is no end of them (E-16). */
export class ToldHosts {
  readonly #max: number;
  readonly #hosts = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The host, or what those share that came when there were `max`. */
  told(host: string): string {
    if (this.#hosts.has(host)) return host;
    if (this.#hosts.size >= this.#max) return "_other";
    this.#hosts.add(host);
    return host;
  }
}

/** A host and its port, where that is not the scheme's own. */
export function addressLabels(host: string, isTls: boolean): Labels {
  const found = /^(.*?)(?::(\d+))?$/.exec(host);
  const address = (found?.[1] ?? host).replace(/^\[(.*)\]$/, "$1");
  const port = Number(found?.[2] ?? 0);
  const isDefault = port === 0 || port === (isTls ? 443 : 80);
  return isDefault
    ? [["server.address", address]]
    : [
        ["server.address", address],
        ["server.port", port],
      ];
}
