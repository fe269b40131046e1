import { Agent, type IncomingHttpHeaders, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Call {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  readonly agent?: Agent;
}

/** One request. Rejects when no answer comes, or half of one. */
export function call(
  at: { readonly ip: string; readonly port: number },
  options: Call = {},
): Promise<Answer> {
  const { path = "/", method = "GET", headers = {}, body, signal, agent = new Agent() } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: at.ip,
        port: at.port,
        path,
        method,
        headers,
        agent,
        ...(signal === undefined ? {} : { signal }),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(parts).toString("latin1");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
