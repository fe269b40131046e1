import { ObjectStore, SeededRandom, silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import type { AnswerStream } from "../../src/api-server/wire/answer.ts";
import { ApiHandler } from "../../src/api-server/wire/api-handler.ts";

export const MAPS = "/api/v1/namespaces/default/configmaps";

/** The API without a network: answers are read as values, streams as the lines they wrote. */
export function apiInMemory(options: { readonly changesMax?: number } = {}) {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) }, options);
  const podOutput = {
    lines: () => undefined,
    previous: () => undefined,
    follow: () => ({ [Symbol.dispose]: () => {} }),
  };
  const handler = new ApiHandler({ store, clock, random: new SeededRandom(2), log: silentLogger, podOutput });
  const send = async (method: string, url: string, body?: unknown, type = "application/json") => {
    const bytes = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    const header = (name: string): string | undefined => (name === "content-type" ? type : undefined);
    return handler.handle({ method, url, header, body: async () => bytes });
  };
  const call = async (method: string, url: string, body?: unknown, type?: string) => {
    const answer = await send(method, url, body, type);
    const value: { [member: string]: unknown } =
      answer.kind === "whole" ? JSON.parse(answer.body || "{}") : {};
    return { status: answer.status, headers: answer.headers, body: value };
  };
  const watch = async (query: string, stream = new Lines()) => {
    const answer = await send("GET", `${MAPS}?watch=1&${query}`);
    if (answer.kind !== "stream") throw new Error(`no stream: ${answer.body}`);
    return { stream, watching: answer.start(stream) };
  };
  return { clock, store, call, watch };
}

/** What a watch has sent. */
export class Lines implements AnswerStream {
  readonly events: {
    readonly type: string;
    readonly object: { readonly metadata: Record<string, unknown>; code?: number };
  }[] = [];
  pendingBytes = 0;
  isEnded = false;

  write(text: string): void {
    this.events.push(JSON.parse(text));
  }

  end(): void {
    this.isEnded = true;
  }

  get types(): readonly string[] {
    return this.events.map(({ type, object }) => `${type} ${String(object.metadata?.name ?? "")}`.trim());
  }
}
