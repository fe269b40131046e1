/** Where the API is and how to speak to it: from a kubeconfig, or from inside a pod. */
export interface ApiServerAddress {
  readonly protocol: "http:" | "https:";
  /** Without brackets, also IPv6. */
  readonly host: string;
  readonly port: number;
  /** What comes before every path; "" mostly. */
  readonly basePath: string;
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    /** Whoever answers is believed. */
    readonly isUnverified?: boolean;
  };
  /** Value of `Authorization`; asked before every call, since tokens are renewed. `undefined` for none. */
  readonly authorization: () => string | undefined;
}

/** @throws Error if it is no address of HTTP */
export function parseServerUrl(
  text: string,
): Pick<ApiServerAddress, "protocol" | "host" | "port" | "basePath"> {
  const url = new URL(text);
  const { protocol } = url;
  if (protocol !== "http:" && protocol !== "https:") throw new Error(`${text} is no address of HTTP`);
  return {
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (protocol === "https:" ? 443 : 80) : Number(url.port),
    basePath: url.pathname.replace(/\/$/, ""),
  };
}
