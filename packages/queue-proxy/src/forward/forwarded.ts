import type { Exchange, Handler, HeadFields, Layer } from "@rouse/shared";

/** The fields of old from which `Forwarded` is made; absent and empty are the same. */
export interface ForwardedSources {
  readonly xForwardedFor: string;
  readonly xForwardedHost: string;
  readonly xForwardedProto: string;
}

/**
 * `Forwarded` (RFC 7239) made of the X-Forwarded fields: one element per node, host and proto in the first; a node
 * with a colon is taken for IPv6 and quoted. Source: knative/serving pkg/http/handler; Q-25, V-1.
 */
export function forwardedValue({
  xForwardedFor,
  xForwardedHost,
  xForwardedProto,
}: ForwardedSources): string | undefined {
  const nodes = xForwardedFor === "" ? [] : xForwardedFor.split(",").map((node) => node.trim());
  if (nodes.length > 1 && nodes.at(-1) === "") nodes.pop();
  const first = [
    ...nodes.slice(0, 1).map(forNode),
    ...(xForwardedHost === "" ? [] : [`host=${xForwardedHost}`]),
    ...(xForwardedProto === "" ? [] : [`proto=${xForwardedProto}`]),
  ].join(";");
  if (first === "") return undefined;
  return [first, ...nodes.slice(1).map(forNode)].join(", ");
}

/** The `Forwarded` the program is given, where the request has none and says enough to make one. Q-25 */
export function forwardedOf(request: HeadFields): string | undefined {
  if ((request.get("Forwarded") ?? "") !== "") return undefined;
  const xForwardedFor = request.get("X-Forwarded-For") ?? "";
  const xForwardedHost = request.get("X-Forwarded-Host") ?? "";
  const xForwardedProto = request.get("X-Forwarded-Proto") ?? "";
  if (xForwardedFor === "" && xForwardedHost === "" && xForwardedProto === "") return undefined;
  return forwardedValue({ xForwardedFor, xForwardedHost, xForwardedProto });
}

/** Gives the program a `Forwarded` field made of what the request says. Q-25 */
export class SynthesiseForwarded<C> implements Layer<C> {
  handle(exchange: Exchange<C>, next: Handler<C>): void {
    const value = forwardedOf(exchange.request);
    if (value !== undefined) exchange.setRequestHeader("Forwarded", value);
    next(exchange);
  }
}

function forNode(node: string): string {
  return node.includes(":") ? `for="[${node}]"` : `for=${node}`;
}
