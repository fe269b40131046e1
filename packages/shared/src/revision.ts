/** `namespace/name` of a revision: the key of everything that is kept per revision. S-3. */
export type RevisionKey = string & { readonly kind: "revision-key" };

export function revisionKey(ref: { readonly namespace: string; readonly name: string }): RevisionKey {
  return `${ref.namespace}/${ref.name}` as RevisionKey;
}

/** `ip:port` that may serve a revision. IPv6 addresses are in brackets. */
export type Endpoint = string & { readonly kind: "endpoint" };

export function endpoint(address: { readonly ip: string; readonly port: number }): Endpoint {
  const host = address.ip.includes(":") ? `[${address.ip}]` : address.ip;
  return `${host}:${address.port}` as Endpoint;
}

/** The address and port of an endpoint. */
export function endpointAddress(of: Endpoint): { readonly ip: string; readonly port: number } {
  const colon = of.lastIndexOf(":");
  const host = of.slice(0, colon);
  return { ip: host.startsWith("[") ? host.slice(1, -1) : host, port: Number(of.slice(colon + 1)) };
}
